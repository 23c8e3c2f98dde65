-- KEYS fence; ARGV floor
-- Leases are numbered above the floor from now on; the counter is never lowered.
local latest = redis.call('GET', KEYS[1])
if not latest or tonumber(latest) < tonumber(ARGV[1]) then
  redis.call('SET', KEYS[1], ARGV[1])
end
return redis.call('GET', KEYS[1])
