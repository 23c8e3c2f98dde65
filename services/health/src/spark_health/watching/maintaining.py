"""Announced maintenance: changes are noted, nobody is told by webhook, uptime does not count."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import structlog
from pydantic import ValidationError
from redis.asyncio import Redis

from spark_common.clock import Clock
from spark_common.contracts.health import BeginMaintenance, Maintenance
from spark_common.errors import ConflictError, InvalidRequestError, NotFoundError
from spark_common.ids import new_id
from spark_common.redis_access import asked
from spark_health.watching import keys

ALL = "all"
_MOST = 200
_AHEAD = timedelta(days=90)
_AWAY = "maintenance cannot be read or changed: Redis does not answer"
_log = structlog.get_logger()


def covers(windows: Sequence[Maintenance], target: str, host: str | None, now: datetime) -> bool:
    """Say whether a window is open now for a target or for the host it runs on."""
    return any(
        one.target in (ALL, target, host) and one.starts_at <= now < one.ends_at for one in windows
    )


class MaintenanceBook:
    """The windows that run or come; kept in Redis, remembered here."""

    def __init__(self, redis: Redis, clock: Clock) -> None:
        self._redis = redis
        self._clock = clock
        self._known: list[Maintenance] = []

    @property
    def windows(self) -> list[Maintenance]:
        """Those that run or come, by their beginning, as last read."""
        now = self._clock.now()
        return [
            one.model_copy(update={"active": one.starts_at <= now})
            for one in self._known
            if now < one.ends_at
        ]

    async def refresh(self) -> None:
        """Read them all and drop what is over. Raises UnavailableError."""
        rows = await asked(self._redis.hgetall(keys.MAINTENANCE), _AWAY)
        now = self._clock.now()
        found: list[Maintenance] = []
        over: list[str] = []
        for key, row in rows.items():
            try:
                window = Maintenance.model_validate_json(row)
            except ValidationError:
                _log.error("health.maintenance_unreadable", id=key)
                over.append(str(key))
                continue
            if now < window.ends_at:
                found.append(window)
            else:
                over.append(str(key))
        if over:
            await asked(self._redis.hdel(keys.MAINTENANCE, *over), _AWAY)
        self._known = sorted(found, key=lambda one: (one.starts_at, one.id))

    async def begin(self, request: BeginMaintenance, known: Sequence[str]) -> Maintenance:
        """Announce a window. Raises NotFoundError, InvalidRequestError, ConflictError."""
        await self.refresh()
        if request.target != ALL and request.target not in known:
            names = ", ".join(known) or "nothing"
            raise NotFoundError(f"nothing named {request.target!r} is watched; known are: {names}")
        others = [one for one in self._known if one.id != request.id]
        if len(others) >= _MOST:
            raise ConflictError(f"there are {_MOST} windows already; end some first")
        now = self._clock.now()
        starts = now if request.starts_at is None else _utc(request.starts_at)
        ends = max(starts, now) + timedelta(minutes=request.minutes)
        if starts > now + _AHEAD:
            raise InvalidRequestError("maintenance begins at most 90 days ahead")
        if starts < now - timedelta(minutes=1):
            raise InvalidRequestError("maintenance cannot begin in the past")
        window = Maintenance(
            id=request.id or new_id(),
            target=request.target,
            starts_at=starts,
            ends_at=ends,
            reason=request.reason,
            requested_by=request.requested_by,
            active=starts <= now,
        )
        row = window.model_dump_json()
        await asked(self._redis.hset(keys.MAINTENANCE, window.id, row), _AWAY)
        await self.refresh()
        return window

    async def end(self, id: str) -> list[Maintenance]:
        """End a window or call it off; returns the others. Raises NotFoundError."""
        if not await asked(self._redis.hdel(keys.MAINTENANCE, id), _AWAY):
            raise NotFoundError(f"there is no maintenance {id!r}; it may be over already")
        await self.refresh()
        return self.windows


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
