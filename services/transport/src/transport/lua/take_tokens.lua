-- Take tokens from a gateway's bucket, which all workers factor. A failure halves its rate, at most once a second. Then
-- the rate recovers by 5 % of the full rate a second.
-- KEYS  bucket
-- ARGV  tokens a second, capacity, tokens wanted, ms to pause, 1 to slow down
-- Reply {tokens granted, ms until the next token, fraction of the full rate in thousandths}
local rate, burst, want, pause = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local now = clock(KEYS[1])
local state = redis.call('HMGET', KEYS[1], 'tokens', 'at', 'until', 'factor', 'slowed_at')
local tokens, at = tonumber(state[1] or burst), tonumber(state[2] or now)
local resume, factor, slowed_at = tonumber(state[3] or 0), tonumber(state[4] or 1), tonumber(state[5] or 0)
local passed = math.max(0, now - at) / 1000
tokens = math.min(burst, tokens + passed * rate * factor)
factor = math.min(1, factor + 0.05 * passed)
if ARGV[5] == '1' and now - slowed_at > 1000 then factor, slowed_at = math.max(0.02, factor / 2), now end
resume = math.max(resume, now + pause)
local granted, wait = 0, resume - now
if now >= resume then
  granted = math.min(want, math.floor(tokens))
  tokens = tokens - granted
  wait = granted == want and 0 or (1 - (tokens % 1)) / (rate * factor) * 1000
end
redis.call('HSET', KEYS[1], 'tokens', tokens, 'at', now, 'until', resume, 'factor', factor, 'slowed_at', slowed_at)
redis.call('PEXPIRE', KEYS[1], 86400000)
return {granted, math.ceil(wait), math.floor(factor * 1000)}
