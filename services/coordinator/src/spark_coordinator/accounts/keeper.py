"""The accounts' file, and what it says when somebody asks."""

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import TypeVar

from spark_common.book_file import BookFile
from spark_common.clock import Clock
from spark_common.contracts.accountability import Accountability
from spark_coordinator.accounts.book import AccountBook, Mark
from spark_coordinator.accounts.facts import Fact
from spark_coordinator.accounts.report import report, since_of

NAME = "accounts.sqlite"

ResultT = TypeVar("ResultT")


class Keeper:
    """One file. Every method raises UnavailableError while it cannot be used."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._file = BookFile(folder / NAME, AccountBook, clock, "accounts")
        self._clock = clock

    async def close(self) -> None:
        """Close the file; once more is harmless."""
        await self._file.close()

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
        return await self._file.run(work)

    def _set_aside_sentences(self) -> list[str]:
        return [
            f"The file of the accounts was damaged and is kept as {place.name}. What events still "
            "tell was counted anew; idle minutes and older days are lost. "
            "Delete that file to be rid of this message."
            for place in self._file.set_aside()
        ]
