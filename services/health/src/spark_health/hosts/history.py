"""How the Sparks were: means of ever longer steps in one SQLite file that does not grow."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from spark_common.book_file import open_database, transaction
from spark_common.contracts.hardware import HostHistory, Point, Span


@dataclass(frozen=True)
class Step:
    """One resolution. Seconds."""

    seconds: int
    kept: int


STEPS: Final[Mapping[Span, Step]] = {
    "hour": Step(20, 3600),
    "day": Step(300, 86_400),
    "week": Step(3600, 7 * 86_400),
}
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS step (
  host TEXT NOT NULL, seconds INTEGER NOT NULL, at INTEGER NOT NULL, metric TEXT NOT NULL,
  n INTEGER NOT NULL, total REAL NOT NULL, most REAL NOT NULL,
  PRIMARY KEY (host, seconds, at, metric)
) WITHOUT ROWID;
"""
_ADD: Final = """
INSERT INTO step VALUES (?, ?, ?, ?, 1, ?, ?)
ON CONFLICT DO UPDATE SET n = n + 1, total = total + excluded.total, most = max(most, excluded.most)
"""
_MOST: Final = {
    "memory_used": "memory_most",
    "gpu_celsius": "gpu_celsius_most",
    "gpu_watts": "gpu_watts_most",
}


class HistoryBook:
    """The file. Every method raises sqlite3.Error."""

    def __init__(self, path: Path) -> None:
        self._database = open_database(path, _SCHEMA)

    def close(self) -> None:
        """Write everything to the one file and let go of it."""
        self._database.close()

    def add(self, host: str, at: datetime, values: Mapping[str, float]) -> None:
        """Add what was read at one moment to every resolution, and forget what is too old."""
        moment = int(at.timestamp())
        rows = [
            (host, step.seconds, moment - moment % step.seconds, metric, value, value)
            for step in STEPS.values()
            for metric, value in values.items()
        ]
        with transaction(self._database):
            self._database.executemany(_ADD, rows)
            self._forget(moment)

    def read(self, host: str, span: Span, now: datetime) -> HostHistory:
        """Return the steps of a span until now, the oldest first."""
        step, until = STEPS[span], int(now.timestamp())
        rows = self._database.execute(
            "SELECT at, metric, total / n, most FROM step "
            "WHERE host = ? AND seconds = ? AND at > ? AND at <= ? ORDER BY at",
            (host, step.seconds, until - step.kept, until),
        )
        points: dict[int, dict[str, float]] = {}
        for at, metric, mean, most in rows:
            point = points.setdefault(at, {})
            point[metric] = mean
            if metric in _MOST:
                point[_MOST[metric]] = most
        return HostHistory(
            host=host,
            span=span,
            step_seconds=step.seconds,
            points=[
                Point.model_validate({"at": datetime.fromtimestamp(at, UTC), **point})
                for at, point in points.items()
            ],
        )

    def size(self) -> int:
        """Return how many rows there are."""
        (rows,) = self._database.execute("SELECT count(*) FROM step").fetchone()
        return int(rows)

    def _forget(self, moment: int) -> None:
        for step in STEPS.values():
            # What lies far ahead was written while the clock was wrong.
            self._database.execute(
                "DELETE FROM step WHERE seconds = ? AND (at <= ? OR at > ?)",
                (step.seconds, moment - step.kept - step.seconds, moment + 86_400),
            )
