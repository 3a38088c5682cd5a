-- Recover the jobs in flight of a dead worker, and end its lease. A job that was in flight at a second death goes to the
-- quarantine and is tried alone, so a job that kills its worker does not keep killing it with others in flight.
-- KEYS  leases, in-flight, scheduled, waiting-jobs, attempts, quarantine, counts, clock
-- ARGV  the dead worker
-- Reply the number of its jobs, or -1 if it is alive
local leases, in_flight, scheduled, waiting_jobs, attempts, quarantine, counts = unpack(KEYS)
local now = clock(KEYS[8])
local lease = redis.call('ZSCORE', leases, ARGV[1])
if lease and tonumber(lease) >= now then return -1 end
local held = redis.call('HGETALL', in_flight)
for i = 1, #held, 2 do
  local ticket = held[i]
  redis.call('HSET', waiting_jobs, ticket, held[i + 1])
  if redis.call('HINCRBY', attempts, 'c:' .. ticket, 1) > 1 then
    redis.call('RPUSH', quarantine, ticket)
  else
    redis.call('ZADD', scheduled, now, ticket)
  end
end
redis.call('DEL', in_flight)
redis.call('ZREM', leases, ARGV[1])
if #held > 0 then redis.call('HINCRBY', counts, 'recovered', #held / 2) end
return #held / 2
