-- Take finished jobs out of a worker's hand; what another has recovered in the meantime is not counted twice.
-- KEYS  hand tries counts, marks to set to `done`...
-- ARGV  counter, ms to keep marks, one ticket for each job
-- Gives how many were still in hand.
local hand, tries, counts = unpack(KEYS, 1, 3)
local settled = redis.call('HDEL', hand, unpack(ARGV, 3))
for i = 4, #KEYS do redis.call('SET', KEYS[i], 'done', 'PX', ARGV[2]) end
for i = 3, redis.call('EXISTS', tries) == 1 and #ARGV or 0 do
  redis.call('HDEL', tries, 'f:' .. ARGV[i], 'c:' .. ARGV[i])
end
if settled > 0 then redis.call('HINCRBY', counts, ARGV[1], settled) end
return settled
