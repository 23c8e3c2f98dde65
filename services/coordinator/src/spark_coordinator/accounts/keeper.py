"""The accounts' file behind a thread, opened when it is needed and set aside when it is broken."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import TypeVar

import structlog

from spark_common.clock import Clock
from spark_common.contracts.accountability import Accountability
from spark_common.errors import UnavailableError
from spark_coordinator.accounts.book import AccountBook, Mark, is_damage
from spark_coordinator.accounts.facts import Fact
from spark_coordinator.accounts.report import report, since_of

NAME = "accounts.sqlite"
_KEPT_BROKEN = 3
"""Files set aside that are kept; a disk that breaks one after the other must not fill up."""

_log = structlog.get_logger()
ResultT = TypeVar("ResultT")


class Keeper:
    """One thread, one file. Every method raises UnavailableError while the file cannot be used."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._path = folder / NAME
        self._clock = clock
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="accounts")
        self._book: AccountBook | None = None
        self._problem: str | None = None
        self._closed = False

    async def close(self) -> None:
        """Close the file and end the thread; once more is harmless."""
        if not self._closed:
            self._closed = True
            self._thread.submit(self._shut)
        await asyncio.to_thread(self._thread.shutdown)

    async def record(self, facts: Sequence[Fact], mark: Mark | None = None) -> None:
        """Keep facts, each once, and how far their stream was read with them."""
        await self._run(lambda book: book.record(facts, mark))

    async def mark(self, stream: str) -> Mark | None:
        """Return how far a stream was read; None when the file knows nothing of it."""
        return await self._run(lambda book: book.mark(stream))

    async def idle(self, holder: str, seconds: float) -> None:
        """Note that nothing was done for so long, until now, while somebody held the lease."""
        now = self._clock.now().timestamp()
        await self._run(lambda book: book.idle(holder, now - seconds, now))

    async def sum_up(self, before: date) -> None:
        """Turn the facts of all days before one into sums."""
        now = self._clock.now().timestamp()
        await self._run(lambda book: book.sum_up(before, now))

    async def report(self, days: int) -> Accountability:
        """Return what every holder did in the last days, today included."""
        now = self._clock.now().timestamp()
        since = since_of(days, now)

        def read(book: AccountBook) -> Accountability:
            told = self._set_aside_sentences()
            return report(book.tallies(since, now), since, now, book.began, told)

        return await self._run(read)

    async def _run(self, work: Callable[[AccountBook], ResultT]) -> ResultT:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._safely, work)

    def _safely(self, work: Callable[[AccountBook], ResultT]) -> ResultT:
        try:
            try:
                result = work(self._opened())
            except sqlite3.Error as error:
                if not is_damage(error):
                    raise
                self._set_aside(str(error))
                result = work(self._opened())
        except (sqlite3.Error, OSError) as error:
            raise self._away(error) from error
        self._problem = None
        return result

    def _opened(self) -> AccountBook:
        if self._book is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._book = AccountBook(self._path)
        return self._book

    def _shut(self) -> None:
        book, self._book = self._book, None
        if book is not None:
            with suppress(sqlite3.Error):
                book.close()

    def _set_aside(self, reason: str) -> None:
        """Move the broken file out of the way; its events are read again from the streams."""
        self._shut()
        moment = self._clock.now().strftime("%Y%m%dT%H%M%SZ")
        place = self._path.with_name(f"{NAME}.damaged-{moment}")
        self._path.replace(place)
        for suffix in ("-wal", "-shm"):
            self._path.with_name(NAME + suffix).unlink(missing_ok=True)
        for old in self._broken()[:-_KEPT_BROKEN]:
            old.unlink(missing_ok=True)
        _log.error("accounts.set_aside", file=str(place), reason=reason)

    def _broken(self) -> list[Path]:
        return sorted(self._folder.glob(f"{NAME}.damaged-*"))

    def _set_aside_sentences(self) -> list[str]:
        return [
            f"The file of the accounts was damaged and is kept as {place.name}. What events still "
            "tell was counted anew; idle minutes and older days are lost. "
            "Delete that file to be rid of this message."
            for place in self._broken()
        ]

    def _away(self, error: Exception) -> UnavailableError:
        sentence = (
            f"The accounts cannot be kept in {self._path} ({error}). "
            "See that DATA_DIR of the coordinator is a folder it may write to, with room left."
        )
        if sentence != self._problem:
            _log.warning("accounts.away", reason=str(error))
        self._problem = sentence
        return UnavailableError(sentence)
