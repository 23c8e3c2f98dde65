"""Programs of a Spark that are none of ours: one that eats memory, one that takes the port."""

import asyncio

from spark_sim.config import VLLM_PORT
from spark_sim.memory import GIB_KB, HostMemory
from spark_sim.pace import Pace

LEAK_GIB_PER_SECOND = 8.0
_LEAVES_KB = 2.0 * GIB_KB
"""A leak slows down to nothing when there is hardly anything to be had."""
_STEP_SECONDS = 0.5
USER = 1000
"""Strangers run under the account of a person, not in a container."""


class Strangers:
    """Starts and ends them; ``close`` ends all."""

    def __init__(self, address: str, memory: HostMemory, pace: Pace) -> None:
        self._address = address
        self._memory = memory
        self._pace = pace
        self._leak: asyncio.Task[None] | None = None
        self._server: asyncio.Server | None = None
        self.leak_gib_per_second = LEAK_GIB_PER_SECOND
        """How fast a leak takes memory, in the Spark's seconds."""

    @property
    def ports(self) -> tuple[int, ...]:
        """Ports they listen on."""
        return (VLLM_PORT,) if self._server is not None else ()

    async def take_port(self, on: bool) -> None:
        """Listen where vLLM wants to, or stop it. Raises OSError when something listens there."""
        if on and self._server is None:
            self._server = await asyncio.start_server(_hang_up, self._address, VLLM_PORT)
        elif not on and self._server is not None:
            self._server.close()
            self._server = None

    async def leak(self, on: bool) -> None:
        """Take more and more memory, or give all of it back."""
        if self._leak is not None:
            self._leak.cancel()
            await asyncio.gather(self._leak, return_exceptions=True)
            self._leak = None
            self._memory.foreign_kb = 0.0
        if on:
            self._leak = asyncio.create_task(self._grow())

    async def close(self) -> None:
        """End all of them."""
        await self.leak(on=False)
        await self.take_port(on=False)

    async def _grow(self) -> None:
        while True:
            wanted = self.leak_gib_per_second * _STEP_SECONDS * GIB_KB
            room = max(0.0, self._memory.available_kb - _LEAVES_KB)
            self._memory.foreign_kb += min(wanted, room)
            await self._pace.sleep(_STEP_SECONDS)


async def _hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()
