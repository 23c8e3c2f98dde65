"""The Lua that makes check and write one step. Every script may be repeated harmlessly."""

CREATE = """
-- KEYS job, live, index, busy; ARGV id, record, body_sha256, score, ttl_ms, kept, exclusive
local known = redis.call('HMGET', KEYS[1], 'body_sha256', 'record')
if known[2] then
  if known[1] ~= ARGV[3] then return {'conflicting'} end
  return {'known', known[2]}
end
local holder = redis.call('HGET', KEYS[4], ARGV[7])
if holder then return {'busy', holder} end
redis.call('HSET', KEYS[1], 'record', ARGV[2], 'revision', 1, 'writer', 0, 'over', 0,
  'body_sha256', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
redis.call('HSET', KEYS[4], ARGV[7], ARGV[1])
redis.call('ZADD', KEYS[2], ARGV[4], ARGV[1])
redis.call('ZADD', KEYS[3], ARGV[4], ARGV[1])
redis.call('ZREMRANGEBYRANK', KEYS[3], 0, -1 - tonumber(ARGV[6]))
return {'created'}
"""

_MAY_WRITE = """
-- KEYS job, live, index, busy, writer
-- ARGV record, expected, writer, revision, body, ttl_ms, id, score, exclusive
local at = redis.call('HMGET', KEYS[1], 'revision', 'writer', 'over')
if at[1] then
  local stored, owner = tonumber(at[1]), tonumber(at[2] or '0')
  local expected, writer, new = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
  if owner > writer then return 'stale' end
  local mine = owner == writer and writer > 0
  if mine and stored > new then return 'stale' end
  if not mine and stored ~= expected then return 'stale' end
  if at[3] == '1' then
    if mine and stored == new then return 'written' end
    return 'stale'
  end
end
"""
# The owner of a record writes late when Redis was away, so it only has to move forward;
# everybody else has to know the record exactly.

_LIFT_WRITERS = """
if tonumber(ARGV[3]) > tonumber(redis.call('GET', KEYS[5]) or '0') then
  redis.call('SET', KEYS[5], ARGV[3])
end
"""
# After Redis lost its data the counter begins anew, below the owners of records that are written
# again: no later process could take those over.

SAVE = (
    _MAY_WRITE
    + _LIFT_WRITERS
    + """
redis.call('HSET', KEYS[1], 'record', ARGV[1], 'revision', ARGV[4], 'writer', ARGV[3], 'over', 0,
  'body_sha256', ARGV[5])
redis.call('PEXPIRE', KEYS[1], ARGV[6])
redis.call('HSETNX', KEYS[4], ARGV[9], ARGV[7])
redis.call('ZADD', KEYS[2], ARGV[8], ARGV[7])
redis.call('ZADD', KEYS[3], ARGV[8], ARGV[7])
return 'written'
"""
)

FINISH = (
    _MAY_WRITE
    + _LIFT_WRITERS
    + """
redis.call('HSET', KEYS[1], 'record', ARGV[1], 'revision', ARGV[4], 'writer', ARGV[3], 'over', 1,
  'body_sha256', ARGV[5])
redis.call('PEXPIRE', KEYS[1], ARGV[6])
redis.call('ZREM', KEYS[2], ARGV[7])
redis.call('ZADD', KEYS[3], ARGV[8], ARGV[7])
if redis.call('HGET', KEYS[4], ARGV[9]) == ARGV[7] then redis.call('HDEL', KEYS[4], ARGV[9]) end
return 'written'
"""
)

REQUEST_CANCEL = """
-- KEYS job; ARGV by
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
return redis.call('HSETNX', KEYS[1], 'cancelled_by', ARGV[1])
"""
