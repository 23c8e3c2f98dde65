"""The scripts of the API keys: each is one change together with its number, or one whole look."""

READ = """
-- KEYS version, keys, session; ARGV known version or '', fresh secret
-- -> {version} | {version, secret, {id, record ...}}
local version = redis.call('GET', KEYS[1]) or '0'
if version == ARGV[1] then return {version} end
redis.call('SETNX', KEYS[3], ARGV[2])
return {version, redis.call('GET', KEYS[3]), redis.call('HGETALL', KEYS[2])}
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
