"""Job records in Redis; every write is one script."""

from collections.abc import Sequence
from typing import Any, Generic

from redis.asyncio import Redis
from redis.exceptions import RedisError

from spark_common.errors import UnavailableError
from spark_common.jobs import keys, redis_scripts
from spark_common.jobs.kind import JobKind
from spark_common.jobs.record import RecordT
from spark_common.jobs.store import Busy, Conflicting, Created, Known, StaleWriterError

_RECORD_MS = 90 * 24 * 3600 * 1000
_HISTORY = 1_000


class RedisJobRecords(Generic[RecordT]):
    """The store of one kind of job."""

    def __init__(self, redis: Redis, kind: JobKind[RecordT]) -> None:
        self._redis = redis
        self._kind = kind
        self._create = redis.register_script(redis_scripts.CREATE)
        self._save = redis.register_script(redis_scripts.SAVE)
        self._finish = redis.register_script(redis_scripts.FINISH)
        self._cancel = redis.register_script(redis_scripts.REQUEST_CANCEL)

    async def create(self, record: RecordT) -> Created | Known[RecordT] | Conflicting | Busy:
        """Check and write at once, idempotent by id and body hash."""
        answer = await _asked(
            self._create(
                keys=self._places(record.id),
                args=[
                    record.id,
                    record.model_dump_json(),
                    record.body_sha256,
                    record.created_at.timestamp(),
                    _RECORD_MS,
                    _HISTORY,
                    record.exclusive,
                ],
            )
        )
        match answer:
            case ["created"]:
                return Created()
            case ["known", str(stored)]:
                return Known(self._read(stored))
            case ["busy", str(id)]:
                return Busy(id)
            case _:
                return Conflicting()

    async def get(self, id: str) -> RecordT | None:
        """Return a job, or None when it is not known (any more)."""
        found: str | None = await _asked(self._redis.hget(keys.job(self._kind.name, id), "record"))
        return self._read(found) if found is not None else None

    async def live(self) -> list[RecordT]:
        """Return the jobs that are not over, oldest first."""
        return await self._all(await _asked(self._redis.zrange(keys.live(self._kind.name), 0, -1)))

    async def recent(self, limit: int) -> list[RecordT]:
        """Return the latest jobs, newest first."""
        latest = self._redis.zrevrange(keys.index(self._kind.name), 0, limit - 1)
        return await self._all(await _asked(latest))

    async def holder(self, exclusive: str) -> str | None:
        """Return the id of the living job with this exclusive word, or None."""
        held: str | None = await _asked(self._redis.hget(keys.busy(self._kind.name), exclusive))
        return held

    async def save(self, record: RecordT, expected: int, writer: int) -> None:
        """Write a change; raises StaleWriterError when the record is not ours to write."""
        await self._write(self._save, record, expected, writer)

    async def finish(self, record: RecordT, expected: int, writer: int) -> None:
        """Write the end; raises StaleWriterError when the record is not ours to write."""
        await self._write(self._finish, record, expected, writer)

    async def request_cancel(self, id: str, by: str) -> None:
        """Remember that somebody wants this job to stop; the first one is kept."""
        await _asked(self._cancel(keys=[keys.job(self._kind.name, id)], args=[by]))

    async def cancel_requested(self, id: str) -> str | None:
        """Return who wants it to stop, or None."""
        by: str | None = await _asked(
            self._redis.hget(keys.job(self._kind.name, id), "cancelled_by")
        )
        return by

    async def claim_writer(self) -> int:
        """Return a number higher than any before."""
        return int(await _asked(self._redis.incr(keys.writer(self._kind.name))))

    async def _write(self, script: Any, record: RecordT, expected: int, writer: int) -> None:
        answer = await _asked(
            script(
                keys=[*self._places(record.id), keys.writer(self._kind.name)],
                args=[
                    record.model_dump_json(),
                    expected,
                    writer,
                    record.revision,
                    record.body_sha256,
                    _RECORD_MS,
                    record.id,
                    record.created_at.timestamp(),
                    record.exclusive,
                ],
            )
        )
        if answer != "written":
            raise StaleWriterError(f"{record.id} is not at revision {expected} any more")

    def _places(self, id: str) -> list[str]:
        kind = self._kind.name
        return [keys.job(kind, id), keys.live(kind), keys.index(kind), keys.busy(kind)]

    async def _all(self, ids: Sequence[str]) -> list[RecordT]:
        if not ids:
            return []
        reads = self._redis.pipeline(transaction=False)
        for job_id in ids:
            reads.hget(keys.job(self._kind.name, job_id), "record")
        return [self._read(record) for record in await _asked(reads.execute()) if record]

    def _read(self, record: str) -> RecordT:
        return self._kind.record.model_validate_json(record)


async def _asked(answer: Any) -> Any:
    try:
        return await answer
    except (RedisError, OSError, TimeoutError) as error:
        raise UnavailableError("the records cannot be read or written: Redis is away") from error
