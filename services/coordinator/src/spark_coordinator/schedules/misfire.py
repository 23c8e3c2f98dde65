"""What becomes of nominal times that have come: the latest runs, what is too late is told once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from spark_common.contracts.schedules import PutSchedule
from spark_coordinator.schedules.record import AT_ONCE, late_allowed

_UNSEEN = "the coordinator was away; whether it asked for anything is not known"


@dataclass(frozen=True)
class Decision:
    """What is done about the times that have come since the last look."""

    run: datetime | None
    """The one that runs now: only ever the latest."""
    passed: tuple[datetime, ...] = ()
    """The others, in order; kept as missed."""
    reason: str = ""
    """Why they are missed: one sentence for all of them."""
    tell: bool = True
    """Whether that is told; about outside jobs nobody knows it."""


def decide(schedule: PutSchedule, due: Sequence[datetime], now: datetime) -> Decision:
    """Decide about the times that have come, oldest first; there is at least one."""
    latest, earlier = due[-1], tuple(due[:-1])
    if schedule.kind == "outside":
        return _of_outside(schedule, latest, earlier, now)
    allowed = late_allowed(schedule.misfire)
    if now - latest <= allowed and not earlier:
        return Decision(latest)
    if now - latest <= allowed:
        why = f"nobody could start it at its time; the one of {latest:%d %b %H:%M} UTC runs instead"
        return Decision(latest, earlier, _counted(why, len(earlier)))
    late = _minutes(now - latest)
    if schedule.misfire.policy == "run_once":
        why = f"nobody could start it for {late}, longer than the {_minutes(allowed)} allowed"
    else:
        why = f"nobody could start it at its time, and {late} later it is not made up for"
    return Decision(None, tuple(due), _counted(why, len(due)))


def _of_outside(
    schedule: PutSchedule, latest: datetime, earlier: tuple[datetime, ...], now: datetime
) -> Decision:
    """It runs by itself. Watched for, its window counts although it is found out late."""
    if schedule.missed_after_minutes is not None:
        return Decision(latest, earlier, _UNSEEN, tell=False)
    on_time = now - latest <= AT_ONCE
    return Decision(latest if on_time else None, tell=False)


def _counted(why: str, number: int) -> str:
    others = number - 1
    if others < 1:
        return why
    return f"{why}; {others} before it {'was' if others == 1 else 'were'} missed too"


def _minutes(span: timedelta) -> str:
    return f"{span.total_seconds() / 60:.0f} min"
