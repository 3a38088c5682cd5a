-- Find out what became of the job that has the claim on a delivery. An unfinished job is in flight or waits.
-- KEYS  claim, leases, waiting-jobs, the in-flight key of each worker
-- ARGV  what the claim held, the ticket in it, the name of each worker
-- Reply d if the delivery has happened, b if the job is busy, or if the claim or the workers have changed since
local held = redis.call('GET', KEYS[1])
if held == 'done' then return 'd' end
if held ~= ARGV[1] or redis.call('ZCARD', KEYS[2]) ~= #ARGV - 2 then return 'b' end
for i = 3, #ARGV do
  if not redis.call('ZSCORE', KEYS[2], ARGV[i]) then return 'b' end
end
for i = 3, #KEYS do
  if redis.call('HEXISTS', KEYS[i], ARGV[2]) == 1 then return 'b' end
end
return 'd'
