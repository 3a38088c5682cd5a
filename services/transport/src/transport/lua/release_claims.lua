-- Release the claims of jobs in flight that were not sent, so that another job for the delivery can claim it.
-- KEYS  in-flight, a claim for each job
-- ARGV  `@` and the name of the queue, a ticket for each job
for i = 2, #KEYS do
  local held, ticket = redis.call('GET', KEYS[i]), ARGV[i]
  if (held == ticket .. ARGV[1] or held == 'gone:' .. ticket .. ARGV[1]) and redis.call('HEXISTS', KEYS[1], ticket) == 1 then
    redis.call('DEL', KEYS[i])
  end
end
