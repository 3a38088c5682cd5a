-- Count the jobs that wait in each place, and return the one at its head. That is the oldest, and of scheduled jobs the
-- one that is due next.
-- KEYS  queue, scheduled, waiting-jobs, quarantine
-- ARGV  bytes above which a head is left out
-- Reply {number, head, ...} for the queue, scheduled and quarantine; a head is empty if it is left out
local queue, scheduled, waiting_jobs, quarantine = unpack(KEYS)
local reply = {}

local function add(number, head)
  reply[#reply + 1] = number
  reply[#reply + 1] = head and #head <= tonumber(ARGV[1]) and head or ''
end

add(redis.call('LLEN', queue), redis.call('LINDEX', queue, 0))
local due, suspect = redis.call('ZRANGE', scheduled, 0, 0)[1], redis.call('LINDEX', quarantine, 0)
add(redis.call('ZCARD', scheduled), due and redis.call('HGET', waiting_jobs, due))
add(redis.call('LLEN', quarantine), suspect and redis.call('HGET', waiting_jobs, suspect))
return reply
