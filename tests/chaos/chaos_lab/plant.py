"""The processes under attack, and the supervisor that starts again what died."""

import asyncio
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from chaos_lab.fast_clock import ACK_WAIT_SECONDS
from chaos_lab.sandbox import Sandbox

from spark_common.bus.provision import provision
from spark_common.bus.streams import STREAMS
from spark_common.clock import SystemClock
from spark_common.embedded import NatsServer, RedisServer
from spark_common.testing.wait import until

FENCED = 76
_MOST_BREAKDOWNS = 50
SCALED_STREAMS = tuple(
    replace(
        spec,
        consumers=tuple(
            replace(consumer, ack_wait_seconds=ACK_WAIT_SECONDS) for consumer in spec.consumers
        ),
    )
    for spec in STREAMS
)


class Plant:
    """nats-server, redis-server and one swapper at a time, zombies aside."""

    def __init__(self, root: Path, variant: str = "real") -> None:
        self.sandbox = Sandbox(root / "sparks")
        self.nats = NatsServer(root / "nats")
        self.redis = RedisServer(root / "redis")
        self.current: int | None = None
        """Process number of the swapper the supervisor looks after."""
        self.exits: Counter[int] = Counter()
        """How swappers ended: 76 fenced, negative by a signal."""
        self._root = root
        self._variant = variant
        self._alive: set[int] = set()
        self._nursery: asyncio.subprocess.Process | None = None
        self._supervised = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Plant"]:
        """Run everything; whatever happens, nothing is left behind."""
        self.sandbox.create()
        watching: asyncio.Task[None] | None = None
        try:
            await asyncio.gather(self.nats.start(), self.redis.start())
            await self.provision()
            await self._open_nursery()
            watching = asyncio.create_task(self._watch())
            self._supervised = True
            await self.start_swapper()
            yield self
        finally:
            self._supervised = False
            if self._nursery is not None and self._nursery.returncode is None:
                self._nursery.kill()
                await self._nursery.wait()
            if watching is not None:
                await watching
            await asyncio.gather(self.nats.kill(), self.redis.kill())

    async def provision(self) -> None:
        """Create or repair streams and consumers, with their waits scaled."""
        await provision(self.nats.settings("provisioner"), SystemClock(), SCALED_STREAMS)

    async def start_swapper(self) -> None:
        """Start a swapper and look after it from now on; an older one becomes a zombie."""
        old = self.current
        self._ask_for_one()
        await until(lambda: self.current not in (None, old), "a swapper is started")

    async def end_swapper(self) -> None:
        """Kill the swapper and start no other one."""
        self._supervised = False
        if self.current is not None:
            self.signal(self.current, signal.SIGKILL)
        await until(lambda: not self._alive, "no swapper lives")
        self.current = None
        self._supervised = True

    def signal(self, pid: int, number: signal.Signals) -> bool:
        """Send a signal to a swapper; False when it is gone."""
        if pid not in self._alive:
            return False
        os.kill(pid, number)
        return True

    def lives(self, pid: int) -> bool:
        """Say whether a swapper has not ended."""
        return pid in self._alive

    async def _open_nursery(self) -> None:
        script = Path(__file__).parent.parent / "swapper_process.py"
        with (self._root / "nursery.log").open("wb") as log:
            self._nursery = await asyncio.create_subprocess_exec(
                sys.executable,
                script,
                self.sandbox.root,
                self.nats.url,
                self.nats.settings("swapper").seed_file or "",
                self.redis.url,
                self.redis.password_file,
                str(time.time()),
                self._variant,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )

    def _ask_for_one(self) -> None:
        assert self._nursery is not None
        assert self._nursery.stdin is not None
        self._nursery.stdin.write(b"start\n")

    async def _watch(self) -> None:
        assert self._nursery is not None
        assert self._nursery.stdout is not None
        async for line in self._nursery.stdout:
            word, pid, *code = line.split()
            if word == b"started":
                self.current = int(pid)
                self._alive.add(self.current)
                continue
            self._alive.discard(int(pid))
            self.exits[int(code[0])] += 1
            if self._supervised and int(pid) == self.current:
                # A swapper that never stays up is no fault to be healed by another start.
                if self.exits[1] > _MOST_BREAKDOWNS:
                    raise AssertionError(f"the swapper breaks down again and again: {self.exits}")
                self._ask_for_one()
        # The forks die with the nursery: the kernel kills them.
        self._alive.clear()
