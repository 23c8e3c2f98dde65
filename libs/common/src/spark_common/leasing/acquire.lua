-- asked: fresh_sha256 (of the token a newcomer gets), token_sha256?, request, ticket, holder,
-- reason, ttl_ms, wait, priority, max_wait_ms, force, requested_by, schedule_id?
-- outcome: acquired, extended, taken_up, waiting, refused, full
-- by: whether the caller's own token or the fresh one is good now
settle()
local own, fresh = asked.token_sha256, asked.fresh_sha256

local function reply(outcome, sha256, more)
  local found = more or {}
  found.by = own and sha256 == own and 'own' or 'fresh'
  return answer(outcome, found)
end

local function hold(sha256, did, place)
  local fence = place and lease.fence or redis.call('INCR', FENCE)
  local from = place or asked
  local reason = asked.reason ~= '' and asked.reason or from.reason
  keep({
    state = 'held', token_sha256 = sha256, holder = from.holder, reason = reason,
    priority = from.priority, fence = fence, since_ms = now, expires_ms = now + asked.ttl_ms,
    ttl_ms = asked.ttl_ms, drain_ms = terms.drain_ms,
    request = asked.request, did = did, ticket = place and place.ticket,
  })
  tell('acquired', lease, {
    reason = reason, priority = from.priority, ttl_seconds = asked.ttl_ms / 1000,
    expires_ms = lease.expires_ms, ticket = place and place.ticket,
    waited_seconds = place and math.max(0, now - place.since_ms) / 1000 or 0,
    schedule_id = asked.schedule_id or from.schedule_id,
  })
  line_moved = true
  return reply(did, sha256)
end

local function extend()
  if lease.request == asked.request then return reply(lease.did, lease.token_sha256) end
  lease.expires_ms, lease.ttl_ms = now + asked.ttl_ms, asked.ttl_ms
  lease.drain_ms = terms.drain_ms
  lease.request, lease.did, lease.told_expiring = asked.request, 'extended', nil
  if asked.reason ~= '' then lease.reason = asked.reason end
  keep(lease)
  tell('extended', lease, {ttl_seconds = asked.ttl_ms / 1000, expires_ms = lease.expires_ms})
  line_moved = true
  return reply('extended', lease.token_sha256)
end

-- A person takes it from whoever has it; a grant goes back to where it stood in line.
local function clear_the_way(own)
  if own then leave(own) end
  local standing = state()
  if standing == 'draining' then return free(lease.ended, true) end
  if standing == 'free' then return end
  local held = standing == 'granted' and 0 or held_seconds(now)
  tell('forced', lease, {action = 'take', requested_by = asked.requested_by, held_seconds = held})
  if standing == 'granted' then
    local place = cjson.decode(lease.place)
    place.seen_until_ms = now + terms.seen_ms
    keep_place(place)
    line[#line + 1] = place
    order()
  end
  free('forced', false)
end

local function join()
  if #line >= MOST_WAITING then return answer('full') end
  local place = {
    ticket = asked.ticket, token_sha256 = asked.fresh_sha256, holder = asked.holder,
    reason = asked.reason, priority = asked.priority, ttl_ms = asked.ttl_ms,
    since_ms = now, wait_until_ms = now + asked.max_wait_ms,
    seen_until_ms = now + terms.seen_ms, n = redis.call('HINCRBY', NOTES, 'arrivals', 1),
    schedule_id = asked.schedule_id,
  }
  keep_place(place)
  line[#line + 1] = place
  order()
  local row
  for at, waiter in ipairs(waiters()) do
    if line[at].ticket == place.ticket then row = waiter end
  end
  tell('queued', {fence = lease.fence, holder = place.holder}, {
    ticket = place.ticket, priority = place.priority, position = row.position,
    eta_ms = row.eta_ms,
  })
  return reply('waiting', place.token_sha256, {ticket = place.ticket})
end

local standing = state()
local mine = (own and lease.token_sha256 == own) or lease.token_sha256 == fresh
if standing == 'held' and mine then return extend() end
if standing == 'granted' and mine then
  return hold(lease.token_sha256, 'taken_up', cjson.decode(lease.place))
end

local place, at = place_of(own or fresh)
if not place then place, at = place_of(fresh) end
if asked.force then
  clear_the_way(at)
  return hold(fresh, 'acquired')
end
if place then
  place.seen_until_ms = now + terms.seen_ms
  keep_place(place)
  return reply('waiting', place.token_sha256, {ticket = place.ticket})
end
if standing == 'free' then return hold(fresh, 'acquired') end
if asked.wait then return join() end
return answer('refused')
