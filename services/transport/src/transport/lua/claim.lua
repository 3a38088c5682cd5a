-- Claim deliveries before they are sent. A mark holds the ticket that has the claim, `gone:<ticket>` where a claim is
-- final (at-most-once), or `done`.
-- KEYS  one mark for each job
-- ARGV  1 if a claim is final, ms to keep a mark, one ticket for each job
-- Gives one letter for each job: g go, d a duplicate, b busy (another ticket has it), u unsure (it may have been sent).
local final, keep = ARGV[1] == '1', ARGV[2]
local verdicts = {}
for i, mark in ipairs(KEYS) do
  local ticket = ARGV[i + 2]
  local mine = final and 'gone:' .. ticket or ticket
  if redis.call('SET', mark, mine, 'NX', 'PX', keep) then
    verdicts[i] = 'g'
  else
    local held = redis.call('GET', mark)
    if held == 'done' then verdicts[i] = 'd'
    elseif held == 'gone:' .. ticket then verdicts[i] = 'u'
    elseif held == ticket then verdicts[i] = 'g'
    elseif final then verdicts[i] = 'd'
    else verdicts[i] = 'b' end
  end
end
return table.concat(verdicts)
