"""The Lua that makes check and write one step. Every script may be repeated harmlessly."""

ADMIT = """
-- KEYS swap, live, index; ARGV id, record, body_sha256, score, reject_when_busy, ttl_ms, kept
local known = redis.call('HMGET', KEYS[1], 'body_sha256', 'record')
if known[2] then
  if known[1] ~= ARGV[3] then return {'conflicting'} end
  return {'known', known[2]}
end
local live = redis.call('ZRANGE', KEYS[2], -1, -1)
if live[1] and ARGV[5] == '1' then
  return {'busy', redis.call('ZRANGE', KEYS[2], 0, 0)[1]}
end
redis.call('HSET', KEYS[1], 'record', ARGV[2], 'revision', 1, 'writer', 0, 'over', 0,
  'body_sha256', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[6])
redis.call('ZADD', KEYS[2], ARGV[4], ARGV[1])
redis.call('ZADD', KEYS[3], ARGV[4], ARGV[1])
redis.call('ZREMRANGEBYRANK', KEYS[3], 0, -1 - tonumber(ARGV[7]))
return {'admitted', live[1] or ''}
"""

_MAY_WRITE = """
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
# A worker writes late when Redis was away, so its own earlier revisions may be missing: the
# owner of a record only has to move forward, everybody else has to know it exactly.

SAVE = (
    """
-- KEYS swap, live, index, current; ARGV record, expected, writer, revision, body, ttl_ms, id, score
"""
    + _MAY_WRITE
    + """
redis.call('HSET', KEYS[1], 'record', ARGV[1], 'revision', ARGV[4], 'writer', ARGV[3], 'over', 0,
  'body_sha256', ARGV[5])
redis.call('PEXPIRE', KEYS[1], ARGV[6])
redis.call('ZADD', KEYS[2], ARGV[8], ARGV[7])
redis.call('ZADD', KEYS[3], ARGV[8], ARGV[7])
redis.call('SET', KEYS[4], ARGV[7])
return 'written'
"""
)

FINISH = (
    """
-- KEYS swap, live, index, current, times, times of the pair
-- ARGV record, expected, writer, revision, body, ttl_ms, id, score, duration or '', kept
"""
    + _MAY_WRITE
    + """
redis.call('HSET', KEYS[1], 'record', ARGV[1], 'revision', ARGV[4], 'writer', ARGV[3], 'over', 1,
  'body_sha256', ARGV[5])
redis.call('PEXPIRE', KEYS[1], ARGV[6])
redis.call('ZREM', KEYS[2], ARGV[7])
redis.call('ZADD', KEYS[3], ARGV[8], ARGV[7])
if redis.call('GET', KEYS[4]) == ARGV[7] then redis.call('DEL', KEYS[4]) end
if ARGV[9] ~= '' then
  for list = 5, 6 do
    redis.call('LPUSH', KEYS[list], ARGV[9])
    redis.call('LTRIM', KEYS[list], 0, tonumber(ARGV[10]) - 1)
  end
end
return 'written'
"""
)

REQUEST_CANCEL = """
-- KEYS swap; ARGV by
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
return redis.call('HSETNX', KEYS[1], 'cancelled_by', ARGV[1])
"""

RAISE_FENCE = """
-- KEYS fence, epoch; ARGV floor, epoch_floor
if tonumber(ARGV[2]) > tonumber(redis.call('GET', KEYS[2]) or '0') then
  redis.call('SET', KEYS[2], ARGV[2])
end
local fence = redis.call('INCR', KEYS[1])
if fence <= tonumber(ARGV[1]) then
  fence = tonumber(ARGV[1]) + 1
  redis.call('SET', KEYS[1], string.format('%.0f', fence))
end
return fence
"""
