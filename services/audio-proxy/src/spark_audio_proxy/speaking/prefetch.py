"""Pieces spoken ahead of the one that is heard, joined without a gap."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from typing import Final

from spark_common.tasks import end

AHEAD: Final = 2
"""Pieces that are fetched while one is heard."""

Speak = Callable[[str], AsyncGenerator[bytes, None]]
Turn = Callable[[str], AbstractAsyncContextManager[object]]
"""A place at the GPU, for the call that speaks a piece."""


async def joined(pieces: Sequence[str], speak: Speak, turn: Turn) -> AsyncGenerator[bytes, None]:
    """Yield the samples of all pieces, in order; raises what the first failing piece raises.

    A call holds its place at the GPU for as long as the server works, however slowly the caller
    listens. Closing the iterator ends every call and gives up every place in the line.
    """
    running: list[_Piece] = []
    waiting = iter(pieces)
    try:
        while True:
            for text in waiting:
                running.append(_Piece(text, speak, turn))
                if len(running) > AHEAD:
                    break
            if not running:
                return
            async for samples in running[0].heard():
                yield samples
            running.pop(0)
    finally:
        await end([piece.work for piece in running])


class _Piece:
    """One piece that is being fetched; all of it fits into memory."""

    def __init__(self, text: str, speak: Speak, turn: Turn) -> None:
        self._said: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.work = asyncio.create_task(self._fetch(text, speak, turn))

    async def _fetch(self, text: str, speak: Speak, turn: Turn) -> None:
        try:
            async with turn(text), aclosing(speak(text)) as spoken:
                async for samples in spoken:
                    self._said.put_nowait(samples)
        finally:
            self._said.put_nowait(None)

    async def heard(self) -> AsyncGenerator[bytes, None]:
        """Yield what was fetched, as it comes; raises what ended it."""
        while (samples := await self._said.get()) is not None:
            yield samples
        await self.work
