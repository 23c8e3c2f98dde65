-- asked: token_sha256?
-- Whoever asks with the token of a place is seen by it.
settle()
local own, standing = asked.token_sha256, state()
if own and (standing == 'held' or standing == 'granted') and lease.token_sha256 == own then
  return answer('seen', {yours = 'lease', ticket = lease.ticket})
end
local place = own and place_of(own)
if place then
  place.seen_until_ms = now + terms.seen_ms
  keep_place(place)
  return answer('seen', {yours = 'place', ticket = place.ticket})
end
return answer('seen')
