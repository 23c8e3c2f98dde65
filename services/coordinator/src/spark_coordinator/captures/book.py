"""Captured bodies and the time for which they are wanted, as one SQLite file. Blocking."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from spark_common.book_file import open_database, transaction
from spark_common.contracts.captures import Capture, KeepBodies

MOST_BYTES: Final = 64 * 1024 * 1024
"""Of all bodies together."""

_SCHEMA = """
PRAGMA secure_delete = ON;
CREATE TABLE IF NOT EXISTS terms (
  one INTEGER PRIMARY KEY CHECK (one = 1), until REAL NOT NULL, kilobytes INTEGER NOT NULL,
  requested_by TEXT NOT NULL, dropped INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS bodies (
  number INTEGER PRIMARY KEY, id TEXT NOT NULL, at REAL NOT NULL, path TEXT NOT NULL,
  asked BLOB NOT NULL, asked_bytes INTEGER NOT NULL,
  answered BLOB NOT NULL, answered_bytes INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS bodies_id ON bodies (id);
"""


@dataclass(frozen=True)
class Terms:
    """For how long bodies are wanted, and how much of each."""

    until: datetime
    kilobytes: int
    requested_by: str
    dropped: int = 0


class CaptureBook:
    """One file; what is deleted is overwritten. Raises sqlite3.Error."""

    def __init__(self, path: Path) -> None:
        # Not ahead in a log of its own: what is deleted must not be left there.
        self._db = open_database(path, _SCHEMA, journal="DELETE")

    def close(self) -> None:
        """Write everything to the one file and let go of it."""
        self._db.close()

    def terms(self) -> Terms | None:
        """Return for how long bodies are wanted; None: they are not. May be over."""
        row = self._db.execute(
            "SELECT until, kilobytes, requested_by, dropped FROM terms"
        ).fetchone()
        if row is None:
            return None
        return Terms(datetime.fromtimestamp(row[0], UTC), *row[1:])

    def begin(self, terms: Terms) -> None:
        """Want bodies from now on; what was captured before is kept as long."""
        with transaction(self._db):
            self._db.execute(
                "INSERT OR REPLACE INTO terms VALUES (1, ?, ?, ?, ?)",
                (terms.until.timestamp(), terms.kilobytes, terms.requested_by, terms.dropped),
            )

    def end(self) -> None:
        """Want none any more, and delete all there are."""
        with transaction(self._db):
            self._db.execute("DELETE FROM terms")
            self._db.execute("DELETE FROM bodies")
        self._db.execute("VACUUM")

    def count(self) -> int:
        """Return of how many requests there are bodies."""
        (number,) = self._db.execute("SELECT count(*) FROM bodies").fetchone()
        return int(number)

    def keep(self, bodies: KeepBodies, most: int = MOST_BYTES) -> bool:
        """Keep bodies; return whether there was room."""
        with transaction(self._db):
            (used,) = self._db.execute(
                "SELECT coalesce(sum(length(asked) + length(answered)), 0) FROM bodies"
            ).fetchone()
            if used + len(bodies.asked) + len(bodies.answered) > most:
                self._db.execute("UPDATE terms SET dropped = dropped + 1")
                return False
            self._db.execute(
                "INSERT INTO bodies (id, at, path, asked, asked_bytes, answered, answered_bytes)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    *(bodies.id, bodies.at.timestamp(), bodies.path),
                    *(bodies.asked, bodies.asked_bytes),
                    *(bodies.answered, bodies.answered_bytes),
                ),
            )
        return True

    def read(self, id: str, until: datetime) -> Capture | None:
        """Return the newest bodies under an id."""
        row = self._db.execute(
            "SELECT at, path, asked, asked_bytes, answered, answered_bytes FROM bodies"
            " WHERE id = ? ORDER BY number DESC LIMIT 1",
            (id,),
        ).fetchone()
        if row is None:
            return None
        # As it comes, without another round of base64.
        return Capture.model_construct(
            id=id,
            at=datetime.fromtimestamp(row[0], UTC),
            path=row[1],
            until=until,
            asked=row[2],
            asked_bytes=row[3],
            answered=row[4],
            answered_bytes=row[5],
        )
