"""The registered schedules in Redis, written by compare-and-set together with their events."""

import math
from collections.abc import Sequence
from datetime import datetime

import structlog
from pydantic import ValidationError
from redis.asyncio import Redis

from spark_common.clock import Clock
from spark_common.contracts.schedules import PutSchedule
from spark_common.errors import ConflictError, NotFoundError
from spark_common.redis_access import asked
from spark_coordinator.schedules import keys, scripts, telling
from spark_coordinator.schedules.checking import checked, with_offsets
from spark_coordinator.schedules.moments import from_ms, to_ms
from spark_coordinator.schedules.record import Entry
from spark_coordinator.schedules.times import first, timing_of

MOST = 500
"""Schedules that are kept."""
_ATTEMPTS = 5
_AWAY = "the schedules cannot be read or changed: Redis does not answer"
_log = structlog.get_logger()


class Registry:
    """Definitions only; what runs is kept by ``RunStore``. Raises UnavailableError throughout."""

    def __init__(self, redis: Redis, clock: Clock, most: int = MOST) -> None:
        """``most`` schedules are kept."""
        self._most = most
        self._redis = redis
        self._clock = clock
        self._put = redis.register_script(scripts.PUT)
        self._remove = redis.register_script(scripts.REMOVE)
        self._move = redis.register_script(scripts.MOVE)
        self._asked = redis.register_script(scripts.ASKED)

    async def get(self, schedule_id: str) -> Entry | None:
        """Return one schedule."""
        found = await self.some([schedule_id])
        return found[0] if found else None

    async def require(self, schedule_id: str) -> Entry:
        """Return one schedule; raises NotFoundError."""
        entry = await self.get(schedule_id)
        if entry is None:
            raise NotFoundError(f"there is no schedule {schedule_id!r}")
        return entry

    async def all(self) -> list[Entry]:
        """Return every schedule, by its next nominal time."""
        return await self.some(await asked(self._redis.zrange(keys.NEXT, 0, -1), _AWAY))

    async def due(self, nowms: int, most: int) -> list[Entry]:
        """Return the schedules whose next nominal time has come."""
        ids = await asked(
            self._redis.zrangebyscore(keys.NEXT, "-inf", nowms, start=0, num=most), _AWAY
        )
        return await self.some(ids)

    async def some(self, ids: Sequence[str]) -> list[Entry]:
        """Return those of them that exist, in the same order."""
        if not ids:
            return []
        pipe = self._redis.pipeline(transaction=False)
        for one in ids:
            pipe.hmget(keys.schedule(one), "body", "revision", "asked")
            pipe.zscore(keys.NEXT, one)
        rows = await asked(pipe.execute(), _AWAY)
        pairs = zip(rows[::2], rows[1::2], strict=True)
        found = [_entry(one, row, score) for one, (row, score) in zip(ids, pairs, strict=True)]
        return [entry for entry in found if entry is not None]

    async def put(self, schedule: PutSchedule) -> Entry:
        """Register or replace; raises InvalidRequestError, ConflictError when there are too many.

        The same again changes nothing and is told to nobody.
        """
        for _ in range(_ATTEMPTS):
            now = self._clock.now()
            standing = await self.get(schedule.id)
            if standing is not None and _asks_the_same(standing, schedule):
                return standing
            # One that cannot be read has a revision all the same.
            before = await self._revision(schedule.id) if standing is None else standing.revision
            entry = _entered(schedule, standing, before, now)
            event = telling.registered(entry, standing is not None, now)
            revision = await asked(
                self._put(
                    keys=[keys.schedule(entry.id), keys.NEXT, keys.OUTBOX],
                    args=[
                        entry.id,
                        before,
                        _body(entry),
                        _score(entry.next_ms),
                        self._most,
                        event,
                    ],
                ),
                _AWAY,
            )
            if revision > 0:
                return entry
            if revision < 0:
                raise ConflictError(
                    f"{self._most} schedules are registered, more are not kept; remove some first"
                )
        raise _raced(schedule.id)

    async def remove(self, schedule_id: str, requested_by: str) -> Entry:
        """Forget a schedule with its log and return what it was; raises NotFoundError."""
        for _ in range(_ATTEMPTS):
            entry = await self.require(schedule_id)
            event = telling.removed(entry, requested_by, self._clock.now())
            places = [keys.schedule, keys.log, keys.fired]
            own, log, fired = (place(schedule_id) for place in places)
            gone = await asked(
                self._remove(
                    keys=[own, keys.NEXT, keys.OUTBOX, log, fired],
                    args=[schedule_id, entry.revision, event],
                ),
                _AWAY,
            )
            if gone:
                return entry
        raise _raced(schedule_id)

    async def _revision(self, schedule_id: str) -> int:
        found = await asked(self._redis.hget(keys.schedule(schedule_id), "revision"), _AWAY)
        return int(found or 0)

    async def move(self, entry: Entry, next_ms: int | None) -> bool:
        """Set the next nominal time, unless somebody changed the schedule or its time meanwhile."""
        done = await asked(
            self._move(
                keys=[keys.schedule(entry.id), keys.NEXT],
                args=[entry.id, entry.revision, _score(entry.next_ms), _score(next_ms)],
            ),
            _AWAY,
        )
        return bool(done)

    async def has_fired(self, entry: Entry, ms: int) -> bool:
        """Say whether a nominal time came due already, on any clock."""
        place = keys.fired(entry.id)
        return await asked(self._redis.zscore(place, str(ms)), _AWAY) is not None

    async def note_ask(self, schedule_id: str, ms: int) -> None:
        """Keep when an outside job asked for something while no run of it was open."""
        await asked(self._asked(keys=[keys.schedule(schedule_id)], args=[ms]), _AWAY)


def _entered(schedule: PutSchedule, standing: Entry | None, revision: int, now: datetime) -> Entry:
    """Return what is kept; a time that has come and was not looked at yet is not lost."""
    created = standing.created_at if standing is not None else now
    kept = checked(schedule, now, registered_at=created)
    after = now
    if standing is not None and standing.next_ms is not None:
        after = min(now, from_ms(standing.next_ms - 1))
    upcoming = first(timing_of(kept, created), after) if kept.enabled else None
    return Entry(
        schedule=kept,
        created_at=created,
        revision=revision + 1,
        next_ms=to_ms(upcoming) if upcoming is not None else None,
    )


def _asks_the_same(standing: Entry, schedule: PutSchedule) -> bool:
    """Say whether it is registered just like that; a time that is over may be repeated, too."""
    try:
        return standing.schedule == with_offsets(schedule)
    except (ValueError, LookupError, OverflowError):
        # Not even its zone is one: the checks will say it.
        return False


def _body(entry: Entry) -> str:
    return entry.model_dump_json(exclude={"revision", "next_ms", "asked_ms"})


def _entry(schedule_id: str, row: Sequence[str | None], score: float | None) -> Entry | None:
    """Return what is kept; None when there is nothing, or nothing that can be read."""
    body, revision, asked_ms = row
    if body is None:
        return None
    finite = score is not None and math.isfinite(score)
    try:
        entry = Entry.model_validate_json(body)
    except ValidationError:
        # The others go on; a person removes it or registers it again.
        _log.error("schedule.unreadable", schedule=schedule_id)
        return None
    return entry.model_copy(
        update={
            "revision": int(revision or 0),
            "next_ms": int(score) if finite and score is not None else None,
            "asked_ms": int(asked_ms) if asked_ms else None,
        }
    )


def _score(ms: int | None) -> str:
    return "inf" if ms is None else str(ms)


def _raced(schedule_id: str) -> ConflictError:
    return ConflictError(f"{schedule_id!r} is being changed by somebody else; try again")
