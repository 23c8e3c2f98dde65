"""The budgets, in Redis: they hold with two processes of health and survive both."""

_CLOCK = """
local function now_ms()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end
"""

CLAIM = (
    _CLOCK
    + """
-- KEYS claims, owner, circuit, outbox, tries of the container, tries of each service ...
-- ARGV container, mine, claim (JSON), id, window_ms, most, rest_ms, owner_ms, only look,
--   circuit (JSON), event of an open circuit (JSON)
-- -> word, ms to wait, restarts within the window
-- Words: claimed (by whomever), open, opened, rest, free (only looked), yours.
local now = now_ms()
local window, most, rest = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local count, last = 0, nil
for n = 5, #KEYS do
  redis.call('ZREMRANGEBYSCORE', KEYS[n], '-inf', now - window)
  -- Redis' clock was set back: nothing may stay in the future for ever.
  redis.call('ZREMRANGEBYSCORE', KEYS[n], now + window, '+inf')
  count = math.max(count, redis.call('ZCARD', KEYS[n]))
  local newest = redis.call('ZREVRANGE', KEYS[n], 0, 0, 'WITHSCORES')
  if newest[2] then last = math.max(last or 0, tonumber(newest[2])) end
end
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then return {'claimed', 0, count} end
if redis.call('EXISTS', KEYS[3]) == 1 then return {'open', 0, count} end
if count >= most then
  if ARGV[9] == '1' then return {'open', 0, count} end
  redis.call('SET', KEYS[3], ARGV[10])
  redis.call('RPUSH', KEYS[4], ARGV[11])
  return {'opened', 0, count}
end
if last and now - last < rest then return {'rest', rest - (now - last), count} end
if ARGV[9] == '1' then return {'free', 0, count} end
for n = 5, #KEYS do
  redis.call('ZADD', KEYS[n], now, ARGV[4])
  redis.call('PEXPIRE', KEYS[n], 2 * window)
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[8])
return {'yours', 0, count + 1}
"""
)

FINISH = (
    _CLOCK
    + """
-- KEYS claims, owner, outbox, last, tries ...; ARGV container, id, event (JSON) or '', refund
-- -> 1, 0 when that restart is over already
local claim = redis.call('HGET', KEYS[1], ARGV[1])
if not claim or cjson.decode(claim).id ~= ARGV[2] then return 0 end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('DEL', KEYS[2])
if ARGV[3] ~= '' then redis.call('RPUSH', KEYS[3], ARGV[3]) end
if ARGV[4] == '1' then
  for n = 5, #KEYS do redis.call('ZREM', KEYS[n], ARGV[2]) end
else
  redis.call('SET', KEYS[4], string.format('%.0f', now_ms()), 'EX', 1800)
end
return 1
"""
)

SUGGEST = """
-- KEYS suggested, outbox; ARGV now, event (JSON) -> 1, 0 when it was suggested already
if redis.call('SETNX', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('EXPIRE', KEYS[1], 7 * 86400)
redis.call('RPUSH', KEYS[2], ARGV[2])
return 1
"""

KEEP = """
-- KEYS owner; ARGV mine, owner_ms
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0
"""

LET_GO = """
-- KEYS owner; ARGV mine
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""
