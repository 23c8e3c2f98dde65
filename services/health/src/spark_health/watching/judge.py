"""Judges what was seen: three misses make a target down, one good look makes it well again.

What misses often without missing three in a row comes and goes: it is degraded (``steadiness``).

Pure: standing, sighting and moment in, standing and at most one transition out. Nothing is up
without a good look that is fresh, and a look that could not tell changes nothing but its age.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias

from spark_common.contracts.health import Level
from spark_health.watching import steadiness
from spark_health.watching.ports import Sighting
from spark_health.watching.standing import FLAPPING_CHANGES, Moment, Standing

MISSES: Final = 3
"""Looks in a row that have to fail, or to find it degraded, before that is settled."""
_WELL: Final = frozenset({"up", "idle", "busy"})
_KEPT_CHANGES: Final = 30

Ground: TypeAlias = Literal["solid", "shaking", "gone"]
"""The host below a target: well; missed, or not looked at since the target was missed; down."""


@dataclass(frozen=True)
class Change:
    """One transition."""

    before: Level
    after: Level
    since: datetime
    reason: str
    before_seconds: float | None
    changes: int


@dataclass(frozen=True)
class Verdict:
    """How a target stands after a look, and what changed."""

    standing: Standing
    change: Change | None = None


def judge(
    standing: Standing, sighting: Sighting, moment: Moment, ground: Ground = "solid"
) -> Verdict:
    """Return the verdict over one look."""
    # A probe may read another clock: nothing was seen later than now or before the last look.
    at = min(sighting.seen_at, moment.now)
    if standing.looked_at is not None and standing.looked_at <= moment.now:
        at = max(at, standing.looked_at)
    looked = standing.model_copy(
        update={"looked_at": at, "looked_steady": moment.steady, "follows": False}
    )
    match sighting.state:
        case "unknown":
            return Verdict(looked)
        case "down":
            return _missed(looked, sighting, at, moment, ground)
        case _:
            return _answered(looked, sighting, at, moment)


def lapse(standing: Standing, moment: Moment, stale_seconds: float) -> Verdict:
    """Return the verdict over time alone: whatever nobody could look at is unknown."""
    quiet = moment.steady - max(
        standing.told_steady, standing.seen_steady or 0.0, standing.missed_steady or 0.0
    )
    if standing.level not in ("up", "degraded") or quiet <= stale_seconds:
        return Verdict(standing)
    seen = standing.seen_at or moment.now
    reason = f"nobody could look at it for {round(quiet)} s"
    return _settled(standing, "unknown", min(seen, moment.now), moment, reason)


def _answered(standing: Standing, sighting: Sighting, at: datetime, moment: Moment) -> Verdict:
    well = sighting.state in _WELL
    seen = standing.model_copy(
        update={
            "last": sighting.state,
            "seen_at": at,
            "seen_steady": moment.steady,
            "told_steady": moment.steady,
            "facts": dict(sighting.facts),
            "misses": 0,
            "missed_at": None,
            "missed_steady": None,
            "poor": 0 if well else standing.poor + 1,
            "poor_at": None if well else standing.poor_at or at,
            "reason": sighting.reason,
            "recent": steadiness.with_look(standing.recent, well=well),
        }
    )
    if standing.unsteady:
        return _shaken(standing, seen, at, moment, calm=well)
    if well:
        if standing.level == "up":
            return Verdict(seen)
        if standing.watched_since is None:
            # The first sight of something that is well is no change.
            return Verdict(seen.model_copy(update={"level": "up", "since": at} | _first(at)))
        return _settled(seen, "up", at, moment, sighting.reason or "it answers again")
    if standing.level == "degraded":
        return Verdict(seen)
    if standing.level != "up":
        return _settled(seen, "degraded", at, moment, sighting.reason)
    if seen.poor < MISSES:
        return _unless_shaken(seen, at, moment)
    return _settled(seen, "degraded", seen.poor_at or at, moment, sighting.reason)


def _missed(
    standing: Standing, sighting: Sighting, at: datetime, moment: Moment, ground: Ground
) -> Verdict:
    if ground == "gone":
        return Verdict(
            standing.model_copy(
                update={
                    "misses": 0,
                    "missed_at": None,
                    "missed_steady": None,
                    "told_steady": moment.steady,
                    "follows": True,
                }
            )
        )
    misses = standing.misses + 1
    missed = standing.model_copy(
        update={
            "misses": misses,
            "missed_at": standing.missed_at or at,
            "missed_steady": standing.missed_steady or moment.steady,
            "told_steady": moment.steady,
            "reason": sighting.reason,
            "facts": dict(sighting.facts) or standing.facts,
        }
    )
    if ground == "solid" and standing.level in ("up", "degraded"):
        recent = steadiness.with_look(standing.recent, well=False)
        missed = missed.model_copy(update={"recent": recent})
        if standing.unsteady:
            reason = steadiness.told(recent, sighting.reason)
            missed = missed.model_copy(update={"reason": reason})
    if standing.level == "down" or misses < MISSES or ground == "shaking":
        return _unless_shaken(missed, at, moment)
    return _settled(missed, "down", missed.missed_at or at, moment, sighting.reason)


def _unless_shaken(standing: Standing, at: datetime, moment: Moment) -> Verdict:
    """Return the verdict over a look that was not well and settles nothing by itself."""
    if standing.level != "up" or not steadiness.comes_and_goes(standing.recent):
        return Verdict(standing)
    reason = steadiness.told(standing.recent, standing.reason)
    recent = standing.recent
    settled = _settled(standing, "degraded", at, moment, reason)
    shaken = {"unsteady": True, "recent": recent}
    return Verdict(settled.standing.model_copy(update=shaken), settled.change)


def _shaken(
    before: Standing, seen: Standing, at: datetime, moment: Moment, *, calm: bool
) -> Verdict:
    """Return the verdict over an answer of something that came and went."""
    if calm and steadiness.steady(seen.recent):
        return _settled(seen, "up", at, moment, "it answers steadily again")
    return Verdict(seen.model_copy(update={"reason": before.reason}))


def _settled(
    standing: Standing, level: Level, since: datetime, moment: Moment, reason: str
) -> Verdict:
    before = standing.since
    # What follows never begins before what it follows, whatever the clocks did.
    since = max(since, before) if before is not None and before <= moment.now else since
    changed = (*standing.changed, moment.now)[-_KEPT_CHANGES:]
    after = standing.model_copy(
        update={
            "level": level,
            "since": since,
            "n": standing.n + 1,
            "changed": changed,
            "reason": reason,
            "recent": "",
            "unsteady": False,
        }
        | ({} if standing.watched_since is not None else _first(since))
    )
    changes = after.changes(moment.now)
    if changes >= FLAPPING_CHANGES:
        reason = f"{reason}; it changed {changes} times within half an hour"
    lasted = None if before is None else round(max(0.0, (since - before).total_seconds()), 3)
    return Verdict(after, Change(standing.level, level, since, reason, lasted, changes))


def _first(at: datetime) -> dict[str, Any]:
    return {"watched_since": at}
