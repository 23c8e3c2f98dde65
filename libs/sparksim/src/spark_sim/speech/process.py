"""One process of the speech server: what breaks in it stays broken until it is another one."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from spark_sim.vllm_http.exchange import ClientGoneError, Exchange


@dataclass
class Process:
    """The state of one run of the server."""

    status: str = "ready"
    """``loading``, ``ready`` or ``failed``."""
    overlay: Mapping[str, str] | None = None
    """Hashes of spark-control's own files, when it was started with them."""
    wedged: bool = False
    over: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when it ended."""
    inside: int = 0
    """Jobs that came and are not over."""
    computing: int = 0
    """Jobs on the GPU at this moment."""
    loop: asyncio.Lock = field(default_factory=asyncio.Lock)
    """The event loop of the image: transcription blocks it, and nothing else is answered."""
    gpu: asyncio.Lock = field(default_factory=asyncio.Lock)
    """The one thread of our own files that owns the GPU: the event loop stays free."""

    @property
    def ended(self) -> bool:
        """Whether it is no more."""
        return self.over.is_set()

    async def unless_over(self, seconds: float) -> None:
        """Wait so long. Raises ClientGoneError when it ends: its connections end with it."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.over.wait(), seconds)
        if self.ended:
            raise ClientGoneError

    @asynccontextmanager
    async def place(self, exchange: Exchange, *, blocks: bool) -> AsyncIterator[None]:
        """Compute: ``blocks`` tells whether the image does this in its event loop.

        What does not block there runs in a thread beside everything else. Our own files drop who
        left before his turn. Raises ClientGoneError.
        """
        if self.overlay is not None:
            await exchange.unless_gone(self.gpu.acquire())
            try:
                yield
            finally:
                self.gpu.release()
        elif blocks:
            async with self.loop:
                yield
        else:
            await self.until_free()
            yield

    async def until_free(self) -> None:
        """Wait until the event loop turns."""
        if self.overlay is None:
            async with self.loop:
                pass
