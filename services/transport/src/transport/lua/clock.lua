-- Return the time in ms on a clock that never goes back. It stands before each script that needs the time. A server's
-- clock that is set back, or a failover to a server whose clock is behind, adds to `ahead`; later steps forward use it up.
-- The hash at `key` needs two fields of its own, `last` and `ahead`.
local function clock(key)
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local state = redis.call('HMGET', key, 'last', 'ahead')
  local last, ahead = tonumber(state[1] or now), tonumber(state[2] or 0)
  if now < last then ahead = ahead + last - now end
  if now > last + 10000 then ahead = math.max(0, ahead - (now - last)) end
  if now ~= last or not state[1] then redis.call('HSET', key, 'last', now, 'ahead', ahead) end
  return now + ahead
end
