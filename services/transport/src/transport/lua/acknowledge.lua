-- Take finished jobs out of a worker's hand. What another has recovered in the meantime is another's.
-- KEYS  hand tries counts, marks to set to `done`...
-- ARGV  counter, ms to keep marks, one ticket for each job
-- Gives how many were still in hand.
local hand, tries, counts = unpack(KEYS, 1, 3)
local settled = 0
if redis.call('EXISTS', tries) == 1 then
  for i = 3, #ARGV do
    if redis.call('HDEL', hand, ARGV[i]) == 1 then
      redis.call('HDEL', tries, 'f:' .. ARGV[i], 'c:' .. ARGV[i])
      settled = settled + 1
    end
  end
elseif #ARGV > 2 then
  settled = redis.call('HDEL', hand, unpack(ARGV, 3))
end
for i = 4, #KEYS do redis.call('SET', KEYS[i], 'done', 'PX', ARGV[2]) end
if settled > 0 then redis.call('HINCRBY', counts, ARGV[1], settled) end
return settled
