"""Puts the capture of bodies together: five verbs, and the end of its time."""

from datetime import timedelta
from pathlib import Path
from typing import Final

import structlog

from spark_common.book_file import BookFile
from spark_common.bus.port import Serving
from spark_common.clock import Clock
from spark_common.contracts.captures import (
    BEGIN_CAPTURE,
    END_CAPTURE,
    GET_CAPTURE,
    KEEP_BODIES,
    READ_CAPTURE,
    BeginCapture,
    Capture,
    CaptureView,
    EndCapture,
    GetCapture,
    KeepBodies,
    Kept,
    ReadCapture,
)
from spark_common.errors import NotFoundError, UnavailableError
from spark_coordinator.captures.book import CaptureBook, Terms
from spark_coordinator.feature import Feature

NAME: Final = "captures.sqlite"
LOOK_SECONDS: Final = 5.0

_log = structlog.get_logger()


class Captures:
    """All captured bodies. Every method raises UnavailableError while the file is away."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._file = BookFile(
            folder / NAME, CaptureBook, clock, "captured bodies", keep_damaged=False
        )
        self._clock = clock

    async def get(self, request: GetCapture) -> CaptureView:
        """Return whether bodies are captured."""
        return await self._file.run(self._view)

    async def begin(self, request: BeginCapture) -> CaptureView:
        """Capture from now on."""
        until = self._clock.now() + timedelta(minutes=request.minutes)
        terms = Terms(until, request.kilobytes, request.requested_by)

        def start(book: CaptureBook) -> CaptureView:
            self._standing(book)
            book.begin(terms)
            return self._view(book)

        view = await self._file.run(start)
        _log.warning("capture.began", until=until.isoformat(), by=request.requested_by)
        return view

    async def end(self, request: EndCapture) -> CaptureView:
        """Stop, and delete everything."""
        await self._file.run(lambda book: book.end())
        _log.info("capture.ended")
        return CaptureView()

    async def keep(self, request: KeepBodies) -> Kept:
        """Keep the bodies of one request, unless nobody wants them any more."""

        def keep(book: CaptureBook) -> bool:
            return self._standing(book) is not None and book.keep(request)

        return Kept(kept=await self._file.run(keep))

    async def read(self, request: ReadCapture) -> Capture:
        """Return the bodies of one request. Raises NotFoundError."""

        def find(book: CaptureBook) -> Capture | None:
            terms = self._standing(book)
            return book.read(request.id, terms.until) if terms is not None else None

        found = await self._file.run(find)
        if found is None:
            raise NotFoundError(
                "of this request no bodies are kept: they were not captured, or their time is over"
            )
        return found

    async def look(self) -> None:
        """Delete everything if its time is over."""
        if (self._folder / NAME).exists():
            await self._file.run(self._standing)

    async def run(self) -> None:
        """Look for ever: bodies must not outlive their time because nobody asks."""
        while True:
            try:
                await self.look()
            except UnavailableError as error:
                _log.warning("capture.not_ended", reason=error.message)
            await self._clock.sleep(LOOK_SECONDS)

    async def close(self) -> None:
        """Close the file; once more is harmless."""
        await self._file.close()

    def _standing(self, book: CaptureBook) -> Terms | None:
        """Return the terms that hold now; when they are over, everything goes."""
        terms = book.terms()
        if terms is None or self._clock.now() < terms.until:
            return terms
        book.end()
        _log.info("capture.ended")
        return None

    def _view(self, book: CaptureBook) -> CaptureView:
        terms = self._standing(book)
        if terms is None:
            return CaptureView()
        return CaptureView(
            on=True,
            until=terms.until,
            kilobytes=terms.kilobytes,
            requested_by=terms.requested_by,
            kept=book.count(),
            dropped=terms.dropped,
        )


def captures(folder: Path, clock: Clock) -> Feature:
    """Return the feature; ``folder`` is the coordinator's below DATA_DIR."""
    kept = Captures(folder, clock)
    return Feature(
        verbs=[
            Serving(GET_CAPTURE, kept.get, limit=4),
            Serving(BEGIN_CAPTURE, kept.begin, limit=1),
            Serving(END_CAPTURE, kept.end, limit=1),
            Serving(KEEP_BODIES, kept.keep, limit=4),
            Serving(READ_CAPTURE, kept.read, limit=4),
        ],
        background=[kept.run],
    )
