-- Claim deliveries before they are sent. A claim holds `<ticket>@<queue>` of the job that made it, after `gone:` if the
-- claim is final (at-most-once), or `done`. If no worker has that ticket any more, its delivery has happened. So a delivery
-- that succeeds does not need to update its claim, see `check_claim`.
-- KEYS  in-flight, a claim for each job
-- ARGV  1 if claims are final, ms to keep a claim, `@` and the name of the queue, a ticket for each job
-- Reply {a letter for each job, {the ticket behind each c ...}}: g go, d duplicate, u unsure (it may have been sent),
-- c contested
local final, keep, suffix = ARGV[1] == '1', ARGV[2], ARGV[3]
local verdicts, rivals = {}, {}
for i = 1, #KEYS - 1 do
  local claim, ticket = KEYS[i + 1], ARGV[i + 3]
  local mine = (final and 'gone:' or '') .. ticket .. suffix
  if redis.call('SET', claim, mine, 'NX', 'PX', keep) then
    verdicts[i] = 'g'
  else
    local held = redis.call('GET', claim)
    if held == mine then  -- an earlier attempt's; a job that this hand holds no more is another's, or over
      redis.call('PEXPIRE', claim, keep)
      verdicts[i] = redis.call('HEXISTS', KEYS[1], ticket) == 0 and 'd' or final and 'u' or 'g'
    elseif held == 'done' or final then verdicts[i] = 'd'
    else
      verdicts[i] = 'c'
      rivals[#rivals + 1] = held
    end
  end
end
return {table.concat(verdicts), rivals}
