-- Renew a worker's lease, or acquire one. A lease that has expired but was not acted on yet is renewed as well.
-- KEYS  leases, data-id: a name for the data that this Redis holds, which is gone if the data is lost; clock
-- ARGV  worker, ms that the lease lasts, 1 to acquire a lease if there is none
-- Reply {1 if the worker had a lease, run id of the server, data id, 1 if the server may evict keys,
--        workers whose leases have expired ...}
local now = clock(KEYS[3])
local had = redis.call('ZSCORE', KEYS[1], ARGV[1])
if had or ARGV[3] == '1' then redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), ARGV[1]) end
if ARGV[3] == '1' then redis.call('SET', KEYS[2], ARGV[1] .. ' ' .. now, 'NX') end
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
local memory = redis.call('INFO', 'memory')
local evicts = not string.match(memory, 'maxmemory:0\r') and not string.match(memory, 'maxmemory_policy:noeviction')
return {had and 1 or 0, run, redis.call('GET', KEYS[2]) or '', evicts and 1 or 0, unpack(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. now, 'LIMIT', 0, 16))}
