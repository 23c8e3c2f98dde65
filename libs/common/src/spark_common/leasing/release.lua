-- asked: token_sha256?, force, requested_by
-- outcome: lease, place, nothing, refused
settle()
local standing = state()
local own = asked.token_sha256
local mine = own and lease.token_sha256 == own

if asked.force then
  if standing == 'free' then return answer('nothing') end
  local gone = {holder = lease.holder, epoch_was = lease.fence}
  if standing == 'draining' then
    free(lease.ended, true)
  else
    local held = standing == 'granted' and 0 or held_seconds(now)
    tell('forced', lease, {
      action = 'release', requested_by = asked.requested_by, held_seconds = held,
    })
    if standing == 'granted' then
      tell('dropped', lease, {ticket = lease.ticket, why = 'not_taken_up'})
    end
    free('forced', false)
  end
  move()
  return answer('lease', gone)
end

if mine and standing == 'granted' then
  local gone = {holder = lease.holder, epoch_was = lease.fence}
  pass_on('left')
  move()
  return answer('place', gone)
end
if mine and (standing == 'held' or standing == 'draining') then
  if standing == 'held' then finish('released', now) end
  return answer('lease', {holder = lease.holder, epoch_was = lease.fence})
end
local place, at = place_of(own)
if place then
  drop(at, 'left')
  return answer('place', {holder = place.holder})
end
if standing == 'free' or standing == 'draining' then return answer('nothing') end
return answer('refused')
