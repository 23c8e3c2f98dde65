"""Keeps what is asked and answered, only while an owner wants it, and sends it to the coordinator.

Bounded in all directions: what finds no room here is not captured, and no request waits for it.
"""

from collections import deque
from datetime import timedelta
from typing import Final

import structlog

from spark_common.bus import Bus
from spark_common.clock import Clock
from spark_common.contracts.captures import (
    GET_CAPTURE,
    KEEP_BODIES,
    CaptureView,
    GetCapture,
    KeepBodies,
)
from spark_common.errors import SparkError

LOOK_SECONDS: Final = 2.0
MOST_BYTES: Final = 32 * 1024 * 1024
"""Held here at once, of all requests under way and of those that are still to be sent."""
_ASK_SECONDS: Final = 3.0

_LOG = structlog.get_logger()


class Body:
    """The beginning of one body."""

    __slots__ = ("_most", "_pieces", "kept", "size")

    def __init__(self, most: int) -> None:
        self._most = most
        self._pieces: list[bytes] = []
        self.kept = 0
        self.size = 0
        """How long it is, kept or not."""

    def add(self, piece: bytes) -> None:
        """Take the next piece."""
        self.size += len(piece)
        room = self._most - self.kept
        if room > 0:
            self._pieces.append(piece[:room])
            self.kept += min(room, len(piece))

    @property
    def content(self) -> bytes:
        """What is kept of it."""
        return b"".join(self._pieces)


class Bodies:
    """Both bodies of one request. ``asked`` without, ``answered`` with head and framing."""

    __slots__ = ("answered", "asked", "reserved")

    def __init__(self, most: int) -> None:
        self.reserved = 2 * most
        self.asked = Body(most)
        self.answered = Body(most)


class CaptureDesk:
    """Knows whether bodies are wanted, and takes them when a request is over."""

    def __init__(self, bus: Bus, clock: Clock) -> None:
        self._bus = bus
        self._clock = clock
        self._view = CaptureView()
        self._waiting: deque[tuple[int, KeepBodies]] = deque()
        self._reserved = 0

    @property
    def view(self) -> CaptureView:
        """What is wanted now, as far as is known here."""
        return self._view if self._holds() else CaptureView()

    def begin(self) -> Bodies | None:
        """Return where to put the bodies of a request; None when nobody wants them."""
        view = self._view
        if not view.on or not self._holds():
            return None
        bodies = Bodies(view.kilobytes * 1024)
        if self._reserved + bodies.reserved > MOST_BYTES:
            return None
        self._reserved += bodies.reserved
        return bodies

    def end(self, bodies: Bodies, id: str, path: str, seconds: float) -> None:
        """Take what ``begin`` gave; the request came so many seconds ago."""
        if not self._holds():
            self._reserved -= bodies.reserved
            return
        request = KeepBodies.model_construct(
            id=id,
            at=self._clock.now() - timedelta(seconds=seconds),
            path=path,
            asked=bodies.asked.content,
            asked_bytes=bodies.asked.size,
            answered=bodies.answered.content,
            answered_bytes=bodies.answered.size,
        )
        self._waiting.append((bodies.reserved, request))

    def tell(self, view: CaptureView) -> None:
        """The owner just changed it, through this gateway."""
        self._view = view
        if not view.on:
            self._forget()

    async def run(self) -> None:
        """Look and send for ever."""
        while True:
            await self.look()
            await self.send()
            await self._clock.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Ask once; without an answer what is known holds until its time is over."""
        try:
            view = await self._bus.call(GET_CAPTURE, GetCapture(), timeout_seconds=_ASK_SECONDS)
        except SparkError as error:
            _LOG.debug("capture.unanswered", reason=error.code)
        else:
            self.tell(view)

    async def send(self) -> None:
        """Send all that waits; while nobody takes it, it waits, until nobody wants it."""
        if not self._holds():
            self._forget()
        while self._waiting:
            reserved, request = self._waiting[0]
            try:
                await self._bus.call(KEEP_BODIES, request, timeout_seconds=_ASK_SECONDS)
            except SparkError as error:
                _LOG.debug("capture.not_taken", reason=error.code)
                return
            if self._waiting and self._waiting[0][1] is request:
                self._waiting.popleft()
                self._reserved -= reserved

    def _holds(self) -> bool:
        view = self._view
        return view.on and view.until is not None and self._clock.now() < view.until

    def _forget(self) -> None:
        while self._waiting:
            reserved, _ = self._waiting.popleft()
            self._reserved -= reserved
