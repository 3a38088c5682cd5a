-- What became of the job that has the claim to a delivery.
-- KEYS  mark, hand of the worker that took that job, parked
-- ARGV  the ticket that the mark was seen to hold
-- Gives d if its delivery has happened, b if it is busy, or if the mark has changed since.
local held = redis.call('GET', KEYS[1])
local busy = held ~= ARGV[1] or redis.call('HEXISTS', KEYS[2], held) == 1 or redis.call('HEXISTS', KEYS[3], held) == 1
return (busy and held ~= 'done') and 'b' or 'd'
