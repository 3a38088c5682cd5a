-- Give jobs in hand back as they came: to the head of the queue, or to the tail of a gateway's room.
-- KEYS  hand target
-- ARGV  `LPUSH` (tickets from the last to the first) or `RPUSH`, one ticket for each job
-- Gives how many were still in hand.
local moved = 0
for i = 2, #ARGV do
  local raw = redis.call('HGET', KEYS[1], ARGV[i])
  if raw then
    redis.call('HDEL', KEYS[1], ARGV[i])
    redis.call(ARGV[1], KEYS[2], raw)
    moved = moved + 1
  end
end
return moved
