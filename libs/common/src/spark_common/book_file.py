"""A book in one SQLite file behind a thread: opened when needed, set aside when it is broken."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Generic, Literal, Protocol, TypeVar

import structlog

from spark_common.clock import Clock
from spark_common.errors import UnavailableError

_KEPT_BROKEN = 3
"""Files set aside that are kept; a disk that breaks one after the other must not fill up."""
_BUSY_SECONDS = 5.0

_log = structlog.get_logger()


class Book(Protocol):
    """What is written into the file. Raises sqlite3.Error."""

    def close(self) -> None:
        """Write everything to the one file and let go of it."""
        ...


BookT = TypeVar("BookT", bound=Book)
ResultT = TypeVar("ResultT")


class BookFile(Generic[BookT]):
    """One thread, one file, shared with other processes through SQLite's own locks."""

    def __init__(
        self,
        path: Path,
        opening: Callable[[Path], BookT],
        clock: Clock,
        what: str,
        *,
        keep_damaged: bool = True,
    ) -> None:
        """``what``: the book in a sentence, for example ``accounts``.

        ``keep_damaged``: whether a broken file stays beside the new one, or is deleted.
        """
        self.path = path
        self._opening = opening
        self._clock = clock
        self._what = what
        self._most_kept = _KEPT_BROKEN if keep_damaged else 0
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=what.replace(" ", "-"))
        self._book: BookT | None = None
        self._problem: str | None = None
        self._closed = False

    async def close(self) -> None:
        """Close the file and end the thread; once more is harmless."""
        if not self._closed:
            self._closed = True
            self._thread.submit(self._shut)
        await asyncio.to_thread(self._thread.shutdown)

    async def run(self, work: Callable[[BookT], ResultT]) -> ResultT:
        """Do something with the book. Raises UnavailableError while the file cannot be used."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._safely, work)

    def set_aside(self) -> list[Path]:
        """Return the files that were damaged and are kept, the oldest first."""
        return sorted(self.path.parent.glob(f"{self.path.name}.damaged-*"))

    def _safely(self, work: Callable[[BookT], ResultT]) -> ResultT:
        try:
            try:
                result = work(self._opened())
            except sqlite3.Error as error:
                if not is_damage(error):
                    raise
                self._put_aside(str(error))
                result = work(self._opened())
        except (sqlite3.Error, OSError) as error:
            raise self._away(error) from error
        self._problem = None
        return result

    def _opened(self) -> BookT:
        if self._book is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._book = self._opening(self.path)
        return self._book

    def _shut(self) -> None:
        book, self._book = self._book, None
        if book is not None:
            with suppress(sqlite3.Error):
                book.close()

    def _put_aside(self, reason: str) -> None:
        self._shut()
        moment = self._clock.now().strftime("%Y%m%dT%H%M%SZ")
        place = self.path.with_name(f"{self.path.name}.damaged-{moment}")
        self.path.replace(place)
        for suffix in ("-wal", "-shm", "-journal"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
        broken = self.set_aside()
        for old in broken[: max(0, len(broken) - self._most_kept)]:
            old.unlink(missing_ok=True)
        _log.error("book.set_aside", book=self._what, file=str(place), reason=reason)

    def _away(self, error: Exception) -> UnavailableError:
        sentence = (
            f"The {self._what} cannot be kept in {self.path} ({error}). "
            "See that DATA_DIR is a folder the service may write to, with room left."
        )
        if sentence != self._problem:
            _log.warning("book.away", book=self._what, reason=str(error))
        self._problem = sentence
        return UnavailableError(sentence)


def open_database(
    path: Path,
    schema: str,
    *,
    look_through: bool = False,
    synced: bool = False,
    journal: Literal["WAL", "DELETE"] = "WAL",
) -> sqlite3.Connection:
    """Open a file that several processes may use at once. Raises sqlite3.Error.

    ``look_through``: all of it, at once. ``synced``: what was done outlives a power cut; where it
    is not, the last of it may be lost, and the file stays whole.
    """
    database = sqlite3.connect(
        path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        database.execute(f"PRAGMA journal_mode = {journal}")
        database.execute(f"PRAGMA synchronous = {'FULL' if synced else 'NORMAL'}")
        if look_through:
            (sound,) = database.execute("PRAGMA quick_check(1)").fetchone()
            if sound != "ok":
                raise damaged(str(sound))
        database.executescript(schema)
    except BaseException:
        database.close()
        raise
    return database


@contextmanager
def transaction(database: sqlite3.Connection) -> Iterator[None]:
    """Do all of it or nothing."""
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")


def damaged(what: str) -> sqlite3.DatabaseError:
    """Return the error that SQLite raises itself where it notices damage."""
    error = sqlite3.DatabaseError(what)
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error


def is_damage(error: sqlite3.Error) -> bool:
    """Say whether the file itself is broken, and not only busy, full or forbidden."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
