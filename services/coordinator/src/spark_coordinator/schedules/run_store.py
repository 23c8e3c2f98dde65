"""Runs in Redis: come due once, saved at every step, over once; each together with its event."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import structlog
from pydantic import ValidationError
from redis.asyncio import Redis

from spark_common.contracts.schedules import Run
from spark_common.redis_access import asked
from spark_coordinator.schedules import keys, scripts
from spark_coordinator.schedules.moments import to_ms
from spark_coordinator.schedules.record import Entry, LiveRun
from spark_coordinator.schedules.token_box import TokenBox

KEPT_RUNS = 100
"""Runs in the log of one schedule."""
_KEPT_FIRED = 256
"""Nominal times that are remembered as fired, for clocks that were set back."""
_AWAY = "the runs of schedules cannot be read or changed: Redis does not answer"
_log = structlog.get_logger()


@dataclass(frozen=True)
class Mark:
    """What becomes of one nominal time that has come."""

    nominal: datetime
    where: Literal["live", "open", "log", "none"]
    run: LiveRun | None = None
    over: Run | None = None
    """What is logged, when it is over at once."""
    events: tuple[str, ...] = field(default=())

    def written(self) -> dict[str, Any]:
        """Return it as the script reads it."""
        record = self.over or self.run
        return {
            "nominal": str(to_ms(self.nominal)),
            "run": self.run.id if self.run is not None else "",
            "record": record.model_dump_json() if record is not None else "",
            "where": self.where,
            "until": str(to_ms(self.run.until)) if self.run is not None else "0",
            "events": list(self.events),
        }


class RunStore:
    """Every method raises UnavailableError while Redis is away."""

    def __init__(self, redis: Redis, box: TokenBox) -> None:
        self._redis = redis
        self._box = box
        self._fire = redis.register_script(scripts.FIRE)
        self._save = redis.register_script(scripts.SAVE)
        self._finish = redis.register_script(scripts.FINISH)

    async def fire(self, entry: Entry, next_ms: int | None, marks: Sequence[Mark]) -> bool:
        """Move a schedule on to its next time and make its runs, unless somebody else did.

        A nominal time that came due before, on any coordinator and any clock, makes none.
        """
        own = [keys.schedule(entry.id), keys.NEXT, keys.OUTBOX]
        more = [keys.log(entry.id), keys.fired(entry.id), keys.LIVE, keys.OPEN]
        facts: list[str | int] = [
            entry.id,
            entry.revision,
            str(entry.next_ms),
            "inf" if next_ms is None else str(next_ms),
            json.dumps([mark.written() for mark in marks]),
            KEPT_RUNS,
            _KEPT_FIRED,
        ]
        return bool(await asked(self._fire(keys=own + more, args=facts), _AWAY))

    async def live(self) -> list[LiveRun]:
        """Return the runs that are not over, by nominal time."""
        rows = await asked(self._redis.hvals(keys.LIVE), _AWAY)
        runs = [run for row in rows if (run := _read(row)) is not None]
        return sorted(runs, key=lambda run: (run.nominal, run.id))

    async def get_live(self, run_id: str) -> LiveRun | None:
        """Return a run that is not over."""
        row = await asked(self._redis.hget(keys.LIVE, run_id), _AWAY)
        return None if row is None else _read(row)

    async def closing(self, now_ms: int) -> list[str]:
        """Return the ids of outside runs whose window is over."""
        found = await asked(self._redis.zrangebyscore(keys.OPEN, "-inf", now_ms), _AWAY)
        return [str(one) for one in found]

    async def save(self, run: LiveRun, **facts: object) -> LiveRun | None:
        """Save what changed and return it; None when somebody else carries the run on."""
        changed = run.model_copy(update={**facts, "n": run.n + 1})
        record = changed.model_dump_json()
        done = await asked(self._save(keys=[keys.LIVE], args=[run.id, run.n, record]), _AWAY)
        return changed if done else None

    async def finish(
        self, run: LiveRun, over: Run, event: str | None = None, *, credited: bool = False
    ) -> bool:
        """End a run, unless it is over; ``credited`` uses up what its outside job asked for."""
        done = await asked(
            self._finish(
                keys=[
                    keys.schedule(run.schedule_id),
                    keys.OUTBOX,
                    keys.log(run.schedule_id),
                    keys.LIVE,
                    keys.OPEN,
                ],
                args=[
                    run.id,
                    over.model_dump_json(),
                    event or "",
                    KEPT_RUNS,
                    "credited" if credited else "",
                ],
            ),
            _AWAY,
        )
        return bool(done)

    async def logs(self, ids: Sequence[str], most: int = KEPT_RUNS) -> dict[str, list[Run]]:
        """Return the latest runs that are over, newest first, by schedule."""
        if not ids:
            return {}
        pipe = self._redis.pipeline(transaction=False)
        for one in ids:
            pipe.lrange(keys.log(one), 0, most - 1)
        rows = await asked(pipe.execute(), _AWAY)
        return {
            one: [Run.model_validate_json(row) for row in found]
            for one, found in zip(ids, rows, strict=True)
        }

    async def keep_token(self, run_id: str, token: str, ttl_seconds: float) -> None:
        """Keep what proves the lease of a run, for whoever carries it on; it ends by itself."""
        sealed, ends = self._box.seal(token), int(ttl_seconds * 1000)
        await asked(self._redis.set(keys.token(run_id), sealed, px=ends), _AWAY)

    async def token(self, run_id: str) -> str | None:
        """Return what proves the lease of a run, None when it has none."""
        found = await asked(self._redis.get(keys.token(run_id)), _AWAY)
        return None if found is None else self._box.open(str(found))

    async def drop_token(self, run_id: str) -> None:
        """Forget it: the lease is given back."""
        await asked(self._redis.delete(keys.token(run_id)), _AWAY)


def _read(row: str) -> LiveRun | None:
    try:
        return LiveRun.model_validate_json(row)
    except ValidationError:
        _log.error("schedule.run_unreadable")
        return None
