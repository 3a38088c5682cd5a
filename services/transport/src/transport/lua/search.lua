-- Read the jobs behind a place in the queue. That place is behind `last`, if that job is still in the queue.
-- KEYS  queue
-- ARGV  position, last (empty: the position is right), number of jobs, bytes above which a job is left out
-- Reply {the position of the first job, 1 if the last one is the end of the queue, {raw, or empty if left out ...}}
local queue, position, last, number, large = KEYS[1], tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
if last ~= '' and redis.call('LINDEX', queue, position - 1) ~= last then
  position = (redis.call('LPOS', queue, last, 'RANK', -1) or -1) + 1
end
local found, bytes = {}, 0
while #found < number and bytes < 1048576 do  -- one, then twice as many, so that it reads little more than fits
  local first = position + #found
  local some = redis.call('LRANGE', queue, first, first + math.min(number - #found, #found + 1) - 1)
  if #some == 0 then break end
  for _, raw in ipairs(some) do
    found[#found + 1] = #raw <= large and raw or ''
    bytes = bytes + #raw
  end
end
return {position, position + #found >= redis.call('LLEN', queue) and 1 or 0, found}
