"""Who stood in line from when to when, out of facts in any order."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from spark_coordinator.accounts.facts import Fact


@dataclass(frozen=True, slots=True)
class Wait:
    """One place in line. Moments in epoch seconds; ``end`` is never before ``start``."""

    ticket: str
    holder: str
    start: float
    end: float
    over: bool


@dataclass
class _Told:
    holder: str = ""
    starts: list[float] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)
    until: list[float] = field(default_factory=list)


def waits_of(facts: Sequence[Fact], now: float) -> list[Wait]:
    """Return every stay in line, the earliest first."""
    told: dict[str, _Told] = defaultdict(_Told)
    lines = sorted((fact for fact in facts if fact.kind == "line"), key=lambda fact: fact.at)
    for fact in facts:
        # Whoever takes the lease up has left the line, even when the grant was not told.
        if fact.ticket is not None:
            mine = told[fact.ticket]
            mine.holder = max(mine.holder, fact.holder)
            (mine.starts if fact.kind == "queued" else mine.ends).append(fact.at)
        for ticket, holder, since, until in fact.line:
            mine = told[ticket]
            mine.holder = max(mine.holder, holder)
            mine.starts.append(since)
            mine.until.append(until)
    moments = [fact.at for fact in lines]
    places = [frozenset(place[0] for place in fact.line) for fact in lines]
    found = []
    for ticket, each in told.items():
        if not each.starts:
            continue
        start = min(each.starts)
        gone = _missing_from(ticket, start, moments, places)
        ends = [*each.ends, *([max(each.until)] if each.until else [])]
        ends += [] if gone is None else [gone]
        end = min([now, *ends])
        over = any(bound < now for bound in ends)
        found.append(Wait(ticket, each.holder, start, max(start, end), over))
    return sorted(found, key=lambda wait: (wait.start, wait.ticket))


def _missing_from(
    ticket: str, start: float, moments: Sequence[float], places: Sequence[frozenset[str]]
) -> float | None:
    """Return when a line was first told of that it does not stand in any more."""
    for number in range(bisect_right(moments, start), len(moments)):
        if ticket not in places[number]:
            return moments[number]
    return None
