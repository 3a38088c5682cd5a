-- Tell when the oldest entry of `resque:failed` was written.
-- KEYS  resque:failed
-- Reply its `failed_at`, or an empty text
local head = redis.call('LINDEX', KEYS[1], 0) or ''
return string.match(head, '"failed_at":%s*"([^"]*)"') or ''
