"""The scripts of the webhooks: each is one change, and doing it twice is doing it once.

Beside KEYS they reach rows and events whose names they find in Redis; all begin alike.
"""

from spark_coordinator.webhooks import keys

_PRELUDE = f"""
local P = '{keys.PREFIX}'
local function row(id) return P .. 'delivery:' .. id end
local function places(target)
  return P .. 'pending:' .. target, P .. 'delivered:' .. target, P .. 'dead:' .. target
end
local function needs_no_more(event_id, id)
  local key = P .. 'event:' .. event_id
  redis.call('HDEL', key, id)
  if redis.call('HLEN', key) <= 1 then
    redis.call('DEL', key)
    redis.call('ZREM', P .. 'events', event_id)
  end
end
local function forget(target, id)
  local facts = redis.call('HMGET', row(id), 'event_id', 'state')
  local pending, delivered, dead = places(target)
  redis.call('LREM', P .. 'line:' .. target, 0, id)
  redis.call('ZREM', pending, id)
  redis.call('ZREM', delivered, id)
  redis.call('ZREM', dead, id)
  redis.call('DEL', row(id))
  if facts[1] then needs_no_more(facts[1], id) end
  if facts[2] == 'pending' then redis.call('HINCRBY', P .. 'state:' .. target, 'dropped', 1) end
end
local function forget_event(event_id)
  local needing = redis.call('HGETALL', P .. 'event:' .. event_id)
  for i = 1, #needing, 2 do
    if needing[i] ~= 'body' then forget(needing[i + 1], needing[i]) end
  end
  redis.call('DEL', P .. 'event:' .. event_id)
  redis.call('ZREM', P .. 'events', event_id)
end
local function trim(target, most)
  local pending, delivered, dead = places(target)
  while redis.call('ZCARD', pending) + redis.call('ZCARD', delivered)
      + redis.call('ZCARD', dead) > most do
    local oldest = redis.call('ZRANGE', delivered, 0, 0)[1] or redis.call('ZRANGE', dead, 0, 0)[1]
      or redis.call('LINDEX', P .. 'line:' .. target, 0)
    if not oldest then return end
    forget(target, oldest)
  end
end
local function stale(key, fence)
  return tonumber(redis.call('GET', key) or '0') > tonumber(fence)
end
"""


def _script(text: str) -> str:
    return _PRELUDE + text


TAKE = _script(
    """
-- KEYS fence, targets, marks, events, latest; ARGV fence, target, topic, epoch, seq, id,
-- event_id, type, body, now, give_up_at, most_rows, most_events
-- -> 1 owed now | 0 nothing to do | -1 leads no more
if stale(KEYS[1], ARGV[1]) then return -1 end
local target, id, event_id = ARGV[2], ARGV[6], ARGV[7]
local place = target .. '/' .. ARGV[3]
local mark = redis.call('HGET', KEYS[3], place)
if not mark or redis.call('HEXISTS', KEYS[2], target) == 0 then return 0 end
local epoch, seq = string.match(mark, '^(.*):(%d+)$')
if epoch == ARGV[4] and tonumber(seq) >= tonumber(ARGV[5]) then return 0 end
redis.call('HSET', KEYS[3], place, ARGV[4] .. ':' .. ARGV[5])
if redis.call('EXISTS', row(id)) == 1 then return 0 end
local latest = tonumber(redis.call('GET', KEYS[5]) or '0')
local created = string.format('%.0f', math.max(tonumber(ARGV[10]), latest + 1))
redis.call('SET', KEYS[5], created)
redis.call('HSET', row(id), 'target', target, 'event_id', event_id, 'type', ARGV[8],
  'state', 'pending', 'tries', 0, 'created', created, 'next', ARGV[10], 'give_up', ARGV[11])
redis.call('RPUSH', P .. 'line:' .. target, id)
redis.call('ZADD', P .. 'pending:' .. target, created, id)
redis.call('HSET', P .. 'event:' .. event_id, 'body', ARGV[9], id, target)
redis.call('ZADD', KEYS[4], 'NX', created, event_id)
trim(target, tonumber(ARGV[12]))
while redis.call('ZCARD', KEYS[4]) > tonumber(ARGV[13]) do
  forget_event(redis.call('ZRANGE', KEYS[4], 0, 0)[1])
end
return 1
"""
)

HEADS = _script(
    """
-- ARGV now, horizon, target ... -> the targets whose next delivery is due, or due later than the
-- horizon: no wait is that long, so the clock was set back
local due = {}
for i = 3, #ARGV do
  local id = redis.call('LINDEX', P .. 'line:' .. ARGV[i], 0)
  if id then
    local at = redis.call('HGET', row(id), 'next')
    if not at or tonumber(at) <= tonumber(ARGV[1]) or tonumber(at) > tonumber(ARGV[2]) then
      due[#due + 1] = ARGV[i]
    end
  end
end
return due
"""
)

HEAD = _script(
    """
-- KEYS line; ARGV target -> id, body, row as field and value ... of the next delivery, or nothing
while true do
  local id = redis.call('LINDEX', KEYS[1], 0)
  if not id then return {} end
  local facts = redis.call('HGETALL', row(id))
  local event_id = redis.call('HGET', row(id), 'event_id')
  local body = event_id and redis.call('HGET', P .. 'event:' .. event_id, 'body')
  if body then
    local answer = {id, body}
    for i = 1, #facts do answer[#answer + 1] = facts[i] end
    return answer
  end
  forget(ARGV[1], id)
end
"""
)

SETTLE = _script(
    """
-- KEYS fence, row; ARGV fence, target, id, state, tries, status, latency, error, tried, next,
-- disabled_because -> 1 noted | 0 it is not owed any more | -1 leads no more
if stale(KEYS[1], ARGV[1]) then return -1 end
local target, id, state = ARGV[2], ARGV[3], ARGV[4]
local facts = redis.call('HMGET', KEYS[2], 'state', 'created', 'event_id')
if facts[1] ~= 'pending' then return 0 end
redis.call('HSET', KEYS[2], 'state', state, 'tries', ARGV[5], 'status', ARGV[6],
  'latency', ARGV[7], 'error', ARGV[8], 'tried', ARGV[9], 'next', ARGV[10])
redis.call('HSET', P .. 'state:' .. target, 'last_status', ARGV[6], 'last_error', ARGV[8])
if ARGV[11] ~= '' then
  redis.call('HSET', P .. 'state:' .. target, 'disabled_because', ARGV[11])
end
if state ~= 'pending' then
  redis.call('LREM', P .. 'line:' .. target, 1, id)
  redis.call('ZREM', P .. 'pending:' .. target, id)
  redis.call('ZADD', P .. state .. ':' .. target, facts[2], id)
  if state == 'delivered' then needs_no_more(facts[3], id) end
end
return 1
"""
)

AGAIN = _script(
    """
-- KEYS row; ARGV id, now, give_up_at -> 1 owed again | 0 it is not dead | -1 no such | -2 no body
local facts = redis.call('HMGET', KEYS[1], 'state', 'target', 'created', 'event_id')
if not facts[1] then return -1 end
if facts[1] ~= 'dead' then return 0 end
if redis.call('HEXISTS', P .. 'event:' .. facts[4], 'body') == 0 then return -2 end
redis.call('HSET', KEYS[1], 'state', 'pending', 'next', ARGV[2], 'give_up', ARGV[3])
redis.call('ZREM', P .. 'dead:' .. facts[2], ARGV[1])
redis.call('ZADD', P .. 'pending:' .. facts[2], facts[3], ARGV[1])
redis.call('RPUSH', P .. 'line:' .. facts[2], ARGV[1])
return 1
"""
)

NOTE_TEST = _script(
    """
-- KEYS targets, row, place; ARGV target, id, now, most_rows, field, value ... -> 1 | 0 no target
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return 0 end
for i = 5, #ARGV, 2 do redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end
redis.call('ZADD', KEYS[3], ARGV[3], ARGV[2])
trim(ARGV[1], tonumber(ARGV[4]))
return 1
"""
)

PUT_TARGET = _script(
    """
-- KEYS targets, marks, state, line; ARGV id, what was read, record, most_targets, now, topics
-- told of already and still (joined by ','), then topic, mark of each new one ...
-- -> 1 kept | 0 too many targets | -1 somebody else changed it
local standing = redis.call('HGET', KEYS[1], ARGV[1]) or ''
if standing ~= ARGV[2] then return -1 end
if standing == '' and redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[4]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
redis.call('HDEL', KEYS[3], 'disabled_because')
for _, topic in ipairs({'swap', 'lock', 'schedule', 'health', 'service'}) do
  if not string.find(',' .. ARGV[6] .. ',', ',' .. topic .. ',', 1, true) then
    redis.call('HDEL', KEYS[2], ARGV[1] .. '/' .. topic)
  end
end
for i = 7, #ARGV, 2 do redis.call('HSET', KEYS[2], ARGV[1] .. '/' .. ARGV[i], ARGV[i + 1]) end
local id = redis.call('LINDEX', KEYS[4], 0)
if id then redis.call('HSET', row(id), 'next', ARGV[5]) end
return 1
"""
)

REMOVE_TARGET = _script(
    """
-- KEYS targets, marks, state, line; ARGV id -> 1 removed | 0 no such
local found = redis.call('HDEL', KEYS[1], ARGV[1])
for _, place in ipairs({places(ARGV[1])}) do
  for _, id in ipairs(redis.call('ZRANGE', place, 0, -1)) do forget(ARGV[1], id) end
end
for _, topic in ipairs({'swap', 'lock', 'schedule', 'health', 'service'}) do
  redis.call('HDEL', KEYS[2], ARGV[1] .. '/' .. topic)
end
redis.call('DEL', KEYS[3], KEYS[4])
return found
"""
)

SWEEP = _script(
    """
-- ARGV target, cutoff, most at once -> how many were too old
local found = 0
for _, place in ipairs({places(ARGV[1])}) do
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', place, '-inf', '(' .. ARGV[2],
      'LIMIT', 0, tonumber(ARGV[3]))) do
    forget(ARGV[1], id)
    found = found + 1
  end
end
return found
"""
)
