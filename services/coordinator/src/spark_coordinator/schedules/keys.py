"""Every Redis key of the schedules."""

NEXT = "sc:sched:next"
"""Sorted set: id of every schedule by its next nominal time in ms, ``inf`` when none comes."""
LIVE = "sc:sched:live"
"""Hash: runs that are not over, by run id."""
OPEN = "sc:sched:open"
"""Sorted set: run ids of outside jobs that have not asked yet, by the end of their window in ms."""
OUTBOX = "sc:sched:outbox"
"""List: events written together with the change they tell of."""
SEEN = "sc:sched:seen"
"""Hash: how far each stream was read for jobs that ask."""

TAKEN = frozenset({"next", "live", "open", "outbox", "seen", "log", "fired", "token", "calendar"})
"""Words that cannot be the id of a schedule: keys here, and a part of an address."""


def schedule(schedule_id: str) -> str:
    """Hash: definition and revision."""
    return f"sc:sched:{schedule_id}"


def log(schedule_id: str) -> str:
    """List: the latest runs, newest first."""
    return f"sc:sched:log:{schedule_id}"


def fired(schedule_id: str) -> str:
    """Sorted set: nominal times in ms that came due, by the order in which they did."""
    return f"sc:sched:fired:{schedule_id}"


def token(run_id: str) -> str:
    """String with an end: what proves the lease of a run that goes on."""
    return f"sc:sched:token:{run_id}"
