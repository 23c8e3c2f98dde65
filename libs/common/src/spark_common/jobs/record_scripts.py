"""The Lua that makes check and write of a record one step; kinds of jobs add what they keep beside.

Every script may be repeated harmlessly.
"""

_KNOWN = """
-- KEYS record, live, index, ...; ARGV id, record, body_sha256, score, ttl_ms, kept, ...
local known = redis.call('HMGET', KEYS[1], 'body_sha256', 'record')
if known[2] then
  if known[1] ~= ARGV[3] then return {'conflicting', ''} end
  return {'known', known[2]}
end
"""

_ACCEPTED = """
redis.call('HSET', KEYS[1], 'record', ARGV[2], 'revision', 1, 'writer', 0, 'over', 0,
  'body_sha256', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
redis.call('ZADD', KEYS[2], ARGV[4], ARGV[1])
redis.call('ZADD', KEYS[3], ARGV[4], ARGV[1])
redis.call('ZREMRANGEBYRANK', KEYS[3], 0, -1 - tonumber(ARGV[6]))
"""

_MAY_WRITE = """
-- KEYS record, live, index, ...
-- ARGV record, expected, writer, revision, body_sha256, ttl_ms, id, score, ...
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
# The owner of a record writes late when Redis was away, so its own earlier revisions may be
# missing: it only has to move forward; everybody else has to know the record exactly.

_WRITTEN = """
redis.call('HSET', KEYS[1], 'record', ARGV[1], 'revision', ARGV[4], 'writer', ARGV[3],
  'over', %d, 'body_sha256', ARGV[5])
redis.call('PEXPIRE', KEYS[1], ARGV[6])
redis.call('ZADD', KEYS[3], ARGV[8], ARGV[7])
"""

REQUEST_CANCEL = """
-- KEYS record; ARGV by
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
return redis.call('HSETNX', KEYS[1], 'cancelled_by', ARGV[1])
"""


def accepting(refusal: str, also: str = "") -> str:
    """Return a script that answers {known | conflicting | busy | accepted, a word}.

    ``refusal`` may return {'busy', id}; ``also`` is done with what is accepted and may return
    {'accepted', word}.
    """
    return f"{_KNOWN}{refusal}{_ACCEPTED}{also}\nreturn {{'accepted', ''}}"


def saving(also: str = "") -> str:
    """Return a script that writes a change; its answer is 'written' or 'stale'."""
    living = "redis.call('ZADD', KEYS[2], ARGV[8], ARGV[7])"
    return f"{_MAY_WRITE}{_WRITTEN % 0}{living}{also}\nreturn 'written'"


def finishing(also: str = "") -> str:
    """Return a script that writes the end; its answer is 'written' or 'stale'."""
    over = "redis.call('ZREM', KEYS[2], ARGV[7])"
    return f"{_MAY_WRITE}{_WRITTEN % 1}{over}{also}\nreturn 'written'"
