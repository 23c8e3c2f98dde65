"""Writes down every answer: the history on its own thread, the hardware address in Redis."""

import asyncio
from pathlib import Path

import structlog

from spark_common.book_file import BookFile
from spark_common.clock import Clock
from spark_common.contracts.hardware import HostHistory, Span
from spark_common.errors import UnavailableError
from spark_health.hosts.history import HistoryBook
from spark_health.hosts.remembering import Remembered
from spark_health.hosts.showing import metrics_of
from spark_health.hosts.sight import Sight

NAME = "hardware.sqlite"
_WAITING = 200
"""Answers that wait for a slow disk; the oldest are dropped, and the looking goes on."""
_log = structlog.get_logger()


class Keeper:
    """Never makes anybody wait who looks."""

    def __init__(self, folder: Path, remembered: Remembered, clock: Clock) -> None:
        self._file = BookFile(
            folder / NAME, HistoryBook, clock, "history of the hardware", keep_damaged=False
        )
        self._remembered = remembered
        self._clock = clock
        self._waiting: asyncio.Queue[Sight] = asyncio.Queue(_WAITING)
        self._problem: str | None = None

    @property
    def problems(self) -> list[str]:
        """Why the history may have a gap."""
        return [self._problem] if self._problem else []

    def take(self, sight: Sight) -> None:
        """Take an answer to be written down."""
        if self._waiting.full():
            self._waiting.get_nowait()
        self._waiting.put_nowait(sight)

    async def run(self) -> None:
        """Write for ever."""
        await self._recall()
        while True:
            sight = await self._waiting.get()
            await self._keep(sight)
            try:
                await self._remembered.recall()
                await self._remembered.note(sight)
            except UnavailableError as error:
                _log.debug("hosts.address_not_kept", reason=error.message)

    async def history(self, host: str, span: Span) -> HostHistory:
        """Return one span; raises UnavailableError while the file cannot be used."""
        now = self._clock.now()
        return await self._file.run(lambda book: book.read(host, span, now))

    async def close(self) -> None:
        """Close the file."""
        await self._file.close()

    async def _recall(self) -> None:
        try:
            await self._remembered.recall()
        except UnavailableError as error:
            _log.debug("hosts.not_recalled", reason=error.message)

    async def _keep(self, sight: Sight) -> None:
        values, at = metrics_of(sight), sight.read_at
        if at is None or not values:
            return
        try:
            await self._file.run(lambda book: book.add(sight.host.name, at, values))
        except UnavailableError as error:
            self._problem = error.message
        else:
            self._problem = None
