-- Count the entries of `resque:failed`. The head is the oldest.
-- KEYS  resque:failed
-- Reply {number, `failed_at` of the head as Resque writes it, or empty}
local head = redis.call('LINDEX', KEYS[1], 0) or ''
return {redis.call('LLEN', KEYS[1]), string.match(head, '"failed_at":%s*"([^"]*)"') or ''}
