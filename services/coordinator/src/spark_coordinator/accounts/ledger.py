"""From facts to numbers: what every holder did on every day. Pure; durations in seconds."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from spark_coordinator.accounts.days import day_of, pieces
from spark_coordinator.accounts.facts import Fact
from spark_coordinator.accounts.leases import Lease, leases_of
from spark_coordinator.accounts.waits import Wait, waits_of


@dataclass
class Tally:
    """One holder on one day."""

    leases: int = 0
    held: float = 0.0
    idle: float = 0.0
    swaps: int = 0
    imposed: float = 0.0

    def add(self, other: "Tally") -> None:
        """Take in what another one counted."""
        self.leases += other.leases
        self.held += other.held
        self.idle += other.idle
        self.swaps += other.swaps
        self.imposed += other.imposed


Tallies: TypeAlias = Mapping[tuple[date, str], Tally]


def tallies_of(facts: Sequence[Fact], now: float) -> Tallies:
    """Fold facts, in whatever order they are and however often each is among them."""
    once = {fact.id: fact for fact in facts}
    ordered = sorted(once.values(), key=lambda fact: (fact.at, fact.id))
    leases, waits = leases_of(ordered, now), waits_of(ordered, now)
    found: dict[tuple[date, str], Tally] = defaultdict(Tally)
    for lease in leases:
        if lease.start <= now:
            found[day_of(lease.start), lease.holder].leases += 1
        for day, seconds in pieces(lease.start, lease.end):
            found[day, lease.holder].held += seconds
    _impose_waits(found, leases, waits)
    _count_swaps(found, leases, ordered, now)
    return found


def over_by(facts: Sequence[Fact], moment: float, now: float) -> set[str]:
    """Return the ids of facts that say nothing about any time after ``moment``."""
    leases, waits = leases_of(facts, now), waits_of(facts, now)
    # A lease is known by its number, but a number may come back: then all of it is kept.
    living = {lease.epoch for lease in leases if not lease.over or lease.end >= moment}
    waiting = {wait.ticket for wait in waits if not wait.over or wait.end >= moment}
    return {
        fact.id
        for fact in facts
        if fact.at < moment and fact.epoch not in living and fact.ticket not in waiting
    }


def _impose_waits(
    found: dict[tuple[date, str], Tally], leases: Sequence[Lease], waits: Sequence[Wait]
) -> None:
    """Charge the holder with every second that somebody else stood in line meanwhile."""
    starts = [lease.start for lease in leases]
    for wait in waits:
        for number in range(max(0, bisect_right(starts, wait.start) - 1), len(leases)):
            lease = leases[number]
            if lease.start >= wait.end:
                break
            if lease.holder != wait.holder:
                overlap = max(lease.start, wait.start), min(lease.end, wait.end)
                for day, seconds in pieces(*overlap):
                    found[day, lease.holder].imposed += seconds


def _count_swaps(
    found: dict[tuple[date, str], Tally],
    leases: Sequence[Lease],
    facts: Sequence[Fact],
    now: float,
) -> None:
    starts = [lease.start for lease in leases]
    overrides = [fact for fact in facts if fact.kind == "overridden"]
    for fact in facts:
        if fact.kind != "swap" or fact.at > now:
            continue
        began = fact.at - fact.seconds
        number = bisect_right(starts, began) - 1
        lease = leases[number] if number >= 0 and began < leases[number].end else None
        if lease is not None and not _overridden(lease, fact, overrides):
            who = lease.holder
        else:
            who = fact.holder
        found[day_of(fact.at), who].swaps += 1
        for day, seconds in pieces(began, fact.at):
            found[day, who].imposed += seconds


def _overridden(lease: Lease, swap: Fact, overrides: Sequence[Fact]) -> bool:
    """Whether a person swapped through the lease: that is not the holder's doing."""
    return any(
        each.epoch == lease.epoch and each.holder == swap.holder and each.at <= swap.at
        for each in overrides
    )
