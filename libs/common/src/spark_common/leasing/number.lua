-- KEYS fence, notes; ARGV floor
-- Leases are numbered above the floor from now on; the counter is never lowered. The note and not
-- the counter says that this was done: the swapper lifts the counter too, to what the Sparks saw.
local latest = tonumber(redis.call('GET', KEYS[1]) or '')
if not latest or latest < tonumber(ARGV[1]) then
  redis.call('SET', KEYS[1], ARGV[1])
end
redis.call('HSET', KEYS[2], 'numbered', 1)
return redis.call('GET', KEYS[1])
