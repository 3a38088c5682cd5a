-- Take over what a dead worker had in hand, and end its lease. A job that was in hand at its second death becomes a
-- suspect, to be tried alone: so a job that kills its worker takes no other with it for long.
-- KEYS  workers hand later parked tries suspects counts
-- ARGV  the dead worker
-- Gives how many jobs it had, or -1 where it is alive after all.
local workers, hand, later, parked, tries, suspects, counts = unpack(KEYS)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lease = redis.call('ZSCORE', workers, ARGV[1])
if lease and tonumber(lease) >= now then return -1 end
local held = redis.call('HGETALL', hand)
for i = 1, #held, 2 do
  local ticket = held[i]
  redis.call('HSET', parked, ticket, held[i + 1])
  if redis.call('HINCRBY', tries, 'c:' .. ticket, 1) > 1 then
    redis.call('RPUSH', suspects, ticket)
  else
    redis.call('ZADD', later, now, ticket)
  end
end
redis.call('DEL', hand)
redis.call('ZREM', workers, ARGV[1])
if #held > 0 then redis.call('HINCRBY', counts, 'recovered', #held / 2) end
return #held / 2
