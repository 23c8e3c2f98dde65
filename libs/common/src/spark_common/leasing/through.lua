-- KEYS lock, outbox, notes; ARGV swap_id, requested_by
-- A person swaps through the lease of whoever has it: told once for each swap and lease.
local OUTBOX, NOTES = KEYS[2], KEYS[3]
local now = now_ms()
--@telling
local row = redis.call('HMGET', KEYS[1], 'state', 'holder', 'fence', 'since_ms', 'expires_ms')
local state, expires = row[1] or 'held', tonumber(row[5])
if redis.call('EXISTS', KEYS[1]) == 0 or state == 'draining' then return 0 end
if expires and now >= expires then return 0 end
if redis.call('HSETNX', KEYS[1], 'through:' .. ARGV[1], now) == 0 then return 0 end
tell('forced', {fence = tonumber(row[3]), holder = row[2] or nil}, {
  action = 'swap', requested_by = ARGV[2],
  held_seconds = math.max(0, now - (tonumber(row[4]) or now)) / 1000,
})
return 1
