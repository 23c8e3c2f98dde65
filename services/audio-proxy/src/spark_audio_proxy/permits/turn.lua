-- KEYS: permits (sorted set, member "kind:id", score: end in ms), heads (hash by replica and kind).
-- ARGV: one JSON object, see redis_gate.py. Returns {granted, permits in use, others waiting}.
-- The one clock is that of Redis, so replicas need not agree about the time.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local asked = cjson.decode(ARGV[1])
local permits, heads = KEYS[1], KEYS[2]

redis.call('ZREMRANGEBYSCORE', permits, '-inf', now)
for _, member in ipairs(asked.freed) do redis.call('ZREM', permits, member) end
-- Also what was granted while Redis was away, or what a restarted Redis forgot.
for _, one in ipairs(asked.held) do redis.call('ZADD', permits, now + one.ms, one.member) end

local total, of_kind = 0, {hearing = 0, speaking = 0}
for _, member in ipairs(redis.call('ZRANGE', permits, 0, -1)) do
  local kind = string.match(member, '^(%a+):')
  total = total + 1
  of_kind[kind] = (of_kind[kind] or 0) + 1
end

local function has_room(kind)
  return total < asked.ceiling and of_kind[kind] < asked.limits[kind]
end

local want, waiting_elsewhere = asked.want, 0
-- Room is first that of the heads that come before; what they leave is left for this one.
local before, before_of = 0, {hearing = 0, speaking = 0}
local since = want and now - want.waited_ms
local all = redis.call('HGETALL', heads)
for n = 1, #all, 2 do
  if all[n] ~= asked.head then
    local head = cjson.decode(all[n + 1])
    if now - head.seen > asked.stale_ms then
      redis.call('HDEL', heads, all[n])
    else
      if head.replica ~= asked.replica then waiting_elsewhere = waiting_elsewhere + head.waiting end
      if want and has_room(head.kind)
          and (head.rank < want.rank or (head.rank == want.rank and head.since < since)) then
        before = before + 1
        before_of[head.kind] = before_of[head.kind] + 1
      end
    end
  end
end

local granted = 0
if want and total + before < asked.ceiling
    and of_kind[want.kind] + before_of[want.kind] < asked.limits[want.kind] then
  granted = 1
  total = total + 1
  redis.call('ZADD', permits, now + want.ms, want.member)
end
local waiting = asked.waiting - granted
if want and waiting > 0 and granted == 0 then
  redis.call('HSET', heads, asked.head, cjson.encode({replica = asked.replica,
    kind = want.kind, rank = want.rank, since = since, seen = now, waiting = waiting}))
elseif asked.head then
  redis.call('HDEL', heads, asked.head)
end
redis.call('PEXPIRE', permits, asked.keep_ms)
redis.call('PEXPIRE', heads, asked.keep_ms)
return {granted, total, waiting_elsewhere}
