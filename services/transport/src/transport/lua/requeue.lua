-- Return jobs in flight unchanged to the head of their queue, or move them to the tail of a gateway queue.
-- KEYS  in-flight, target
-- ARGV  `LPUSH` (tickets from the last to the first) or `RPUSH`, a ticket for each job
-- Reply the number of jobs that were still in flight
local moved = 0
for i = 2, #ARGV do
  local raw = redis.call('HGET', KEYS[1], ARGV[i])
  if raw then
    redis.call(ARGV[1], KEYS[2], raw)
    redis.call('HDEL', KEYS[1], ARGV[i])
    moved = moved + 1
  end
end
return moved
