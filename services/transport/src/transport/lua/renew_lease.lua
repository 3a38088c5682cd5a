-- Renew a worker's lease, or take one. A lease that ran out but that nobody has acted on is simply renewed.
-- KEYS  workers
-- ARGV  worker, ms that the lease lasts, 1 to take one where there is none
-- Gives {1 if it had one, which run of the server this is, the workers whose lease has run out ...}.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local had = redis.call('ZSCORE', KEYS[1], ARGV[1])
if had or ARGV[3] == '1' then redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), ARGV[1]) end
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
return {had and 1 or 0, run, unpack(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. now, 'LIMIT', 0, 16))}
