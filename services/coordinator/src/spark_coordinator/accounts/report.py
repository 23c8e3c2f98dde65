"""What the accounts say when somebody asks."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from spark_common.contracts.accountability import Accountability, HolderAccount, HolderDay
from spark_coordinator.accounts.book import OTHERS
from spark_coordinator.accounts.days import day_of, pieces, start_of
from spark_coordinator.accounts.ledger import Tallies, Tally

_MOST_HOLDERS = 50
_MOST_ROWS = 6000
"""Of days and holders: an answer has to fit into one message of the bus."""


def since_of(days: int, now: float) -> date:
    """Return the first of the last days, today included."""
    return day_of(now) - timedelta(days=days - 1)


def report(
    tallies: Tallies, since: date, now: float, began: float | None, problems: Sequence[str] = ()
) -> Accountability:
    """Put together what every holder did, the one who held longest first."""
    until = day_of(now)
    days = (until - since).days + 1
    most = min(_MOST_HOLDERS, max(1, _MOST_ROWS // days))
    by_holder: dict[str, dict[date, Tally]] = defaultdict(lambda: defaultdict(Tally))
    named = _largest(tallies, most)
    for (day, holder), tally in tallies.items():
        by_holder[holder if holder in named else OTHERS][day].add(tally)
    accounts = [_account(holder, found) for holder, found in by_holder.items()]
    accounts.sort(key=lambda each: (-each.held_minutes, -each.imposed_minutes, each.holder))
    held = sum(tally.held for tally in tallies.values())
    known = sum(seconds for _, seconds in pieces(max(began, start_of(since)), now)) if began else 0
    return Accountability(
        since=since,
        until=until,
        holders=accounts,
        free_minutes=_minutes(max(0.0, known - held)),
        problems=list(problems),
    )


def _largest(tallies: Tallies, most: int) -> set[str]:
    totals: dict[str, Tally] = defaultdict(Tally)
    for (_, holder), tally in tallies.items():
        totals[holder].add(tally)
    ranked = sorted(totals, key=lambda each: (-totals[each].held, -totals[each].imposed, each))
    return set(ranked[:most])


def _account(holder: str, days: Mapping[date, Tally]) -> HolderAccount:
    total = Tally()
    for tally in days.values():
        total.add(tally)
    return HolderAccount(
        holder=holder,
        leases=total.leases,
        held_minutes=_minutes(total.held),
        idle_minutes=_minutes(total.idle),
        swaps=total.swaps,
        imposed_minutes=_minutes(total.imposed),
        days=[
            HolderDay(
                day=day,
                held_minutes=_minutes(tally.held),
                idle_minutes=_minutes(tally.idle),
                swaps=tally.swaps,
                imposed_minutes=_minutes(tally.imposed),
            )
            for day, tally in sorted(days.items())
        ],
    )


def _minutes(seconds: float) -> float:
    return round(seconds / 60, 2)
