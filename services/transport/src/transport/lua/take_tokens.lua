-- A gateway's token bucket, shared by all workers. Trouble halves its rate, at most once a second; calm brings it back
-- at 5 % of the full rate a second.
-- KEYS  bucket
-- ARGV  tokens a second, most tokens at once, how many are wanted, ms to pause, 1 to slow down
-- Gives {granted, ms until the next token, share of the full rate in thousandths}.
local rate, burst, want, pause = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local state = redis.call('HMGET', KEYS[1], 'tokens', 'at', 'until', 'share', 'slowed')
local tokens, at = tonumber(state[1] or burst), tonumber(state[2] or now)
local resume, share, slowed = tonumber(state[3] or 0), tonumber(state[4] or 1), tonumber(state[5] or 0)
local passed = math.max(0, now - at) / 1000
tokens = math.min(burst, tokens + passed * rate * share)
share = math.min(1, share + 0.05 * passed)
if ARGV[5] == '1' and now - slowed > 1000 then share, slowed = math.max(0.02, share / 2), now end
resume = math.max(resume, now + pause)
local granted, wait = 0, resume - now
if now >= resume then
  granted = math.min(want, math.floor(tokens))
  tokens = tokens - granted
  wait = granted == want and 0 or (1 - (tokens % 1)) / (rate * share) * 1000
end
redis.call('HSET', KEYS[1], 'tokens', tokens, 'at', now, 'until', resume, 'share', share, 'slowed', slowed)
redis.call('PEXPIRE', KEYS[1], 86400000)
return {granted, math.ceil(wait), math.floor(share * 1000)}
