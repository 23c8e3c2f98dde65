"""A client of the hub: a short queue, and no patience."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

QUEUE_FRAMES = 512
QUEUE_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Item:
    """Something for a client: bytes for the wire, and what its follower needs to know of them."""

    frame: bytes
    closes: bool = False
    """The outcome of the swap that is followed: nothing comes after it."""
    resync_before: int | None = None
    """Not for the wire: look at everything again; what was told before this mark is in it."""


class Subscriber:
    """A bounded queue of one client. When it is full the client is dropped, never waited for.

    The client reconnects and resumes by ``Last-Event-ID``; memory per client stays bounded.
    """

    def __init__(self, frames: int = QUEUE_FRAMES, size_bytes: int = QUEUE_BYTES) -> None:
        self.dropped = asyncio.Event()
        """Set when the client was too slow: stop at once."""
        self._queue: deque[Item] = deque()
        self._room_frames = frames
        self._room_bytes = size_bytes
        self._bytes = 0
        self._wake = asyncio.Event()
        self._closed = False

    def offer(self, item: Item) -> bool:
        """Queue an item; return False when that overflowed the queue and dropped the client."""
        if self._closed:
            return True
        self._bytes += len(item.frame)
        if len(self._queue) >= self._room_frames or self._bytes > self._room_bytes:
            self._queue.clear()
            self.dropped.set()
            self.close()
            return False
        self._queue.append(item)
        self._wake.set()
        return True

    def close(self) -> None:
        """Let the client take what is queued, then end."""
        self._closed = True
        self._wake.set()

    async def take(self) -> Sequence[Item]:
        """Wait for something and return all of it; empty once the queue was closed and is empty."""
        while not self._queue and not self._closed:
            self._wake.clear()
            await self._wake.wait()
        return self.drain()

    def drain(self) -> Sequence[Item]:
        """Return what is queued now, without waiting."""
        items = tuple(self._queue)
        self._queue.clear()
        self._bytes = 0
        return items
