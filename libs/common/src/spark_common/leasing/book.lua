-- The lease and its line, brought up to now. Every script that changes them begins with this.
-- KEYS lock, fence, line, yields, outbox, notes; ARGV asked, terms (JSON without nulls)
--
-- Tokens come as SHA-256 and are compared as such with ==: how far two hashes of a random secret
-- agree says nothing about the secret, and nobody can steer it.
local OUTBOX, NOTES = KEYS[5], KEYS[6]
local LOCK, FENCE, LINE, YIELDS = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local asked, terms = cjson.decode(ARGV[1]), cjson.decode(ARGV[2])
local now = now_ms()
--@telling
-- Redis is new, lost its disk, or was put back to an older state: somebody has to say below which
-- number no lease may begin.
local counted = tonumber(redis.call('GET', FENCE) or '')
if redis.call('HEXISTS', NOTES, 'numbered') == 0 or not counted or counted < terms.floor then
  return cjson.encode({outcome = 'unnumbered', told = 0})
end

local MOST_WAITING = 100
local SILENT_MS = 6000
local CLASSES = {human = 0, interactive = 1, batch = 2}
local KNOWN = {held = true, granted = true, draining = true}
local NUMBERS = {'fence', 'since_ms', 'expires_ms', 'ttl_ms', 'answers_until_ms', 'ended_ms'}

local lease, line = {}, {}
local line_moved = false

-- What cannot be read stands nowhere: one broken place must not stop the whole line.
local function read_place(text)
  local ok, place = pcall(cjson.decode, text)
  if not (ok and type(place) == 'table' and CLASSES[place.priority]) then return nil end
  for _, name in ipairs({'ticket', 'token_sha256', 'holder'}) do
    if type(place[name]) ~= 'string' then return nil end
  end
  for _, name in ipairs({'n', 'ttl_ms', 'since_ms', 'wait_until_ms', 'seen_until_ms'}) do
    if type(place[name]) ~= 'number' then return nil end
  end
  return place
end

local function read()
  local flat = redis.call('HGETALL', LOCK)
  for at = 1, #flat, 2 do lease[flat[at]] = flat[at + 1] end
  for _, name in ipairs(NUMBERS) do lease[name] = tonumber(lease[name]) end
  if #flat > 0 then lease.ttl_ms = lease.ttl_ms or 0 end
  local rows = redis.call('HGETALL', LINE)
  for at = 1, #rows, 2 do
    local place = read_place(rows[at + 1])
    if place then
      line[#line + 1] = place
    else
      redis.call('HDEL', LINE, rows[at])
    end
  end
end

-- free | held | granted | draining, or damaged: nobody can prove it, nobody may pass, until forced.
local function state()
  if next(lease) == nil then return 'free' end
  local standing = lease.state or 'held'
  local whole = lease.token_sha256 and lease.expires_ms and lease.fence and KNOWN[standing]
  if not whole or (standing == 'granted' and not read_place(lease.place)) then return 'damaged' end
  return standing
end

local function keep(fields)
  lease = fields
  local flat = {}
  for name, value in pairs(fields) do
    flat[#flat + 1] = name
    flat[#flat + 1] = value
  end
  redis.call('DEL', LOCK)
  redis.call('HSET', LOCK, unpack(flat))
end

local function keep_place(place)
  redis.call('HSET', LINE, place.ticket, cjson.encode(place))
end

-- The order of the line: class, lifted by one for every whole ageing time, then arrival.
local function class_of(place)
  local lifted = math.floor(math.max(0, now - place.since_ms) / terms.ageing_ms)
  return math.max(0, CLASSES[place.priority] - lifted)
end

local function order()
  table.sort(line, function(one, other)
    local a, b = class_of(one), class_of(other)
    if a ~= b then return a < b end
    return one.n < other.n
  end)
end

local function place_of(sha256)
  for at, place in ipairs(line) do
    if place.token_sha256 == sha256 then return place, at end
  end
end

local function leave(at)
  local place = table.remove(line, at)
  redis.call('HDEL', LINE, place.ticket)
  line_moved = true
  return place
end

local function drop(at, why)
  local place = leave(at)
  tell('dropped', {fence = lease.fence, holder = place.holder}, {ticket = place.ticket, why = why})
end

local function held_seconds(at)
  return math.max(0, at - (lease.since_ms or at)) / 1000
end

-- The end of a holder's time: what still runs may finish, nobody else may begin.
local function finish(ended, at)
  tell(ended, lease, {held_seconds = held_seconds(at)})
  lease.state, lease.ended, lease.ended_ms = 'draining', ended, at
  lease.answers_until_ms = at + terms.answers_ms
  lease.expires_ms = at + terms.drain_ms
  keep(lease)
  redis.call('DEL', YIELDS)
  line_moved = true
end

local function free(ended, cut)
  local drained = lease.ended_ms and math.max(0, now - lease.ended_ms) / 1000 or 0
  tell('freed', lease, {ended = ended, drain_seconds = drained, cut = cut})
  redis.call('DEL', LOCK, YIELDS)
  lease = {}
  line_moved = true
end

local function grant(place)
  redis.call('HDEL', LINE, place.ticket)
  keep({
    state = 'granted', token_sha256 = place.token_sha256, holder = place.holder,
    reason = place.reason, priority = place.priority, fence = redis.call('INCR', FENCE),
    since_ms = now, expires_ms = now + terms.take_up_ms, ttl_ms = place.ttl_ms,
    ticket = place.ticket, place = cjson.encode(place),
  })
  tell('granted', lease, {ticket = place.ticket, take_up_by_ms = lease.expires_ms})
  line_moved = true
end

local function pass_on(why)
  tell('dropped', lease, {ticket = lease.ticket, why = why})
  free('not_taken_up', false)
end

-- While nobody looked (we were down) nobody could be seen; a clock that was set back gives
-- nobody more time than was left.
local function forgive()
  local alive = tonumber(redis.call('HGET', NOTES, 'alive_ms'))
  local gap = alive and now - alive or 0
  if math.abs(gap) > SILENT_MS then
    local back = gap < 0
    for _, place in ipairs(line) do
      place.seen_until_ms = place.seen_until_ms + gap
      if back then
        place.since_ms, place.wait_until_ms = place.since_ms + gap, place.wait_until_ms + gap
      end
      keep_place(place)
    end
    if next(lease) ~= nil and lease.expires_ms and (back or lease.state == 'granted') then
      lease.expires_ms = lease.expires_ms + gap
      for _, name in ipairs({'since_ms', 'ended_ms', 'answers_until_ms'}) do
        if back and lease[name] then lease[name] = lease[name] + gap end
      end
      keep(lease)
    end
  end
  if not alive or math.abs(gap) > (asked.looks and 2000 or SILENT_MS) then
    redis.call('HSET', NOTES, 'alive_ms', now)
  end
end

-- Another number than the counter's means that one of them lost something: both only grow.
local function renumber()
  if not lease.fence then return end
  local latest = tonumber(redis.call('GET', FENCE))
  if latest < lease.fence then
    redis.call('SET', FENCE, string.format('%.0f', lease.fence))
  elseif latest > lease.fence and (state() == 'held' or state() == 'granted') then
    lease.fence = redis.call('INCR', FENCE)
    keep(lease)
  end
end

-- Everything that time alone decides, one step after the other until nothing is due.
local function move()
  while true do
    local standing = state()
    local over = lease.expires_ms and now >= lease.expires_ms
    if standing == 'held' and over then
      finish('expired', lease.expires_ms)
    elseif standing == 'granted' and over then
      pass_on('not_taken_up')
    elseif standing == 'draining' and over then
      free(lease.ended, true)
    elseif standing == 'free' and #line > 0 then
      order()
      grant(table.remove(line, 1))
    else
      order()
      return
    end
  end
end

local function settle()
  read()
  forgive()
  renumber()
  order()
  local at = 1
  while line[at] do
    if now >= line[at].seen_until_ms then
      drop(at, 'disappeared')
    elseif now >= line[at].wait_until_ms then
      drop(at, 'waited_out')
    else
      at = at + 1
    end
  end
  move()
end

-- When a place is served at the latest: what is left of the lease, and the whole time of everybody
-- before it.
local function waiters()
  local left, rows = 0, {}
  local standing = state()
  if standing == 'held' then left = lease.expires_ms - now end
  if standing == 'granted' then left = lease.expires_ms - now + lease.ttl_ms end
  if standing == 'draining' then left = math.max(0, (lease.answers_until_ms or now) - now) end
  if standing == 'damaged' then left = nil end
  for at, place in ipairs(line) do
    rows[at] = {
      ticket = place.ticket, holder = place.holder, reason = place.reason,
      priority = place.priority, position = at, eta_ms = left, ttl_ms = place.ttl_ms,
      since_ms = place.since_ms, wait_until_ms = place.wait_until_ms,
    }
    left = left and left + place.ttl_ms
  end
  return rows
end

local function tell_line()
  local tickets = {}
  for at, place in ipairs(line) do tickets[at] = place.ticket end
  local standing = table.concat(tickets, ' ')
  local before = redis.call('HGET', NOTES, 'order') or ''
  if standing ~= before then redis.call('HSET', NOTES, 'order', standing) end
  if standing ~= before or (line_moved and #line > 0) then
    -- A picture that nobody was told yet is out of date now: while the bus is away they would fill
    -- Redis.
    for back = -1, -4, -1 do
      local row = redis.call('LINDEX', OUTBOX, back)
      if row and string.find(row, '"word":"queue"', 1, true) then
        redis.call('LREM', OUTBOX, -1, row)
        break
      end
    end
    local latest = tonumber(redis.call('GET', FENCE))
    tell('queue', {fence = latest}, {queue = waiters()})
  end
end

local function answer(outcome, more)
  tell_line()
  local standing = state()
  local left = lease.expires_ms and math.max(0, lease.expires_ms - now)
  if standing == 'draining' then left = math.max(0, (lease.answers_until_ms or now) - now) end
  local found = more or {}
  found.outcome, found.told, found.state, found.line = outcome, told, standing, waiters()
  found.epoch = tonumber(redis.call('GET', FENCE))
  if standing ~= 'free' then
    found.lease = {
      holder = lease.holder, reason = lease.reason, priority = lease.priority,
      since_ms = lease.since_ms, left_ms = left, fence = lease.fence, ticket = lease.ticket,
    }
    found.yields = redis.call('LRANGE', YIELDS, 0, -1)
  end
  return cjson.encode(found)
end
