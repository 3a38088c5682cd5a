-- Take finished jobs out of a worker's hand; what another has recovered in the meantime is not counted twice.
-- KEYS  hand tries counts mark... (one for each job, or none)
-- ARGV  counter, what becomes of marks (`done`, `release` or `keep`), ms to keep a mark, one ticket for each job
-- Gives how many were still in hand.
local hand, tries, counts = unpack(KEYS, 1, 3)
for i = 4, #KEYS do
  if ARGV[2] == 'done' then
    redis.call('SET', KEYS[i], 'done', 'PX', ARGV[3])
  elseif ARGV[2] == 'release' then
    local held = redis.call('GET', KEYS[i])
    if held == ARGV[i] or held == 'gone:' .. ARGV[i] then redis.call('DEL', KEYS[i]) end
  end
end
local settled = redis.call('HDEL', hand, unpack(ARGV, 4))
if settled > 0 then redis.call('HINCRBY', counts, ARGV[1], settled) end
if redis.call('EXISTS', tries) == 1 then
  for i = 4, #ARGV do redis.call('HDEL', tries, 'f:' .. ARGV[i], 'c:' .. ARGV[i]) end
end
return settled
