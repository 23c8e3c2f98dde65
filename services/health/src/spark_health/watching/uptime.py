"""How long every target was up and down while somebody watched, by the hour.

Counted while it is watched and not computed from the log: what nobody saw, because health or the
bus was away, is neither up nor down.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from redis.asyncio import Redis

from spark_common.contracts.health import Shown, Uptime
from spark_common.redis_access import asked
from spark_health.watching import keys

KEPT_HOURS: Final = 31 * 24
_WINDOWS: Final = {"day": 24, "week": 7 * 24, "month": 30 * 24}
_LONGEST_STEP_SECONDS: Final = 5.0
"""More than that between two counts means that this process stood still: nobody watched."""
_SHOWN_SECONDS: Final = 10
"""A percentage is computed anew this often."""
_UP: Final = frozenset({"up", "idle", "busy", "degraded"})
_AWAY = "the uptime cannot be read or written: Redis does not answer"


@dataclass(frozen=True)
class Hour:
    """Watched seconds of one hour."""

    up: float = 0.0
    down: float = 0.0

    @property
    def written(self) -> str:
        """Return it as it stands in the record."""
        return f"{self.up:.3f} {self.down:.3f}"


def hour_of(moment: datetime) -> int:
    """Return the number of the hour since 1970."""
    return int(moment.timestamp() // 3600)


def share(hours: Mapping[int, Hour], now: datetime, last: int) -> float | None:
    """Return the percent up of the last hours; of the oldest one its part inside counts."""
    this = hour_of(now)
    inside = (this + 1) - now.timestamp() / 3600
    up = down = 0.0
    for number, hour in hours.items():
        if this - last < number <= this:
            weight = 1.0
        elif number == this - last:
            weight = inside
        else:
            continue
        up += hour.up * weight
        down += hour.down * weight
    if up + down <= 0:
        return None
    # Never rounded up to a perfect hundred: a second of trouble is seen.
    percent = 100 * up / (up + down)
    return 100.0 if down <= 0 else min(round(percent, 3), 99.999)


class Counted:
    """The hours of one target in memory."""

    def __init__(self, hours: Mapping[int, Hour] | None = None) -> None:
        self.hours: dict[int, Hour] = dict(hours or {})
        self.dirty: set[int] = set()
        self._shown: tuple[int, datetime | None, Uptime] | None = None

    def count(self, state: Shown, seconds: float, now: datetime) -> None:
        """Add what was watched until now in one state; what is unknown is not counted."""
        if state == "unknown" or not 0 < seconds <= _LONGEST_STEP_SECONDS:
            return
        number = hour_of(now)
        hour = self.hours.get(number, Hour())
        up = state in _UP
        self.hours[number] = Hour(
            hour.up + (seconds if up else 0.0), hour.down + (0.0 if up else seconds)
        )
        self.dirty.add(number)

    def view(self, now: datetime, watched_since: datetime | None) -> Uptime:
        """Return the percent of each window."""
        turn = int(now.timestamp() // _SHOWN_SECONDS)
        if self._shown is None or self._shown[:2] != (turn, watched_since):
            shares = {name: share(self.hours, now, hours) for name, hours in _WINDOWS.items()}
            self._shown = (turn, watched_since, Uptime(**shares, watched_since=watched_since))
        return self._shown[2]


class UptimeBook:
    """The hours in Redis. Every method raises UnavailableError while it is away."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def read(self, target: str) -> Counted:
        """Return what was counted of a target; what cannot be read is left out."""
        rows = await asked(self._redis.hgetall(keys.uptime(target)), _AWAY)
        hours = {}
        for number, text in rows.items():
            up, _, down = str(text).partition(" ")
            try:
                hours[int(number)] = Hour(max(0.0, float(up)), max(0.0, float(down)))
            except ValueError:
                continue
        return Counted(hours)

    async def write(self, target: str, counted: Counted, now: datetime) -> None:
        """Write the hours that changed, whole: writing twice is writing once. Drop old ones."""
        oldest = hour_of(now) - KEPT_HOURS
        gone = [number for number in counted.hours if number < oldest]
        dirty = {number for number in counted.dirty if number >= oldest}
        if not (dirty or gone):
            return
        pipe = self._redis.pipeline(transaction=False)
        if dirty:
            pipe.hset(
                keys.uptime(target),
                mapping={str(number): counted.hours[number].written for number in dirty},
            )
        if gone:
            pipe.hdel(keys.uptime(target), *(str(number) for number in gone))
        await asked(pipe.execute(), _AWAY)
        counted.dirty -= dirty
        for number in gone:
            counted.hours.pop(number, None)
            counted.dirty.discard(number)


def hours_ago(now: datetime, hours: float) -> datetime:
    """Return the moment so many hours before, in UTC."""
    return now.astimezone(UTC) - timedelta(hours=hours)
