"""Which of several coordinators does what only one should do.

Work that is led has to be harmless when two do it for a moment all the same: a paused process
finds out late that it leads no more.
"""

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from spark_common.clock import Clock
from spark_common.ids import new_id

_TTL_SECONDS = 5.0
_RENEWALS = 3
"""How often a claim is renewed within its time."""

_CLAIM = """
-- KEYS leader, fence; ARGV id, ttl_ms -> fence of this leader, or 0
local owner = redis.call('HMGET', KEYS[1], 'id', 'fence')
if owner[1] == ARGV[1] then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return tonumber(owner[2])
end
if owner[1] then return 0 end
local fence = redis.call('INCR', KEYS[2])
redis.call('HSET', KEYS[1], 'id', ARGV[1], 'fence', fence)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return fence
"""

_log = structlog.get_logger()


class Leadership:
    """One claim on one kind of work, renewed for as long as this process and Redis live."""

    def __init__(
        self, redis: Redis, work: str, clock: Clock, ttl_seconds: float = _TTL_SECONDS
    ) -> None:
        self._script = redis.register_script(_CLAIM)
        self._keys = (f"sc:leader:{work}", f"sc:fence:{work}")
        self._work = work
        self._id = new_id()
        self._clock = clock
        self._ttl_seconds = ttl_seconds
        self._fence = 0
        self._until = 0.0

    @property
    def leads(self) -> bool:
        """Say whether this process leads now; false as soon as its claim may have run out."""
        return self._fence > 0 and self._clock.monotonic() < self._until

    @property
    def fence(self) -> int:
        """Number of this claim; grows with every change of leader. 0 before the first."""
        return self._fence

    async def run(self) -> None:
        """Claim and renew for ever."""
        while True:
            await self.claim()
            await self._clock.sleep(self._ttl_seconds / _RENEWALS)

    async def claim(self) -> bool:
        """Claim or renew once; return whether this process leads."""
        # Counted from before the question: Redis counts from when it answers.
        asked = self._clock.monotonic()
        try:
            ttl_ms = int(self._ttl_seconds * 1000)
            fence = int(await self._script(keys=self._keys, args=[self._id, ttl_ms]))
        except (RedisError, OSError, TimeoutError):
            return self.leads
        if fence and fence != self._fence:
            _log.info("coordinator.leads", work=self._work, fence=fence)
        self._fence = fence
        self._until = asked + self._ttl_seconds if fence else 0.0
        return self.leads
