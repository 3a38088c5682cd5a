-- Give up claims on deliveries that were not sent, of jobs that are still in hand: another job may then have them.
-- KEYS  hand, one mark for each job
-- ARGV  one ticket for each job
for i, ticket in ipairs(ARGV) do
  local held = redis.call('GET', KEYS[i + 1])
  if (held == ticket or held == 'gone:' .. ticket) and redis.call('HEXISTS', KEYS[1], ticket) == 1 then
    redis.call('DEL', KEYS[i + 1])
  end
end
