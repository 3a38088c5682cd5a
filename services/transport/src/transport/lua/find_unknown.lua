-- Find the jobs in flight that their worker does not know.
-- KEYS  in-flight, attempts
-- ARGV  the tickets that it knows
-- Reply {ticket, raw, failures, crashes, ...}
local known, found = {}, {}
for _, ticket in ipairs(ARGV) do known[ticket] = true end
for _, ticket in ipairs(redis.call('HKEYS', KEYS[1])) do
  if not known[ticket] then
    local tried = redis.call('HMGET', KEYS[2], 'f:' .. ticket, 'c:' .. ticket)
    local raw = redis.call('HGET', KEYS[1], ticket)
    for _, value in ipairs({ticket, raw, tried[1] or '0', tried[2] or '0'}) do found[#found + 1] = value end
  end
end
return found
