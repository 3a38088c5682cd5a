-- Schedule jobs in flight for a later attempt.
-- KEYS  in-flight, scheduled, waiting-jobs, attempts, counts, clock
-- ARGV  counter, then for each job: ticket, ms from now, 1 if it failed
-- Reply the number of jobs that were still in flight
local in_flight, scheduled, waiting_jobs, attempts, counts = unpack(KEYS)
local now = clock(KEYS[6])
local moved = 0
for i = 2, #ARGV, 3 do
  local ticket = ARGV[i]
  local raw = redis.call('HGET', in_flight, ticket)
  if raw then
    redis.call('HSET', waiting_jobs, ticket, raw)
    redis.call('ZADD', scheduled, now + tonumber(ARGV[i + 1]), ticket)
    redis.call('HDEL', in_flight, ticket)
    if ARGV[i + 2] == '1' then redis.call('HINCRBY', attempts, 'f:' .. ticket, 1) end
    moved = moved + 1
  end
end
if moved > 0 then redis.call('HINCRBY', counts, ARGV[1], moved) end
return moved
