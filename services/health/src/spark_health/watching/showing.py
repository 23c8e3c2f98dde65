"""What people are shown of a target: never up without a fresh good look, stale with its age."""

from spark_common.contracts.health import Shown, TargetView, Uptime
from spark_health.watching.judge import Ground
from spark_health.watching.ports import Target
from spark_health.watching.standing import FLAPPING_CHANGES, Moment, Standing

LEAST_STALE_SECONDS = 30.0


def stale_after(every_seconds: float) -> float:
    """Return how old a good look may be before it is not shown as true any more."""
    return max(LEAST_STALE_SECONDS, 6 * every_seconds)


def is_stale(standing: Standing, moment: Moment, stale_seconds: float) -> bool:
    """Say whether the last good look is too old, or never was."""
    age = standing.age(moment)
    return age is None or age > stale_seconds


def state_of(standing: Standing, moment: Moment, stale_seconds: float, ground: Ground) -> Shown:
    """Return the one word that is true of a target now."""
    if standing.level == "down":
        return "down"
    if not is_stale(standing, moment, stale_seconds):
        if standing.follows and ground == "gone":
            return "down"
        return "degraded" if standing.unsteady else standing.last or "unknown"
    return "down" if standing.follows and ground == "gone" else "unknown"


def view_of(
    target: Target,
    standing: Standing,
    moment: Moment,
    *,
    stale_seconds: float,
    ground: Ground = "solid",
    maintenance: bool = False,
    uptime: Uptime | None = None,
) -> TargetView:
    """Return how a target is shown."""
    state = state_of(standing, moment, stale_seconds, ground)
    age = standing.age(moment)
    stale = is_stale(standing, moment, stale_seconds)
    follows = state == "down" and standing.level != "down"
    lasting = None
    if standing.since is not None:
        lasting = round(max(0.0, (moment.now - standing.since).total_seconds()), 1)
    changes = standing.changes(moment.now)
    return TargetView(
        name=target.name,
        kind=target.kind,
        label=target.label,
        host=target.host,
        url=target.url,
        state=state,
        level=standing.level,
        reason=_reason(standing, stale, age, follows, target.host),
        because=target.host if follows else None,
        since=standing.since,
        for_seconds=lasting,
        seen_at=standing.seen_at,
        age_seconds=None if age is None else round(age, 1),
        looked_at=standing.looked_at,
        stale=stale,
        last_state=standing.last,
        misses=standing.misses,
        changes=changes,
        flapping=standing.unsteady or changes >= FLAPPING_CHANGES,
        maintenance=maintenance,
        uptime=uptime or Uptime(watched_since=standing.watched_since),
        facts=dict(standing.facts),
    )


def _reason(
    standing: Standing, stale: bool, age: float | None, follows: bool, host: str | None
) -> str:
    if follows:
        return f"{host} is down, and this runs there"
    if standing.looked_at is None:
        return "not looked at yet"
    if standing.level == "down" or not stale:
        return standing.reason
    if age is None:
        return standing.reason or "nobody could tell yet"
    seen = f"last seen {standing.last} {round(age)} s ago"
    return f"{seen}: {standing.reason}" if standing.reason else seen
