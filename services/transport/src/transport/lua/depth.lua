-- Count the jobs that wait in each place, and return the one at its head. That is the oldest, and of scheduled jobs the
-- one that is due next.
-- KEYS  scheduled, waiting-jobs, quarantine, the queue, gateway queues ...
-- ARGV  bytes above which a head is left out
-- Reply {number, head, ...} for the queue, each gateway queue, scheduled and quarantine; a head is empty if it is left out
local scheduled, waiting_jobs, quarantine = unpack(KEYS, 1, 3)
local reply = {}

local function add(number, head)
  reply[#reply + 1] = number
  reply[#reply + 1] = head and #head <= tonumber(ARGV[1]) and head or ''
end

for i = 4, #KEYS do add(redis.call('LLEN', KEYS[i]), redis.call('LINDEX', KEYS[i], 0)) end
local due, suspect = redis.call('ZRANGE', scheduled, 0, 0)[1], redis.call('LINDEX', quarantine, 0)
add(redis.call('ZCARD', scheduled), due and redis.call('HGET', waiting_jobs, due))
add(redis.call('LLEN', quarantine), suspect and redis.call('HGET', waiting_jobs, suspect))
return reply
