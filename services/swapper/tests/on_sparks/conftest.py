"""A whole swapper on real NATS, Redis, SSH and HTTP, against two simulated Sparks."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import pytest_asyncio

from spark_common.bus.nats import connect_bus
from spark_common.clock import SystemClock
from spark_common.contracts.swaps import (
    GET_SWAP,
    REQUEST_SWAP,
    GetSwap,
    Phase,
    RequestSwap,
    SwapView,
)
from spark_common.errors import (
    UnavailableError,
)
from spark_common.plain_http import plain_client
from spark_common.redis_access import connect_redis
from spark_common.remote.ssh import SshShell, SshTimes
from spark_common.settings import HttpSettings
from spark_common.tasks import end
from spark_common.testing.wait import until
from spark_sim.cluster import SimulatedCluster
from spark_sim.two_sparks import two_sparks
from spark_swapper.app import Swapper, wire
from spark_swapper.settings import GuardSettings, SwapperSettings, SwapTimings

TIMINGS = SwapTimings(
    drain_seconds=2, stop_seconds=120, load_deadline_seconds=150, stall_seconds=60, poll_seconds=0.3
)
HASTY = TIMINGS.model_copy(update={"stall_seconds": 5.0})
"""For a load that is going to hang. Another one may be as silent on a machine that is busy."""
GUARD = GuardSettings(memory_settle_seconds=2, freeze_seconds=60)
SPEED, BY_HAND = 300.0, 6.0
"""How fast the Sparks are, and how fast when a test comes in between in a load."""


@dataclass
class Stack:
    """Servers that stay, and a swapper that is started, killed and started again."""

    settings: SwapperSettings
    cluster: SimulatedCluster
    asker: object
    exits: AsyncExitStack
    tasks: list["asyncio.Task[None]"] = field(default_factory=list)
    swapper: Swapper | None = None
    _closers: list[Callable[[], object]] = field(default_factory=list)

    async def start(self) -> None:
        """Start a swapper process, as far as one event loop can play one."""
        clock = SystemClock()
        bus = await connect_bus(self.settings.bus, "swapper", clock)
        redis = connect_redis(self.settings.redis, "swapper", idempotent_reads=True)
        http = plain_client()
        shell = SshShell(self.settings.cluster, clock, SshTimes(remember_seconds=1))
        self._closers = [redis.aclose, http.aclose, shell.close, bus.close]
        swapper = wire(self.settings, bus=bus, redis=redis, shell=shell, http=http, clock=clock)
        await bus.serve("swapper", "0.1.0", "test", swapper.verbs())
        loops = (
            swapper.path.teller,
            swapper.path.observer,
            swapper.path.worker,
            swapper.path.cancelling,
            swapper.path.ingress,
            swapper.path.sweeping,
        )
        self.tasks = [asyncio.create_task(loop.run()) for loop in loops]
        self.tasks.append(asyncio.create_task(swapper.shelf.keep_fresh()))
        self.swapper = swapper

    async def kill(self) -> None:
        """End every task where it stands; nothing is finished, told or acknowledged."""
        await end(self.tasks)
        for close in self._closers:
            await close()

    async def again(self, *, hasty: bool = False) -> None:
        """Start the swapper anew, when nothing of what it did is left to be put away."""
        await until(self._idle, "the record of the last swap is closed")
        await self.kill()
        update = {"timings": HASTY if hasty else TIMINGS}
        self.settings = self.settings.model_copy(update=update)
        await self.start()

    async def _idle(self) -> bool:
        return not await self.swapper.path.admission._store.live()

    async def request(self, model: str, **more: object) -> SwapView:
        """Ask over the bus."""
        return await self.asker.call(REQUEST_SWAP, RequestSwap(model=model, **more))

    async def get(self, swap_id: str) -> SwapView:
        """Ask for one swap."""
        return await self.asker.call(GET_SWAP, GetSwap(id=swap_id))

    @staticmethod
    def words(view: SwapView) -> str:
        """Return all words of an end, for assertions and their messages."""
        cause = view.cause
        words = [view.message]
        if cause is not None:
            words += [cause.code, cause.sentence, cause.action, *cause.evidence]
        return "\n".join(words)

    async def until(self, swap_id: str, holds: Callable[[SwapView], bool]) -> SwapView:
        """Poll a swap."""
        async with asyncio.timeout(150):
            while not holds(view := await self.get(swap_id)):
                assert view.finished_at is None, self.words(view)
                await asyncio.sleep(0.1)
        return view

    async def ended(self, swap_id: str) -> SwapView:
        """Poll a swap until its end."""
        return await self.until(swap_id, lambda view: view.finished_at is not None)

    def slow_down(self, speed: float = BY_HAND) -> None:
        """Let a load take many seconds, long enough for a test to come in between."""
        for host in self.cluster.hosts.values():
            host.pace.speed = speed

    def hurry(self) -> None:
        """Let the rest of a load pass."""
        self.slow_down(SPEED)

    def launches(self) -> list[str]:
        """Return the repositories that vLLM was started with, in order."""
        return [entry.details["argv"][1] for entry in self.cluster.journal.of("runtime_launched")]

    async def swapped_at_last(self, model: str) -> SwapView:
        """Ask until it works: a Spark that was away is remembered as away for a while."""
        async with asyncio.timeout(150):
            for number in itertools.count():
                try:
                    view = await self.swapped(model, f"again-{number}")
                except UnavailableError:
                    pass
                else:
                    if view.phase is Phase.READY:
                        break
                await asyncio.sleep(1)
        return view

    async def swapped(self, model: str, swap_id: str, **more: object) -> SwapView:
        """Ask for a model and wait for the end."""
        await self.request(model, id=swap_id, **more)
        return await self.ended(swap_id)


@pytest_asyncio.fixture
async def stack(tmp_path, nats_server, redis_server) -> AsyncIterator[Stack]:
    async with AsyncExitStack() as exits:
        sparks = await exits.enter_async_context(two_sparks(tmp_path, speed=SPEED))
        settings = SwapperSettings(
            bus=nats_server.settings("swapper"),
            redis=redis_server.settings,
            http=HttpSettings(bind_port=0),
            cluster=sparks.settings,
            guard=GUARD,
            timings=TIMINGS,
            data_dir=tmp_path / "data",
        )
        asker = await connect_bus(nats_server.settings("gateway"), "gateway", SystemClock())
        exits.push_async_callback(asker.close)
        stack = Stack(settings, sparks.cluster, asker, exits)
        await stack.start()
        yield stack
        await stack.kill()
