-- Release the claims of jobs in flight that were not sent, so that another job for the delivery can claim it.
-- KEYS  in-flight, a claim for each job
-- ARGV  a ticket for each job
for i, ticket in ipairs(ARGV) do
  local held = redis.call('GET', KEYS[i + 1])
  if (held == ticket or held == 'gone:' .. ticket) and redis.call('HEXISTS', KEYS[1], ticket) == 1 then
    redis.call('DEL', KEYS[i + 1])
  end
end
