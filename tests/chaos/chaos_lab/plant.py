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
_MOST_STILLBORN = 5
_STILLBORN_SECONDS = 2.0
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
        self._started_at = 0.0
        self._stillborn = 0
        self._nursery: asyncio.subprocess.Process | None = None
        self._supervised = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Plant"]:
        """Run everything; whatever happens, nothing is left behind.

        A swapper that cannot stay up ends what is done here at once.
        """
        self.sandbox.create()
        try:
            await asyncio.gather(self.nats.start(), self.redis.start())
            await self.provision()
            await self._open_nursery()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._watch())
                self._supervised = True
                try:
                    await self.start_swapper()
                    yield self
                finally:
                    await self._close_nursery()
        finally:
            await self._close_nursery()
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

    async def _close_nursery(self) -> None:
        self._supervised = False
        if self._nursery is not None and self._nursery.returncode is None:
            self._nursery.kill()
            await self._nursery.wait()

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
                self._started_at = time.monotonic()
                self._alive.add(self.current)
                continue
            self._alive.discard(int(pid))
            self.exits[int(code[0])] += 1
            if self._supervised and int(pid) == self.current:
                self._check_that_it_can_live(int(code[0]))
                self._ask_for_one()
        # The forks die with the nursery: the kernel kills them.
        self._alive.clear()

    def _check_that_it_can_live(self, code: int) -> None:
        """A swapper that never stays up is no fault to be healed by another start."""
        short = time.monotonic() - self._started_at < _STILLBORN_SECONDS
        self._stillborn = self._stillborn + 1 if code == 1 and short else 0
        if self._stillborn > _MOST_STILLBORN or self.exits[1] > _MOST_BREAKDOWNS:
            logs = self.sandbox.root.glob("swapper-*.log")
            last = max(logs, key=lambda log: log.stat().st_mtime).read_text()[-2000:]
            raise AssertionError(f"the swapper breaks down again and again: {self.exits}\n{last}")
