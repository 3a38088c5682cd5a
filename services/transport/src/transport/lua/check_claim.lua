-- What became of the job that has the claim to a delivery. Whatever is under way is in a worker's hand, or parked.
-- KEYS  mark workers parked, one hand for each worker
-- ARGV  the ticket that the mark was seen to hold, one name for each worker
-- Gives d if its delivery has happened, b if it is busy, or if the mark or the workers have changed since.
local held = redis.call('GET', KEYS[1])
if held == 'done' then return 'd' end
if held ~= ARGV[1] or redis.call('ZCARD', KEYS[2]) ~= #ARGV - 1 then return 'b' end
for i = 2, #ARGV do
  if not redis.call('ZSCORE', KEYS[2], ARGV[i]) then return 'b' end
end
for i = 3, #KEYS do
  if redis.call('HEXISTS', KEYS[i], held) == 1 then return 'b' end
end
return 'd'
