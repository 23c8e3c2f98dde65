"""The Lua scripts that change what the owner set: all of a change, or nothing.

Both may be run again: what is there already is no change and no new version.
"""

CHANGE = """
-- KEYS version, values, secrets; ARGV expected version, change
-- change: [[2 or 3 (which key), name, text or nothing], ...]
-- -> {1, version, names...} | {0, version}
local version = redis.call('GET', KEYS[1]) or '0'
if version ~= ARGV[1] then return {0, version} end
local names = {}
for _, one in ipairs(cjson.decode(ARGV[2])) do
  local key, name, text = KEYS[one[1]], one[2], one[3]
  local before = redis.call('HGET', key, name)
  if text and before ~= text then
    redis.call('HSET', key, name, text)
    table.insert(names, name)
  elseif not text and before then
    redis.call('HDEL', key, name)
    table.insert(names, name)
  end
end
if #names > 0 then version = tostring(redis.call('INCR', KEYS[1])) end
return {1, version, unpack(names)}
"""

MIGRATE = """
-- KEYS version, values, secrets, migrated; ARGV change as above, note -> number of values | -1
if redis.call('EXISTS', KEYS[4]) == 1 then return -1 end
local taken = 0
for _, one in ipairs(cjson.decode(ARGV[1])) do
  taken = taken + redis.call('HSETNX', KEYS[one[1]], one[2], one[3])
end
if taken > 0 then redis.call('INCR', KEYS[1]) end
redis.call('SET', KEYS[4], ARGV[2])
return taken
"""
