-- Take finished jobs out of a worker's hand; what another has recovered in the meantime is not counted twice.
-- KEYS  hand tries counts mark... (one for each job, or none)
-- ARGV  counter, ms to keep marks as `done`, or 0 to release them, one ticket for each job
-- Gives how many were still in hand.
local hand, tries, counts = unpack(KEYS, 1, 3)
local tried, keep, settled = redis.call('EXISTS', tries) == 1, ARGV[2], 0
if #KEYS == 3 then
  settled = redis.call('HDEL', hand, unpack(ARGV, 3))
else
  for i = 3, #ARGV do
    local mark, mine = KEYS[i + 1], redis.call('HDEL', hand, ARGV[i])
    settled = settled + mine
    if keep ~= '0' then
      redis.call('SET', mark, 'done', 'PX', keep)
    elseif mine == 1 then
      local held = redis.call('GET', mark)
      if held == ARGV[i] or held == 'gone:' .. ARGV[i] then redis.call('DEL', mark) end
    end
  end
end
for i = 3, tried and #ARGV or 0 do redis.call('HDEL', tries, 'f:' .. ARGV[i], 'c:' .. ARGV[i]) end
if settled > 0 then redis.call('HINCRBY', counts, ARGV[1], settled) end
return settled
