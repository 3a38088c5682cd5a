-- Claim deliveries before they are sent. A mark holds the ticket that has the claim, `gone:<ticket>` where a claim is
-- final (at-most-once), or `done`. Where the ticket is in nobody's hand any more, its delivery has happened: so one that
-- goes well need not touch its mark again, see `probe`.
-- KEYS  hand, one mark for each job
-- ARGV  1 if a claim is final, ms to keep a mark, one ticket for each job
-- Gives {one letter for each job, the ticket behind each c ...}: g go, d a duplicate, u unsure (it may have been sent),
-- c contested.
local final, keep = ARGV[1] == '1', ARGV[2]
local verdicts, rivals = {}, {}
for i = 1, #KEYS - 1 do
  local mark, ticket = KEYS[i + 1], ARGV[i + 2]
  local mine = final and 'gone:' .. ticket or ticket
  if redis.call('SET', mark, mine, 'NX', 'PX', keep) then
    verdicts[i] = 'g'
  else
    local held = redis.call('GET', mark)
    if held == mine then  -- an earlier attempt's; a job that this hand holds no more is another's, or over
      redis.call('PEXPIRE', mark, keep)
      verdicts[i] = redis.call('HEXISTS', KEYS[1], ticket) == 0 and 'd' or final and 'u' or 'g'
    elseif held == 'done' or final then verdicts[i] = 'd'
    else
      verdicts[i] = 'c'
      rivals[#rivals + 1] = held
    end
  end
end
return {table.concat(verdicts), unpack(rivals)}
