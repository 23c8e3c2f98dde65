"""Who held the lease from when to when, out of facts in any order."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from spark_coordinator.accounts.facts import Fact


@dataclass(frozen=True, slots=True)
class Lease:
    """One lease. Moments in epoch seconds; ``end`` is never before ``start``."""

    epoch: int
    holder: str
    start: float
    end: float
    over: bool
    """It has ended; else ``end`` is now."""


@dataclass
class _Told:
    """What was told of one lease."""

    began: Fact
    ends: list[Fact] = field(default_factory=list)
    until: list[float] = field(default_factory=list)

    def lease(self, now: float) -> Lease:
        start, ends = self.began.at, sorted(fact.at for fact in self.ends)
        if ends and ends[0] < start:
            # The clock went back meanwhile; how long it was held was measured apart from it.
            ends = [start + max(fact.seconds for fact in self.ends)]
        # Nobody holds longer than was granted, whatever the clock says.
        bounds = [*ends[:1], *([max(self.until)] if self.until else [])]
        end = min([now, *bounds])
        over = bool(ends) or any(bound < now for bound in bounds)
        return Lease(self.began.epoch, self.began.holder, start, max(start, end), over)


def leases_of(facts: Iterable[Fact], now: float) -> list[Lease]:
    """Return all leases, the earliest first; no two overlap."""
    by_epoch: dict[int, list[Fact]] = defaultdict(list)
    for fact in facts:
        if fact.kind in {"began", "extended", "ended"}:
            by_epoch[fact.epoch].append(fact)
    found = [lease for told in by_epoch.values() for lease in _of_epoch(told, now)]
    found.sort(key=lambda lease: (lease.start, lease.end, lease.epoch))
    for number, lease in enumerate(found[1:]):
        before = found[number]
        if before.end > lease.start:
            found[number] = replace(before, end=lease.start, over=True)
    return found


def _of_epoch(facts: Sequence[Fact], now: float) -> list[Lease]:
    """Usually one; more when Redis lost its record and began to count again."""
    ordered = sorted(facts, key=lambda fact: (fact.at, fact.id))
    beginnings = [fact for fact in ordered if fact.kind == "began"] or [_earliest(ordered)]
    told = [_Told(fact) for fact in beginnings]
    moments = [fact.at for fact in beginnings]
    for fact in ordered:
        mine = told[max(0, bisect_right(moments, fact.at) - 1)]
        if fact.until is not None:
            mine.until.append(fact.until)
        if fact.kind == "ended":
            mine.ends.append(fact)
    return [each.lease(now) for each in told]


def _earliest(facts: Sequence[Fact]) -> Fact:
    """Stand in for a beginning that nobody told."""
    first = facts[0]
    return replace(first, at=first.at - first.seconds)
