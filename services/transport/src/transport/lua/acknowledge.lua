-- Acknowledge finished jobs. A job that another worker has recovered in the meantime is left to that worker.
-- KEYS  in-flight, attempts, counts, claims to set to `done` ...
-- ARGV  counter, ms to keep claims, a ticket for each job
-- Reply the number of jobs that were still in flight
local in_flight, attempts, counts = unpack(KEYS, 1, 3)
local settled = 0
if redis.call('EXISTS', attempts) == 1 then
  for i = 3, #ARGV do
    if redis.call('HDEL', in_flight, ARGV[i]) == 1 then
      redis.call('HDEL', attempts, 'f:' .. ARGV[i], 'c:' .. ARGV[i])
      settled = settled + 1
    end
  end
else
  for i = 3, #ARGV, 1000 do  -- `unpack` takes less than 8,000 values
    settled = settled + redis.call('HDEL', in_flight, unpack(ARGV, i, math.min(i + 999, #ARGV)))
  end
end
for i = 4, #KEYS do redis.call('SET', KEYS[i], 'done', 'PX', ARGV[2]) end
if settled > 0 then redis.call('HINCRBY', counts, ARGV[1], settled) end
return settled
