-- Give jobs in hand back as they came: to the head of the queue, or to the tail of a gateway's room.
-- KEYS  hand target mark... (one for each job, or none)
-- ARGV  `LPUSH` (tickets from the last to the first) or `RPUSH`, one ticket for each job
-- Gives how many were still in hand.
local hand, target = KEYS[1], KEYS[2]
local moved = 0
for i = 2, #ARGV do
  local ticket, mark = ARGV[i], KEYS[i + 1]
  local raw = redis.call('HGET', hand, ticket)
  if raw then
    redis.call('HDEL', hand, ticket)
    redis.call(ARGV[1], target, raw)
    local held = mark and redis.call('GET', mark)
    if held and (held == ticket or held == 'gone:' .. ticket) then redis.call('DEL', mark) end
    moved = moved + 1
  end
end
return moved
