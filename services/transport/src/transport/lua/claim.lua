-- Claim deliveries before they are sent. A mark holds the ticket that has the claim, `gone:<ticket>` where a claim is
-- final (at-most-once), or `done`. Where the ticket is in nobody's hand any more, its delivery has happened: so one that
-- goes well need not touch its mark again, see `probe`.
-- KEYS  one mark for each job
-- ARGV  1 if a claim is final, ms to keep a mark, one ticket for each job
-- Gives {one letter for each job, the ticket behind each c ...}: g go, d a duplicate, u unsure (it may have been sent),
-- c contested.
local final, keep = ARGV[1] == '1', ARGV[2]
local verdicts, rivals = {}, {}
for i, mark in ipairs(KEYS) do
  local ticket = ARGV[i + 2]
  local mine = final and 'gone:' .. ticket or ticket
  if redis.call('SET', mark, mine, 'NX', 'PX', keep) then
    verdicts[i] = 'g'
  else
    local held = redis.call('GET', mark)
    if held == ticket then
      redis.call('PEXPIRE', mark, keep)
      verdicts[i] = 'g'
    elseif held == 'gone:' .. ticket then verdicts[i] = 'u'
    elseif held == 'done' or final then verdicts[i] = 'd'
    else
      verdicts[i] = 'c'
      rivals[#rivals + 1] = held
    end
  end
end
return {table.concat(verdicts), unpack(rivals)}
