-- asked: request, requested_by, by?, note
-- outcome: asked, or nobody
local MOST_KEPT = 10
settle()
local standing = state()
if standing ~= 'held' and standing ~= 'granted' then return answer('nobody') end
for _, row in ipairs(redis.call('LRANGE', YIELDS, 0, -1)) do
  local earlier = cjson.decode(row)
  if earlier.request == asked.request then return answer('asked') end
  if earlier.requested_by == asked.requested_by then redis.call('LREM', YIELDS, 0, row) end
end
asked.at_ms = now
redis.call('RPUSH', YIELDS, cjson.encode(asked))
redis.call('LTRIM', YIELDS, -MOST_KEPT, -1)
tell('yield_requested', lease, {
  requested_by = asked.requested_by, by = asked.by, note = asked.note,
})
return answer('asked')
