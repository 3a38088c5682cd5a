-- Return jobs in flight unchanged to the head of their queue.
-- KEYS  in-flight, queue
-- ARGV  a ticket for each job, from the last to the first
-- Reply the number of jobs that were still in flight
local moved = 0
for _, ticket in ipairs(ARGV) do
  local raw = redis.call('HGET', KEYS[1], ticket)
  if raw then
    redis.call('LPUSH', KEYS[2], raw)
    redis.call('HDEL', KEYS[1], ticket)
    moved = moved + 1
  end
end
return moved
