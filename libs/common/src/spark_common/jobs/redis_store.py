"""The records of jobs that are no swaps, in Redis."""

from functools import partial

from redis.asyncio import Redis

from spark_common.jobs import keys
from spark_common.jobs.kind import JobKind
from spark_common.jobs.record import RecordT
from spark_common.jobs.redis_rows import Places, RedisRows, Scripts
from spark_common.jobs.redis_scripts import CREATE, FINISH, SAVE
from spark_common.jobs.store import Busy, Conflicting, Created, Known

_HISTORY = 1_000


class RedisJobRecords(RedisRows[RecordT]):
    """The store of one kind of job."""

    def __init__(self, redis: Redis, kind: JobKind[RecordT]) -> None:
        name = self._kind = kind.name
        places = Places(partial(keys.job, name), keys.live(name), keys.index(name), _HISTORY)
        super().__init__(redis, kind.record, places, Scripts(CREATE, SAVE, FINISH))

    async def create(self, record: RecordT) -> Created | Known[RecordT] | Conflicting | Busy:
        """Check and write at once, idempotent by id and body hash."""
        answer = await self._accept(record, [keys.busy(self._kind)], [record.exclusive])
        return Created() if isinstance(answer, str) else answer

    async def recent(self, limit: int) -> list[RecordT]:
        """Return the latest jobs, newest first."""
        return await self._latest(limit)

    async def holder(self, exclusive: str) -> str | None:
        """Return the id of the living job with this exclusive word, or None."""
        held: str | None = await self._ask(self._redis.hget(keys.busy(self._kind), exclusive))
        return held

    async def save(self, record: RecordT, expected: int, writer: int) -> None:
        """Write a change; raises StaleWriterError when the record is not ours to write."""
        await self._save(record, expected, writer, self._beside(), record.exclusive)

    async def finish(self, record: RecordT, expected: int, writer: int) -> None:
        """Write the end; raises StaleWriterError when the record is not ours to write."""
        await self._finish(record, expected, writer, self._beside(), record.exclusive)

    async def claim_writer(self) -> int:
        """Return a number higher than any before."""
        return int(await self._ask(self._redis.incr(keys.writer(self._kind))))

    def _beside(self) -> list[str]:
        return [keys.busy(self._kind), keys.writer(self._kind)]
