-- What happened is written beside the change it tells of; the coordinator tells it.
-- Needs: now, OUTBOX, NOTES.
local told = 0

local function tell(word, lease, facts)
  facts.word = word
  facts.epoch = lease.fence or 0
  facts.holder = lease.holder or 'unknown'
  facts.at_ms = now
  -- The time keeps ids apart after Redis lost its disk, and with it the count.
  local number = redis.call('HINCRBY', NOTES, 'told', 1)
  facts.id = string.format('lock-%.0f-%.0f', now, number)
  redis.call('RPUSH', OUTBOX, cjson.encode(facts))
  told = told + 1
end
