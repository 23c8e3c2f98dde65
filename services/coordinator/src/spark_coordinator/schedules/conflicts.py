"""Who wants the cluster at the same time: schedules among each other, and with the lease."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from spark_common.contracts.schedules import Conflict
from spark_coordinator.schedules.moments import read
from spark_coordinator.schedules.occurrences import Occurrence
from spark_coordinator.schedules.record import Entry

_TAKES_LEASE = frozenset({"swap", "warm", "restart"})
_EACH = 3
"""Conflicts of one run that are told."""


@dataclass(frozen=True)
class StandingLease:
    """Who has the lease now, and until when at the latest if it is not extended."""

    holder: str
    until: datetime


def found(
    runs: Sequence[Occurrence],
    now: datetime,
    lease: StandingLease | None,
    only: str | None = None,
) -> list[list[Conflict]]:
    """Return the conflicts of each run, in the order of ``runs``, which are sorted by time.

    ``only``: what does not concern the schedule with this id is left out.
    """
    conflicts: list[list[Conflict]] = [[] for _ in runs]
    # Runs of one group want the same, so that whole groups are passed over at once.
    groups: dict[_Want, list[int]] = {}
    for index, run in enumerate(runs):
        if not _wants(run):
            continue
        want = _Want.of(run.entry, only)
        for other_want, members in groups.items():
            if not want.clashes(other_want) or not (want.counts or other_want.counts):
                continue
            groups[other_want] = [
                other for other in members if _still_open(runs, conflicts, index, other)
            ]
        groups.setdefault(want, []).append(index)
        if lease is not None and _under(run, now, lease):
            conflicts[index].insert(0, _with_lease(run, lease))
    return conflicts


@dataclass(frozen=True)
class _Want:
    """What a run wants of the cluster, as far as others care."""

    lease: bool
    model: str | None
    counts: bool
    """Whether its conflicts are asked for."""

    @classmethod
    def of(cls, entry: Entry, only: str | None) -> "_Want":
        schedule = entry.schedule
        counts = only is None or entry.id == only
        return cls(schedule.kind in _TAKES_LEASE, schedule.model, counts)

    def clashes(self, other: "_Want") -> bool:
        """Say whether two that want this cannot have it at once."""
        return (self.lease and other.lease) or self.model != other.model


def _still_open(
    runs: Sequence[Occurrence], conflicts: list[list[Conflict]], index: int, other: int
) -> bool:
    """Note that two runs that overlap clash; say whether the other may clash with more."""
    run, earlier = runs[index], runs[other]
    if earlier.until <= run.at:
        return False
    if earlier.entry.id != run.entry.id:
        _add(conflicts[index], run, earlier)
        _add(conflicts[other], earlier, run)
    return len(conflicts[other]) < _EACH


def _wants(run: Occurrence) -> bool:
    """Say whether it needs the cluster: to decide what is loaded, or a certain model."""
    if run.state not in ("planned", "running"):
        return False
    schedule = run.entry.schedule
    return schedule.kind in _TAKES_LEASE or schedule.model is not None


def _under(run: Occurrence, now: datetime, lease: StandingLease) -> bool:
    mine = (run.entry.id, run.entry.schedule.owner, f"schedule {run.entry.id}")
    return run.at < lease.until and run.until > now and lease.holder not in mine


def _add(told: list[Conflict], run: Occurrence, other: Occurrence) -> None:
    if len(told) < _EACH:
        told.append(_with_schedule(run, other))


def _with_schedule(run: Occurrence, other: Occurrence) -> Conflict:
    at, until = max(run.at, other.at), min(run.until, other.until)
    theirs, ours = other.entry, run.entry
    if theirs.schedule.kind in _TAKES_LEASE and ours.schedule.kind in _TAKES_LEASE:
        why = "both need the lease, so one waits for the other"
    else:
        why = f"it needs {_need(theirs)}, this one {_need(ours)}"
    return Conflict(
        at=at,
        until=until,
        other="schedule",
        other_id=theirs.id,
        sentence=f"{theirs.name!r} runs from {read(other.at)} to {other.until:%H:%M}: {why}.",
    )


def _with_lease(run: Occurrence, lease: StandingLease) -> Conflict:
    waits = run.entry.schedule.kind in _TAKES_LEASE
    then = "the run would wait for it" if waits else f"and the run needs {_need(run.entry)}"
    return Conflict(
        at=run.at,
        until=min(run.until, lease.until),
        other="lease",
        sentence=f"{lease.holder!r} holds the cluster until {read(lease.until)}: {then}.",
    )


def _need(entry: Entry) -> str:
    if entry.schedule.model is not None:
        return entry.schedule.model
    return "to restart what is loaded" if entry.schedule.kind == "restart" else "what is loaded"


def of_schedule(
    runs: Iterable[Occurrence], conflicts: Iterable[list[Conflict]], most: int
) -> dict[str, list[Conflict]]:
    """Return the first conflicts of each schedule, by its id."""
    told: dict[str, list[Conflict]] = {}
    for run, found_here in zip(runs, conflicts, strict=True):
        kept = told.setdefault(run.entry.id, [])
        kept += found_here[: max(0, most - len(kept))]
    return told
