-- Put jobs in flight: one from the quarantine, or else those that are due, then the head of the queue.
-- KEYS  queue, in-flight, leases, scheduled, waiting-jobs, attempts, quarantine, clock
-- ARGV  worker, limit, 1 if it has nothing in flight, prefix of tickets, number of the first ticket, bytes of space,
--       1 to fetch the head of the queue
-- Reply {length of the quarantine, ms until the next job is due or -1, {ticket, raw, failures, crashes, ...},
--        {raw, ...}}; the last have tickets counted up from the first number. No reply if the worker has no lease
local queue, in_flight, leases, scheduled, waiting_jobs, attempts, quarantine = unpack(KEYS, 1, 7)
local worker, limit, alone, prefix, number = ARGV[1], tonumber(ARGV[2]), ARGV[3] == '1', ARGV[4], tonumber(ARGV[5])
if not redis.call('ZSCORE', leases, worker) then return false end
local now = clock(KEYS[8])
local again, fresh = {}, {}

local function take(ticket)
  local raw = redis.call('HGET', waiting_jobs, ticket)
  if not raw then return end
  redis.call('HSET', in_flight, ticket, raw)
  redis.call('HDEL', waiting_jobs, ticket)
  local tried = redis.call('HMGET', attempts, 'f:' .. ticket, 'c:' .. ticket)
  for _, value in ipairs({ticket, raw, tried[1] or '0', tried[2] or '0'}) do again[#again + 1] = value end
end

local quarantined = alone and redis.call('LINDEX', quarantine, 0)
if quarantined then
  take(quarantined)
  redis.call('LPOP', quarantine)
else
  for _, ticket in ipairs(redis.call('ZRANGEBYSCORE', scheduled, '-inf', now, 'LIMIT', 0, limit)) do
    if tonumber(redis.call('HGET', attempts, 'c:' .. ticket) or 0) > 1 then
      redis.call('RPUSH', quarantine, ticket)
    else
      take(ticket)
    end
    redis.call('ZREM', scheduled, ticket)
  end
  limit = ARGV[7] == '1' and limit - #again / 4 or 0
  local space = tonumber(ARGV[6])
  while #fresh < limit and space > 0 do  -- one, then twice as many, so that it reads little more than fits
    local some = redis.call('LRANGE', queue, #fresh, #fresh + math.min(limit - #fresh, #fresh + 1) - 1)
    if #some == 0 then break end
    for _, raw in ipairs(some) do
      fresh[#fresh + 1] = raw
      space = space - #raw
    end
  end
  for first = 1, #fresh, 1000 do  -- `unpack` takes less than 8,000 values
    local held = {}
    for i = first, math.min(first + 999, #fresh) do
      held[#held + 1] = prefix .. string.format('%012d', number + i - 1)
      held[#held + 1] = fresh[i]
    end
    redis.call('HSET', in_flight, unpack(held))
  end
  if #fresh > 0 then redis.call('LTRIM', queue, #fresh, -1) end  -- only when all of them are in flight
end
local first = redis.call('ZRANGE', scheduled, 0, 0, 'WITHSCORES')
local wait = first[2] and math.max(0, tonumber(first[2]) - now) or -1
return {redis.call('LLEN', quarantine), wait, again, fresh}
