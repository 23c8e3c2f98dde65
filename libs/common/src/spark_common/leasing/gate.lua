-- KEYS lock, fence, line
-- One read that decides; changes nothing. What is over by Redis' clock is over here, whether or
-- not anybody has told so yet.
-- -> state, token_sha256, holder, reason, fence, left_ms, epoch, waiting
local now = now_ms()
local row = redis.call('HMGET', KEYS[1], 'state', 'token_sha256', 'holder', 'reason', 'fence',
  'expires_ms', 'drain_ms')
local epoch = tonumber(redis.call('GET', KEYS[2]) or '0')
local waiting = redis.call('HLEN', KEYS[3])
local state, fence, expires = row[1] or 'held', tonumber(row[5]), tonumber(row[6])
local known = state == 'held' or state == 'granted' or state == 'draining'
if redis.call('EXISTS', KEYS[1]) == 0 then
  state = 'free'
elseif not (row[2] and expires and fence and known) then
  state, expires = 'damaged', nil
else
  if state == 'held' and now >= expires then
    state, expires = 'draining', expires + (tonumber(row[7]) or 0)
  end
  if now >= expires then state = state == 'granted' and 'promised' or 'free' end
end
if not epoch then state, epoch = 'damaged', 0 end
-- Over, and somebody waits or waited for it: whose it is now is for the coordinator to say.
if state == 'free' and waiting > 0 then state = 'promised' end
local left = expires and expires > now and expires - now or -1
return {state, row[2] or '', row[3] or '', row[4] or '', string.format('%.0f', fence or 0),
  string.format('%.0f', left), string.format('%.0f', epoch), waiting}
