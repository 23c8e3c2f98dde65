"""The request log as one SQLite file. Blocking; ``spark_common.book_file`` runs it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from spark_common.book_file import open_database, transaction
from spark_common.contracts.requests import ListRequests, LoggedRequest, RequestRow, Requests

MOST_LINES: Final = 2_000_000
"""About half a gigabyte; the oldest go first."""
_FORGOTTEN_AT_ONCE: Final = 5_000
"""Lines deleted before others get their turn with the file."""

_COLUMNS: Final = (
    *("mark", "id", "at", "method", "path", "model", "upstream", "status", "end"),
    *("first_byte_ms", "first_token_ms", "total_ms", "queue_ms"),
    *("prompt_tokens", "completion_tokens", "cached_tokens", "tokens_estimated"),
    *("bytes_in", "bytes_out", "key", "user", "address", "client", "retry"),
)
_SEARCHED: Final = ("id", "path", "model", "key", "user", "address", "client", "end")
_NAMES: Final = ", ".join(f'"{name}"' for name in _COLUMNS)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS requests (
  number INTEGER PRIMARY KEY AUTOINCREMENT, "mark" TEXT NOT NULL UNIQUE, "id" TEXT NOT NULL,
  "at" REAL NOT NULL, "method" TEXT NOT NULL, "path" TEXT NOT NULL, "model" TEXT NOT NULL,
  "upstream" TEXT NOT NULL, "status" INTEGER, "end" TEXT NOT NULL,
  "first_byte_ms" REAL, "first_token_ms" REAL, "total_ms" REAL NOT NULL, "queue_ms" REAL NOT NULL,
  "prompt_tokens" INTEGER, "completion_tokens" INTEGER, "cached_tokens" INTEGER,
  "tokens_estimated" INTEGER NOT NULL, "bytes_in" INTEGER NOT NULL, "bytes_out" INTEGER NOT NULL,
  "key" TEXT NOT NULL, "user" TEXT NOT NULL, "address" TEXT NOT NULL, "client" TEXT NOT NULL,
  "retry" INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS requests_at ON requests ("at");
"""


class RequestBook:
    """One file. Raises sqlite3.Error; a damaged file is the caller's to set aside."""

    def __init__(self, path: Path) -> None:
        self._db = open_database(path, _SCHEMA)

    def close(self) -> None:
        """Write everything to the one file and let go of it."""
        self._db.close()

    def append(self, lines: Sequence[LoggedRequest]) -> None:
        """Keep lines, each once."""
        places = ", ".join("?" * len(_COLUMNS))
        with transaction(self._db):
            self._db.executemany(
                f"INSERT OR IGNORE INTO requests ({_NAMES}) VALUES ({places})",  # noqa: S608 - names of ours
                [_row(line) for line in lines],
            )

    def find(self, wanted: ListRequests) -> Requests:
        """Return the newest lines that fit, and where older ones begin."""
        conditions, values = _conditions(wanted)
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        found = self._db.execute(
            f"SELECT number, {_NAMES} FROM requests {where} ORDER BY number DESC LIMIT ?",  # noqa: S608 - names of ours
            (*values, wanted.limit + 1),
        ).fetchall()
        rows = [_line(row) for row in found[: wanted.limit]]
        more = len(found) > wanted.limit
        return Requests(requests=rows, older_before=rows[-1].number if more else None)

    def forget(self, before: datetime, most: int = MOST_LINES) -> int:
        """Delete some of what is older or too much; return how many lines went, 0 when done."""
        with transaction(self._db):
            (newest,) = self._db.execute("SELECT max(number) FROM requests").fetchone()
            gone = self._db.execute(
                "DELETE FROM requests WHERE number IN"
                " (SELECT number FROM requests WHERE at < ? LIMIT ?)",
                (before.timestamp(), _FORGOTTEN_AT_ONCE),
            ).rowcount
            gone += self._db.execute(
                "DELETE FROM requests WHERE number IN"
                " (SELECT number FROM requests WHERE number <= ? ORDER BY number LIMIT ?)",
                ((newest or 0) - most, _FORGOTTEN_AT_ONCE),
            ).rowcount
        return gone


def _conditions(wanted: ListRequests) -> tuple[list[str], list[str | float | int]]:
    conditions: list[str] = []
    values: list[str | float | int] = []

    def must(condition: str, *given: str | float | int) -> None:
        conditions.append(condition)
        values.extend(given)

    if wanted.before is not None:
        must("number < ?", wanted.before)
    if wanted.since is not None:
        must('"at" >= ?', _moment(wanted.since))
    if wanted.until is not None:
        must('"at" < ?', _moment(wanted.until))
    if wanted.model is not None:
        must('"model" = ?', wanted.model)
    if wanted.caller is not None:
        must('? IN ("key", "user", "address")', wanted.caller)
    if wanted.status == "none":
        must('"status" IS NULL')
    elif wanted.status is not None:
        lowest = int(wanted.status.replace("xx", "00"))
        must('"status" BETWEEN ? AND ?', lowest, lowest + 99 * wanted.status.endswith("xx"))
    if wanted.q:
        part = f"%{_escaped(wanted.q)}%"
        anywhere = " OR ".join(f"\"{name}\" LIKE ? ESCAPE '\\'" for name in _SEARCHED)
        must(f"({anywhere})", *[part] * len(_SEARCHED))
    return conditions, values


def _moment(when: datetime) -> float:
    """Return epoch seconds; a time that says no zone is meant in UTC."""
    return (when if when.tzinfo is not None else when.replace(tzinfo=UTC)).timestamp()


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _row(line: LoggedRequest) -> tuple[str | float | int | None, ...]:
    values = line.model_dump(include=set(_COLUMNS)) | {"at": _moment(line.at)}
    return tuple(values[name] for name in _COLUMNS)


def _line(row: tuple[str | float | int | None, ...]) -> RequestRow:
    values = dict(zip(("number", *_COLUMNS), row, strict=True))
    return RequestRow.model_validate(values)
