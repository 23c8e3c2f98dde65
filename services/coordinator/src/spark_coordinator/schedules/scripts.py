"""What happens to schedules in Redis, each change one script together with its events.

Every script compares first: what somebody else did meanwhile makes it change nothing and say so.
"""

PUT = """
-- KEYS schedule, next, outbox
-- ARGV id, expected revision, body, score, most schedules, event
-- -> new revision, 0 when somebody was faster, -1 when there are too many
local revision = tonumber(redis.call('HGET', KEYS[1], 'revision') or '0')
if revision ~= tonumber(ARGV[2]) then return 0 end
if revision == 0 and redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[5]) then return -1 end
redis.call('HSET', KEYS[1], 'body', ARGV[3], 'revision', revision + 1)
redis.call('ZADD', KEYS[2], ARGV[4], ARGV[1])
redis.call('RPUSH', KEYS[3], ARGV[6])
return revision + 1
"""

REMOVE = """
-- KEYS schedule, next, outbox, log, fired; ARGV id, expected revision, event -> 1, 0
local revision = tonumber(redis.call('HGET', KEYS[1], 'revision') or '0')
if revision == 0 or revision ~= tonumber(ARGV[2]) then return 0 end
redis.call('DEL', KEYS[1], KEYS[4], KEYS[5])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('RPUSH', KEYS[3], ARGV[3])
return 1
"""

FIRE = """
-- KEYS schedule, next, outbox, log, fired, live, open
-- ARGV id, revision, old score, new score, marks, most in the log, most fired
-- marks: list of {nominal, run, record, where: live | open | log, until, events}
-- -> 1 when the time was moved on, 0 when somebody else did
if redis.call('HGET', KEYS[1], 'revision') ~= ARGV[2] then return 0 end
local score = redis.call('ZSCORE', KEYS[2], ARGV[1])
if not score or tonumber(score) ~= tonumber(ARGV[3]) then return 0 end
for _, mark in ipairs(cjson.decode(ARGV[5])) do
  -- Once for ever, also when clocks were set back in between.
  local number = redis.call('HINCRBY', KEYS[1], 'fired', 1)
  if redis.call('ZADD', KEYS[5], 'NX', number, mark.nominal) == 1 then
    if mark.where == 'log' then
      redis.call('LPUSH', KEYS[4], mark.record)
    elseif mark.where ~= 'none' then
      redis.call('HSET', KEYS[6], mark.run, mark.record)
    end
    if mark.where == 'open' then redis.call('ZADD', KEYS[7], mark['until'], mark.run) end
    for _, event in ipairs(mark.events) do redis.call('RPUSH', KEYS[3], event) end
  end
end
redis.call('LTRIM', KEYS[4], 0, tonumber(ARGV[6]) - 1)
redis.call('ZREMRANGEBYRANK', KEYS[5], 0, -1 - tonumber(ARGV[7]))
redis.call('ZADD', KEYS[2], ARGV[4], ARGV[1])
return 1
"""

MOVE = """
-- KEYS schedule, next; ARGV id, revision, old score, new score -> 1, 0
if redis.call('HGET', KEYS[1], 'revision') ~= ARGV[2] then return 0 end
local score = redis.call('ZSCORE', KEYS[2], ARGV[1])
if not score or tonumber(score) ~= tonumber(ARGV[3]) then return 0 end
redis.call('ZADD', KEYS[2], ARGV[4], ARGV[1])
return 1
"""

SAVE = """
-- KEYS live; ARGV run, expected number, record -> 1, 0
local found = redis.call('HGET', KEYS[1], ARGV[1])
if not found or cjson.decode(found).n ~= tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
"""

FINISH = """
-- KEYS schedule, outbox, log, live, open; ARGV run, record, event or '', most in the log, credit
-- -> 1, 0 when it is over already
if redis.call('HDEL', KEYS[4], ARGV[1]) == 0 then return 0 end
redis.call('ZREM', KEYS[5], ARGV[1])
-- A schedule that is gone keeps no log.
if redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('LPUSH', KEYS[3], ARGV[2])
  redis.call('LTRIM', KEYS[3], 0, tonumber(ARGV[4]) - 1)
  if ARGV[5] == 'credited' then redis.call('HDEL', KEYS[1], 'asked') end
end
if ARGV[3] ~= '' then redis.call('RPUSH', KEYS[2], ARGV[3]) end
return 1
"""

ASKED = """
-- KEYS schedule; ARGV ms -> 1, 0 when the schedule is gone or asked later already
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local before = tonumber(redis.call('HGET', KEYS[1], 'asked') or '0')
if before >= tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'asked', ARGV[1])
return 1
"""
