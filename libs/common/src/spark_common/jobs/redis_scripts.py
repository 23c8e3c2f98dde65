"""The scripts of the records of jobs that are no swaps."""

from spark_common.jobs.record_scripts import accepting, finishing, saving

CREATE = accepting(
    """
-- also KEYS busy; ARGV exclusive
local holder = redis.call('HGET', KEYS[4], ARGV[7])
if holder then return {'busy', holder} end
""",
    """
redis.call('HSET', KEYS[4], ARGV[7], ARGV[1])
""",
)

_LIFT_WRITERS = """
-- also KEYS busy, writer; ARGV exclusive
if tonumber(ARGV[3]) > tonumber(redis.call('GET', KEYS[5]) or '0') then
  redis.call('SET', KEYS[5], ARGV[3])
end
"""
# After Redis lost its data the counter begins anew, below the owners of records that are written
# again: no later process could take those over.

SAVE = saving(
    _LIFT_WRITERS
    + """
redis.call('HSETNX', KEYS[4], ARGV[9], ARGV[7])
"""
)

FINISH = finishing(
    _LIFT_WRITERS
    + """
if redis.call('HGET', KEYS[4], ARGV[9]) == ARGV[7] then redis.call('HDEL', KEYS[4], ARGV[9]) end
"""
)
