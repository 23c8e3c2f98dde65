"""The accounts as one SQLite file: facts of the last days, sums of the days before.

Blocking; ``keeper.Keeper`` runs it in a thread.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from spark_common.book_file import open_database, transaction
from spark_coordinator.accounts.days import KEPT_DAYS, day_of, pieces, start_of
from spark_coordinator.accounts.facts import Fact, Kind, Place
from spark_coordinator.accounts.ledger import Tallies, Tally, over_by, tallies_of

OTHERS = "others"
HOLDERS_PER_DAY = 100
"""Holders kept by name on one day; the rest are counted together."""
MOST_FACTS = 100_000
_MARGIN_SECONDS = 86400.0
"""Facts outlive their day by this: a swap may run over midnight, and its lease names it."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS facts (
  id TEXT PRIMARY KEY, at REAL NOT NULL, kind TEXT NOT NULL, holder TEXT NOT NULL,
  epoch INTEGER NOT NULL, until REAL, seconds REAL NOT NULL, ticket TEXT, line TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS facts_at ON facts (at);
CREATE TABLE IF NOT EXISTS sampled (
  day TEXT, holder TEXT, idle REAL NOT NULL, PRIMARY KEY (day, holder)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS days (
  day TEXT, holder TEXT, leases INTEGER NOT NULL, held REAL NOT NULL, idle REAL NOT NULL,
  swaps INTEGER NOT NULL, imposed REAL NOT NULL, PRIMARY KEY (day, holder)
) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class Mark:
    """How far a stream was read."""

    stream: str
    epoch: str
    seq: int
    at: float
    """When the message was told, in epoch seconds."""


class AccountBook:
    """One file. Raises sqlite3.Error; a damaged file is the caller's to set aside."""

    def __init__(self, path: Path) -> None:
        # Synced: a message is acknowledged once it is counted, and nobody tells of it again.
        self._db = open_database(path, _SCHEMA, look_through=True, synced=True)

    def close(self) -> None:
        """Write everything to the one file and let go of it."""
        self._db.close()

    def record(self, facts: Sequence[Fact], mark: Mark | None = None) -> None:
        """Keep facts, each once, and how far their stream was read with them.

        A day that was summed up is final: what comes later than that is left out.
        """
        with transaction(self._db):
            from_now_on = start_of(self.horizon)
            self._db.executemany(
                "INSERT OR IGNORE INTO facts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [_row(fact) for fact in facts if fact.at >= from_now_on],
            )
            early = min((fact.at for fact in facts), default=None)
            if early is not None and early < (self.began or float("inf")):
                self._set("began", str(early))
            if mark is not None:
                self._advance(mark)

    def mark(self, stream: str) -> Mark | None:
        """Return how far a stream was read; None before the first message."""
        found = self._get(f"mark:{stream}")
        if found is None:
            return None
        epoch, seq, at = json.loads(found)
        return Mark(stream, epoch, seq, at)

    @property
    def began(self) -> float | None:
        """When the first thing that is known of happened, in epoch seconds."""
        found = self._get("began")
        return None if found is None else float(found)

    @property
    def horizon(self) -> date:
        """The first day that is not summed up."""
        found = self._get("horizon")
        return date.min if found is None else date.fromisoformat(found)

    def idle(self, holder: str, start: float, end: float) -> None:
        """Note that nothing was done between two moments while somebody held the lease."""
        with transaction(self._db):
            self._db.executemany(
                "INSERT INTO sampled VALUES (?, ?, ?) ON CONFLICT DO UPDATE"
                " SET idle = idle + excluded.idle",
                [(day.isoformat(), holder, seconds) for day, seconds in pieces(start, end)],
            )

    def tallies(self, since: date, now: float) -> dict[tuple[date, str], Tally]:
        """Return what every holder did on every day from ``since`` on."""
        found: dict[tuple[date, str], Tally] = defaultdict(Tally)
        for key, tally in self._days(since).items():
            found[key].add(tally)
        first = max(since, self.horizon)
        for (day, holder), tally in self._living(now).items():
            if day >= first:
                found[day, holder].add(tally)
        return found

    def sum_up(self, before: date, now: float) -> None:
        """Turn the facts of all days before one into sums, for good; forget what is too old."""
        with transaction(self._db):
            horizon = self.horizon
            if before > horizon:
                living = self._living(now)
                done = {key: each for key, each in living.items() if horizon <= key[0] < before}
                self._keep_days(done)
                self._set("horizon", before.isoformat())
                self._forget(start_of(before) - _MARGIN_SECONDS, before, now)
            too_old = (day_of(now) - timedelta(days=KEPT_DAYS)).isoformat()
            self._db.execute("DELETE FROM days WHERE day <= ?", (too_old,))
            self._db.execute(
                "DELETE FROM facts WHERE id IN"
                " (SELECT id FROM facts ORDER BY at DESC LIMIT -1 OFFSET ?)",
                (MOST_FACTS,),
            )

    def _living(self, now: float) -> Tallies:
        """What is not summed up yet, idle time included."""
        found = dict(tallies_of(self._facts(), now))
        rows = self._db.execute("SELECT day, holder, idle FROM sampled")
        for day, holder, seconds in rows:
            tally = found.get((date.fromisoformat(day), holder))
            if tally is not None:
                tally.idle = min(seconds, tally.held)
        return found

    def _keep_days(self, tallies: Tallies) -> None:
        self._db.executemany(
            "INSERT OR REPLACE INTO days VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (day.isoformat(), holder, t.leases, t.held, t.idle, t.swaps, t.imposed)
                for (day, holder), t in largest(tallies, HOLDERS_PER_DAY).items()
            ],
        )

    def _forget(self, moment: float, before: date, now: float) -> None:
        over = over_by(self._facts(), moment, now)
        self._db.executemany("DELETE FROM facts WHERE id = ?", [(each,) for each in over])
        self._db.execute("DELETE FROM sampled WHERE day < ?", (before.isoformat(),))

    def _days(self, since: date) -> Mapping[tuple[date, str], Tally]:
        rows = self._db.execute("SELECT * FROM days WHERE day >= ?", (since.isoformat(),))
        return {(date.fromisoformat(row[0]), row[1]): Tally(*row[2:]) for row in rows}

    def _facts(self) -> list[Fact]:
        rows = self._db.execute("SELECT * FROM facts ORDER BY at, id")
        return [_fact(*row) for row in rows]

    def _advance(self, mark: Mark) -> None:
        known = self.mark(mark.stream)
        # Redelivered messages are older; a stream that was made anew counts from one again.
        if known is None or known.epoch != mark.epoch or known.seq < mark.seq:
            self._set(f"mark:{mark.stream}", json.dumps([mark.epoch, mark.seq, mark.at]))

    def _get(self, key: str) -> str | None:
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def _set(self, key: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))


def largest(tallies: Tallies, most: int) -> dict[tuple[date, str], Tally]:
    """Keep those of each day who weigh most, by name; the rest become one."""
    by_day: dict[date, list[tuple[str, Tally]]] = defaultdict(list)
    for (day, holder), tally in tallies.items():
        by_day[day].append((holder, tally))
    found: dict[tuple[date, str], Tally] = defaultdict(Tally)
    for day, holders in by_day.items():
        holders.sort(key=lambda each: (-each[1].held, -each[1].imposed, each[0]))
        for number, (holder, tally) in enumerate(holders):
            found[day, holder if number < most else OTHERS].add(tally)
    return found


def _fact(
    id: str,
    at: float,
    kind: Kind,
    holder: str,
    epoch: int,
    until: float | None,
    seconds: float,
    ticket: str | None,
    line: str,
) -> Fact:
    places: tuple[Place, ...] = tuple(
        (ticket, who, since, until) for ticket, who, since, until in json.loads(line)
    )
    return Fact(id, at, kind, holder, epoch, until, seconds, ticket, places)


def _row(fact: Fact) -> tuple[str | float | int | None, ...]:
    line = json.dumps(fact.line)
    return (
        *(fact.id, fact.at, fact.kind, fact.holder, fact.epoch, fact.until),
        *(fact.seconds, fact.ticket, line),
    )
