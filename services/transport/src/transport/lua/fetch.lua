-- Move jobs into a worker's hand: one suspect where it may have one, else what is due, then the head of `source`.
-- KEYS  source hand workers later parked tries suspects room...
-- ARGV  worker, at most how many, 1 if its hand is empty, ticket prefix, first ticket's number, bytes that fit into it
-- Gives {suspects left, ms until the next is due or -1, {length of each room}, {ticket, raw, failures, crashes, ...},
--        {raw, ...}}, the last with tickets counted up from the first number.
local source, hand, workers, later, parked, tries, suspects = unpack(KEYS, 1, 7)
local worker, limit, alone, prefix, number = ARGV[1], tonumber(ARGV[2]), ARGV[3] == '1', ARGV[4], tonumber(ARGV[5])
if not redis.call('ZSCORE', workers, worker) then return redis.error_reply('LEASELOST ' .. worker) end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local again, fresh, rooms = {}, {}, {}

local function take(ticket)
  local raw = redis.call('HGET', parked, ticket)
  if not raw then return end
  redis.call('HDEL', parked, ticket)
  redis.call('HSET', hand, ticket, raw)
  local tried = redis.call('HMGET', tries, 'f:' .. ticket, 'c:' .. ticket)
  for _, value in ipairs({ticket, raw, tried[1] or '0', tried[2] or '0'}) do again[#again + 1] = value end
end

local suspect = alone and redis.call('LPOP', suspects)
if suspect then
  take(suspect)
else
  for _, ticket in ipairs(redis.call('ZRANGEBYSCORE', later, '-inf', now, 'LIMIT', 0, limit)) do
    redis.call('ZREM', later, ticket)
    if tonumber(redis.call('HGET', tries, 'c:' .. ticket) or 0) > 1 then
      redis.call('RPUSH', suspects, ticket)
    else
      take(ticket)
    end
  end
  limit = limit - #again / 4
  local space = tonumber(ARGV[6])
  while #fresh < limit and space > 0 do  -- one, then twice as many: so it takes not much more than fits
    local some = redis.call('LPOP', source, math.min(limit - #fresh, #fresh + 1))
    if not some then break end
    for _, raw in ipairs(some) do
      fresh[#fresh + 1] = raw
      space = space - #raw
    end
  end
  if #fresh > 0 then
    local held = {}
    for i, raw in ipairs(fresh) do
      held[2 * i - 1] = prefix .. string.format('%012d', number + i - 1)
      held[2 * i] = raw
    end
    redis.call('HSET', hand, unpack(held))
  end
end
for i = 8, #KEYS do rooms[i - 7] = redis.call('LLEN', KEYS[i]) end
local first = redis.call('ZRANGE', later, 0, 0, 'WITHSCORES')
local wait = first[2] and math.max(0, tonumber(first[2]) - now) or -1
return {redis.call('LLEN', suspects), wait, rooms, again, fresh}
