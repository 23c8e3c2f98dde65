"""One swap on fakes: a runtime that takes its time, records in memory, a clock that obeys."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest
import pytest_asyncio

from spark_common.bus.port import StoredMessage
from spark_common.contracts.swaps import RequestSwap, SwapView
from spark_common.events import SwapComplete, SwapFailed, SwapProgress
from spark_common.owner import LiveSettings, unchanging
from spark_common.subjects import swap_complete, swap_failed
from spark_common.tasks import end
from spark_common.testing import FakeClock, MemoryBroker, MemoryBus
from spark_common.testing.fixtures import nats_server, redis_server  # noqa: F401
from spark_swapper.driving.attempt import Attempt, Cancellation
from spark_swapper.editing.trying import Trying
from spark_swapper.guarding.quarantining import Quarantining
from spark_swapper.launching.candidate import Candidate
from spark_swapper.launching.launch import LaunchSettings
from spark_swapper.readiness.canary_watch import CanaryWatch
from spark_swapper.readiness.observer import RuntimeObserver
from spark_swapper.recipes import Recipe, RecipeBook
from spark_swapper.records.jobs import SwapJob, first_job
from spark_swapper.records.journal import SwapJournal
from spark_swapper.settings import GuardSettings, SwapTimings
from spark_swapper.swap_path import assemble
from spark_swapper.testing import (
    FakeClientPath,
    FakeGate,
    FakePreflight,
    FakeRuntime,
    FakeShelf,
    FakeSuggesting,
    MemoryJobs,
    MemoryLogs,
    MemoryRecords,
    PlainReader,
    a_candidate,
)


@dataclass
class Bench:
    """Everything a swap needs, on fakes."""

    clock: FakeClock = field(default_factory=FakeClock)
    timings: SwapTimings = field(default_factory=SwapTimings)
    store: MemoryJobs = field(default_factory=MemoryJobs)
    gate: FakeGate = field(default_factory=FakeGate)
    guarding: GuardSettings = field(default_factory=GuardSettings)
    records: MemoryRecords = field(default_factory=MemoryRecords)
    deaths: int = 0
    updating: str | None = None
    """Id of an update of the cluster software that runs."""
    live: LiveSettings | None = None
    """What the owner sets, where a test has an owner; used from the next start on."""

    def __post_init__(self) -> None:
        self.old, self.new = a_candidate("gemma"), a_candidate("qwen")
        self.wide = a_candidate("minimax", hosts=("spark1", "spark2"))
        self.broker = MemoryBroker(clock=self.clock)
        self.preflight = FakePreflight(self.clock)
        self.bus = MemoryBus("swapper", self.broker)
        self.runtime = FakeRuntime(self.clock)
        self.clients = FakeClientPath(self.clock, self.runtime)
        self.shelf = FakeShelf(self.clock, [self.old, self.new, self.wide])
        self.suggesting = FakeSuggesting()
        self.book = RecipeBook(
            tuple(Recipe(key=one.key, repo=one.repo, name=one.name) for one in (self.old, self.new))
        )
        self.logs = MemoryLogs()
        self.runtime.serve(self.old)
        self.start()

    def start(self) -> None:
        """Wire a swapper process; a second call is its restart."""
        self.quarantining = Quarantining(self.records, self.clock, self._nothing)
        self.canary = CanaryWatch(self.runtime, self.store, self.clock)
        self.observer = RuntimeObserver(
            self.runtime, self.clock, self.shelf.key_for, self._nothing, self.canary.degraded
        )
        live = self.live
        path = assemble(
            bus=self.bus,
            store=self.store,
            gate=self.gate,
            runtime=self.runtime,
            shelf=self.shelf,
            preflight=self.preflight,
            suggesting=self.suggesting,
            observer=self.observer,
            canary=self.canary,
            quarantining=self.quarantining,
            guarding=lambda: self.guarding,
            timings=live.of(self.timings) if live else lambda: self.timings,
            one_version=live.one_version if live else unchanging,
            clock=self.clock,
            logs=self.logs,
            refresh_soon=self.shelf.refresh_soon,
            lost=self._die,
            unsaved=Trying(self.book, LaunchSettings),
            updating=self._updating,
            clients=self.clients,
            new_reader=PlainReader,
        )
        self.teller, self.outcomes = path.teller, path.outcomes
        self.runner, self.worker = path.runner, path.worker
        self.planning, self.admission, self.handlers = path.planning, path.admission, path.handlers
        self.guard_verbs, self.validating = path.guard_verbs, path.validating
        self.ingress, self.cancelling, self.sweeping = path.ingress, path.cancelling, path.sweeping

    async def _nothing(self) -> None:
        return

    async def _updating(self) -> str | None:
        return self.updating

    def _die(self) -> None:
        self.deaths += 1

    def attempt(self, job: SwapJob | None = None, fence: int = 1) -> Attempt:
        """Return one worker's hold on a swap."""
        job = job or self.job()
        journal = SwapJournal(
            job,
            store=self.store,
            teller=self.teller,
            logs=self.logs,
            clock=self.clock,
            writer=fence,
        )
        return Attempt(journal, self.clock, fence, job.lease_epoch, Cancellation())

    def job(self, swap_id: str = "swap-1", **facts: object) -> SwapJob:
        """Return a fresh swap to the new model."""
        job = first_job(
            swap_id=swap_id,
            model=self.new.key,
            model_name=self.new.name,
            requested_by="Alice",
            at=self.clock.now(),
        )
        return job.model_copy(update=facts)

    async def swap(
        self,
        candidate: Candidate | None = None,
        *,
        attempt: Attempt | None = None,
        most_seconds: float = 5000,
        meanwhile: Callable[[], Awaitable[None]] | None = None,
    ) -> SwapJob:
        """Run a swap to its end on the test's clock."""
        attempt = attempt or self.attempt()
        running = asyncio.create_task(self.runner.run(attempt, candidate or self.new))
        if meanwhile is not None:
            await meanwhile()
        await self.until(running.done, most_seconds)
        return await running

    async def until(self, holds: Callable[[], bool], most_seconds: float = 5000) -> None:
        """Let time pass, half a second at a time, until something holds."""
        await self.clock.advance(0)
        began = self.clock.monotonic()
        while not holds():
            assert self.clock.monotonic() - began < most_seconds, "it never happened"
            await self.clock.advance(0.5)

    async def request(self, model: str = "qwen", **more: object) -> SwapView:
        """Ask for a model, as swap-1 where nothing else is said."""
        return await self.admission.request(RequestSwap(model=model, **{"id": "swap-1"} | more))

    async def over(self, swap_id: str = "swap-1") -> SwapJob:
        """Let time pass until a swap is over and the worker at rest."""
        await self.until(lambda: self.outcome(swap_id) is not None)
        await self.until(lambda: self.worker.running is None)
        job = await self.store.get(swap_id)
        assert job is not None
        return job

    def outcome(self, swap_id: str = "swap-1") -> SwapComplete | SwapFailed | None:
        """Return the one end of a swap that was told, if it was."""
        ends = (swap_complete(swap_id), swap_failed(swap_id))
        events = [one for one in self.stored("SC_SWAP_EVT") if one.subject in ends]
        assert len(events) <= 1
        if not events:
            return None
        kind = SwapComplete if events[0].subject.startswith("swap.complete") else SwapFailed
        return kind.model_validate(events[0].envelope.data)

    def stored(self, stream: str, subject: str | None = None) -> list[StoredMessage]:
        """Return the messages of a stream in order, all or those of one subject."""
        messages = self.broker.stream(stream).messages.values()
        return [one for one in messages if subject is None or one.subject == subject]

    def pending(self) -> object:
        """Return the commands that were delivered and not acknowledged."""
        return self.broker.stream("SC_SWAP_CMD").consumer("swapper").pending

    def told(self, swap_id: str = "swap-1") -> list[SwapProgress]:
        """Return the progress events of a swap in order."""
        return [
            SwapProgress.model_validate(message.envelope.data)
            for message in self.stored("SC_PROGRESS", f"swap.progress.{swap_id}")
            if message.envelope is not None
        ]


@pytest_asyncio.fixture
async def bench() -> AsyncIterator[Bench]:
    """Yield fakes with the teller running."""
    bench = Bench()
    telling = asyncio.create_task(bench.teller.run())
    yield bench
    telling.cancel()
    await asyncio.gather(telling, return_exceptions=True)


@pytest.fixture
def effects(bench: Bench) -> Callable[[], list[str]]:
    """Return the effects so far as ``step@host``."""
    return lambda: [f"{step}@{host}" for _, host, _, step in bench.runtime.journal]


@pytest_asyncio.fixture
async def running(bench: Bench) -> AsyncIterator[Callable[..., Callable[[], Awaitable[None]]]]:
    """Yield a function that starts the loops of a swapper; the returned one kills them."""
    tasks: list[asyncio.Task[None]] = []

    def start(*, again: bool = False) -> Callable[[], Awaitable[None]]:
        if again:
            bench.start()
        loops = (bench.teller, bench.worker, bench.cancelling, bench.sweeping)
        mine = [asyncio.create_task(loop.run()) for loop in loops]
        tasks.extend(mine)
        return lambda: end(mine)

    yield start
    await end(tasks)
