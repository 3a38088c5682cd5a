-- Put jobs in flight from anywhere in the queue, those that are where they were found.
-- KEYS  queue, in-flight, leases
-- ARGV  worker, then for each job: ticket, position, raw
-- Reply {the number of each job that is in flight now ...}, or nothing if the worker has no lease
local queue, in_flight = KEYS[1], KEYS[2]
if not redis.call('ZSCORE', KEYS[3], ARGV[1]) then return false end
local picked = {}
for i = 2, #ARGV, 3 do
  if redis.call('LINDEX', queue, ARGV[i + 1]) == ARGV[i + 2] then
    redis.call('HSET', in_flight, ARGV[i], ARGV[i + 2])
    redis.call('LSET', queue, ARGV[i + 1], ARGV[2])  -- the first ticket marks all of them: no job is like it
    picked[#picked + 1] = (i - 2) / 3
  end
end
if #picked > 0 then redis.call('LREM', queue, #picked, ARGV[2]) end
return picked
