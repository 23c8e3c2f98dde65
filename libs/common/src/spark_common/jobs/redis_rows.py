"""Records of jobs in Redis: a hash each, the living ones and the history as sorted sets."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic

import structlog
from pydantic import ValidationError
from redis.asyncio import Redis

from spark_common.jobs.record import KeptT
from spark_common.jobs.record_scripts import REQUEST_CANCEL
from spark_common.jobs.store import Busy, Conflicting, Known, StaleWriterError
from spark_common.redis_access import asked

_log = structlog.get_logger()
_RECORD_MS = 90 * 24 * 3600 * 1000
_PAGE = 200
_AWAY = "the records cannot be read or written: Redis is away"


@dataclass(frozen=True)
class Places:
    """Where the records of a kind are kept."""

    record: Callable[[str], str]
    """Key of the hash of one job: record, revision, writer, over, body_sha256, cancelled_by."""
    live: str
    index: str
    history: int
    """How many ids the index keeps."""


@dataclass(frozen=True)
class Scripts:
    """What ``record_scripts`` returned for a kind."""

    create: str
    save: str
    finish: str


class RedisRows(Generic[KeptT]):
    """What the stores of all kinds of jobs have in common. Raises UnavailableError."""

    def __init__(self, redis: Redis, record: type[KeptT], places: Places, scripts: Scripts) -> None:
        self._redis = redis
        self._record = record
        self._places = places
        self._create_script = redis.register_script(scripts.create)
        self._save_script = redis.register_script(scripts.save)
        self._finish_script = redis.register_script(scripts.finish)
        self._cancel_script = redis.register_script(REQUEST_CANCEL)

    async def get(self, id: str) -> KeptT | None:
        """Return a job, or None when it is not known (any more)."""
        found: str | None = await self._ask(self._redis.hget(self._places.record(id), "record"))
        return self._read(id, found) if found is not None else None

    async def live(self) -> list[KeptT]:
        """Return the jobs that are not over, oldest first."""
        return await self._all(await self._ask(self._redis.zrange(self._places.live, 0, -1)))

    async def request_cancel(self, id: str, by: str) -> None:
        """Remember that somebody wants this job to stop; the first one is kept."""
        await self._ask(self._cancel_script(keys=[self._places.record(id)], args=[by]))

    async def cancel_requested(self, id: str) -> str | None:
        """Return who wants it to stop, or None."""
        by: str | None = await self._ask(self._redis.hget(self._places.record(id), "cancelled_by"))
        return by

    async def _latest(
        self,
        limit: int,
        *,
        before: datetime | None = None,
        wanted: Callable[[KeptT], bool] | None = None,
    ) -> list[KeptT]:
        """Return the latest jobs, newest first; what Redis has dropped by now is left out."""
        highest = "+inf" if before is None else f"({before.timestamp()!r}"
        page = limit if wanted is None else max(limit, _PAGE)
        found: list[KeptT] = []
        for start in range(0, self._places.history, page):
            ids = await self._ask(
                self._redis.zrevrangebyscore(
                    self._places.index, highest, "-inf", start=start, num=page
                )
            )
            jobs = await self._all(ids)
            found += jobs if wanted is None else filter(wanted, jobs)
            if len(found) >= limit or len(ids) < page:
                break
        return found[:limit]

    async def _accept(
        self, record: KeptT, keys: Sequence[str], args: Sequence[Any]
    ) -> Known[KeptT] | Conflicting | Busy | str:
        """Check and write at once; a word is that of the script for what it accepted."""
        answer = await self._ask(
            self._create_script(
                keys=[*self._where(record.id), *keys],
                args=[
                    record.id,
                    record.model_dump_json(),
                    record.body_sha256,
                    record.created_at.timestamp(),
                    _RECORD_MS,
                    self._places.history,
                    *args,
                ],
            )
        )
        match answer:
            case ["accepted", str(word)]:
                return word
            case ["busy", str(other)]:
                return Busy(other)
            case ["known", str(stored)] if (known := self._read(record.id, stored)) is not None:
                return Known(known)
            case _:
                return Conflicting()

    async def _save(
        self, record: KeptT, expected: int, writer: int, keys: Sequence[str], *args: Any
    ) -> None:
        await self._write(self._save_script, record, expected, writer, keys, args)

    async def _finish(
        self, record: KeptT, expected: int, writer: int, keys: Sequence[str], *args: Any
    ) -> None:
        await self._write(self._finish_script, record, expected, writer, keys, args)

    async def _write(
        self,
        script: Any,
        record: KeptT,
        expected: int,
        writer: int,
        keys: Sequence[str],
        args: Sequence[Any],
    ) -> None:
        answer = await self._ask(
            script(
                keys=[*self._where(record.id), *keys],
                args=[
                    record.model_dump_json(),
                    expected,
                    writer,
                    record.revision,
                    record.body_sha256,
                    _RECORD_MS,
                    record.id,
                    record.created_at.timestamp(),
                    *args,
                ],
            )
        )
        if answer != "written":
            raise StaleWriterError(f"{record.id} is not at revision {expected} any more")

    async def _ask(self, answer: Any) -> Any:
        return await asked(answer, _AWAY)

    def _where(self, id: str) -> list[str]:
        return [self._places.record(id), self._places.live, self._places.index]

    async def _all(self, ids: Sequence[str]) -> list[KeptT]:
        if not ids:
            return []
        reads = self._redis.pipeline(transaction=False)
        for job_id in ids:
            reads.hget(self._places.record(job_id), "record")
        found: Sequence[str | None] = await self._ask(reads.execute())
        jobs = (self._read(job_id, text) for job_id, text in zip(ids, found, strict=True) if text)
        return [job for job in jobs if job is not None]

    def _read(self, id: str, text: str) -> KeptT | None:
        """Read a record; one of a version that we do not know hides no other and stops nobody."""
        try:
            return self._record.model_validate_json(text)
        except ValidationError as error:
            fields = sorted({str(each["loc"][0]) for each in error.errors() if each["loc"]})
            _log.error("job.record_unreadable", job_id=id, fields=fields)
            return None
