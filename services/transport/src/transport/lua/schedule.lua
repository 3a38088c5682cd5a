-- Put jobs in hand aside until they are due.
-- KEYS  hand later parked tries counts
-- ARGV  counter, then for each job: ticket, ms from now, 1 if it failed
-- Gives how many were still in hand.
local hand, later, parked, tries, counts = unpack(KEYS)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local moved = 0
for i = 2, #ARGV, 3 do
  local ticket = ARGV[i]
  local raw = redis.call('HGET', hand, ticket)
  if raw then
    redis.call('HDEL', hand, ticket)
    redis.call('HSET', parked, ticket, raw)
    redis.call('ZADD', later, now + tonumber(ARGV[i + 1]), ticket)
    if ARGV[i + 2] == '1' then redis.call('HINCRBY', tries, 'f:' .. ticket, 1) end
    moved = moved + 1
  end
end
if moved > 0 then redis.call('HINCRBY', counts, ARGV[1], moved) end
return moved
