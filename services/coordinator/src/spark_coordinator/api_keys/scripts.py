"""The scripts of the API keys: each is one change together with its number, or one whole look."""

READ = """
-- KEYS version, keys, session, ended; ARGV known version or '', fresh secret
-- -> {version} | {version, secret, {id, record ...}, {session ...}}
local version = redis.call('GET', KEYS[1]) or '0'
if version == ARGV[1] then return {version} end
redis.call('SETNX', KEYS[3], ARGV[2])
return {version, redis.call('GET', KEYS[3]), redis.call('HGETALL', KEYS[2]),
  redis.call('ZRANGE', KEYS[4], 0, -1)}
"""

END_SESSION = """
-- KEYS version, ended; ARGV session, when it would have ended, now, how many are kept
if redis.call('ZSCORE', KEYS[2], ARGV[1]) then return 0 end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[3])
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])
redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -1 - ARGV[4])
return redis.call('INCR', KEYS[1])
"""

CHANGE = """
-- KEYS version, keys, used; ARGV version that was read, then id, record ('' removes) ...
-- -> the new version | 0 somebody else changed them
if (redis.call('GET', KEYS[1]) or '0') ~= ARGV[1] then return 0 end
for i = 2, #ARGV, 2 do
  if ARGV[i + 1] == '' then
    redis.call('HDEL', KEYS[2], ARGV[i])
    redis.call('HDEL', KEYS[3], ARGV[i])
  else
    redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1])
  end
end
return redis.call('INCR', KEYS[1])
"""

NOTE_USE = """
-- KEYS keys, used; ARGV day, id ...
for i = 2, #ARGV do
  local known = redis.call('HGET', KEYS[2], ARGV[i]) or ''
  if known < ARGV[1] and redis.call('HEXISTS', KEYS[1], ARGV[i]) == 1 then
    redis.call('HSET', KEYS[2], ARGV[i], ARGV[1])
  end
end
return 1
"""
