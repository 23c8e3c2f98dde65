"""The scripts of the records of swaps, and of the fence."""

from spark_common.jobs.record_scripts import accepting, finishing, saving

ADMIT = accepting(
    """
-- also ARGV reject_when_busy
local live = redis.call('ZRANGE', KEYS[2], -1, -1)
if live[1] and ARGV[7] == '1' then
  return {'busy', redis.call('ZRANGE', KEYS[2], 0, 0)[1]}
end
""",
    """
if live[1] then return {'accepted', live[1]} end
""",
)

SAVE = saving(
    """
-- also KEYS current
redis.call('SET', KEYS[4], ARGV[7])
"""
)

FINISH = finishing(
    """
-- also KEYS current, times, times of the pair; ARGV duration or '', kept
if redis.call('GET', KEYS[4]) == ARGV[7] then redis.call('DEL', KEYS[4]) end
if ARGV[9] ~= '' then
  for list = 5, 6 do
    redis.call('LPUSH', KEYS[list], ARGV[9])
    redis.call('LTRIM', KEYS[list], 0, tonumber(ARGV[10]) - 1)
  end
end
"""
)

RAISE_FENCE = """
-- KEYS fence, epoch; ARGV floor, epoch_floor
if tonumber(ARGV[2]) > tonumber(redis.call('GET', KEYS[2]) or '0') then
  redis.call('SET', KEYS[2], ARGV[2])
end
local fence = redis.call('INCR', KEYS[1])
if fence <= tonumber(ARGV[1]) then
  fence = tonumber(ARGV[1]) + 1
  redis.call('SET', KEYS[1], string.format('%.0f', fence))
end
return fence
"""
