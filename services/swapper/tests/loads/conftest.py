"""Swaps of the real runner over real SSH against two simulated Sparks that all tests share."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import httpx
import pytest_asyncio

from spark_common.clock import SystemClock
from spark_common.jobs.teller import Teller
from spark_common.remote.ssh import SshShell, SshTimes
from spark_common.testing import MemoryBus
from spark_sim.cluster import SimulatedCluster
from spark_sim.two_sparks import two_sparks
from spark_swapper.adapters.gateway_path import GatewayPath
from spark_swapper.adapters.ssh_runtime import SshRuntime
from spark_swapper.attempt import Attempt, Cancellation
from spark_swapper.bringing_up import BringingUp
from spark_swapper.canary_watch import CanaryWatch
from spark_swapper.candidate import Candidate
from spark_swapper.draining import Draining
from spark_swapper.guarding.guard import MemoryGuard
from spark_swapper.guarding.quarantining import Quarantining
from spark_swapper.jobs import SwapJob, first_job
from spark_swapper.journal import SwapJournal
from spark_swapper.launch import LaunchSettings, plan_launch
from spark_swapper.loading import Loading
from spark_swapper.loadlog import LoadLog
from spark_swapper.ports import PreflightResult
from spark_swapper.preflighting import Preflighting
from spark_swapper.recipes import load_recipes
from spark_swapper.runner import SwapRunner
from spark_swapper.settings import GuardSettings, SwapTimings
from spark_swapper.stopping import Stopping
from spark_swapper.testing import FakeShelf, MemoryJobs, MemoryLogs, MemoryRecords
from spark_swapper.warming import Warming

SOLO, SMALL, WIDE = "gemma-4-26b", "qwen3.6-35b-a3b", "minimax-m2.7"
SPEED = 600.0
TIMINGS = SwapTimings(
    drain_seconds=1,
    stop_seconds=30,
    stall_seconds=3,
    appear_seconds=6,
    load_deadline_seconds=60,
    poll_seconds=0.05,
)


class Unchecked:
    """Lets every launch through, so that it fails where a pre-flight cannot see it."""

    async def __call__(self, candidate: Candidate, *, deep: bool = False) -> PreflightResult:
        return PreflightResult("good", "Not looked at.")


@dataclass
class LoadBench:
    """The cluster and everything a swap needs; records are in memory."""

    cluster: SimulatedCluster
    runtime: SshRuntime
    timings: SwapTimings = TIMINGS
    store: MemoryJobs = field(default_factory=MemoryJobs)
    records: MemoryRecords = field(default_factory=MemoryRecords)
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        book, settings = load_recipes(), LaunchSettings()
        self.candidates: dict[str, Candidate] = {}
        for key in (SOLO, SMALL, WIDE):
            recipe = next(recipe for recipe in book.recipes if recipe.key == key)
            launch = plan_launch(recipe, recipe.repo, settings)
            hosts = ("spark1", "spark2") if recipe.mode == "cluster" else ("spark1",)
            self.candidates[key] = Candidate(
                key=key,
                name=recipe.name,
                repo=recipe.repo,
                served_name=launch.served_name,
                mode=recipe.mode,
                hosts=hosts,
                image=launch.image,
                launch_argv=launch.launch_argv,
                vllm_argv=launch.vllm_argv,
                stop_argv=launch.stop_argv,
            )

    async def swap(self, model: str, **facts: object) -> SwapJob:
        """Carry a swap to its end."""
        clock = SystemClock()
        candidate = self.candidates[model]
        timings = self.timings
        quarantining = Quarantining(self.records, clock, self._nothing)
        guard = MemoryGuard(self.runtime, quarantining, GuardSettings(), timings, clock)
        loading = Loading(self.runtime, timings, clock, LoadLog, guard)
        # Nobody serves it on this bus, so the runtime is asked at its own port.
        clients = GatewayPath(MemoryBus("swapper"))
        canary = CanaryWatch(self.runtime, self.store, clock)
        warming = Warming(self.runtime, clients, timings, clock, loading, canary)
        runner = SwapRunner(
            runtime=self.runtime,
            shelf=FakeShelf(clock, self.candidates.values()),
            preflighting=Preflighting(self.runtime, Unchecked(), quarantining, clock),
            guard=guard,
            draining=Draining(self.runtime, clients, timings, clock),
            stopping=Stopping(self.runtime, timings, clock),
            bringing_up=BringingUp(self.runtime, timings, clock, loading, warming),
            canary=canary,
            times=self.store,
            timings=timings,
            clock=clock,
        )
        job = first_job(
            swap_id=f"swap-{next(self.numbers)}",
            model=candidate.key,
            model_name=candidate.name,
            requested_by="Alice",
            at=clock.now(),
        ).model_copy(update=facts)
        await self.store.admit(job)
        journal = SwapJournal(
            job,
            store=self.store,
            teller=Teller(MemoryBus("swapper")),
            clock=clock,
            writer=1,
            logs=MemoryLogs(),
        )
        attempt = Attempt(journal, clock, 1, 0, Cancellation())
        async with asyncio.timeout(90):
            return await runner.run(attempt, candidate)

    async def _nothing(self) -> None:
        return

    def with_timings(self, **changes: object) -> "LoadBench":
        """Return the same Sparks under other timings."""
        return replace(self, timings=self.timings.model_copy(update=changes))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def loads(tmp_path_factory) -> AsyncIterator[LoadBench]:
    async with two_sparks(tmp_path_factory.mktemp("loads"), speed=SPEED) as sparks:
        shell = SshShell(sparks.settings, SystemClock(), SshTimes(remember_seconds=1))
        async with httpx.AsyncClient(trust_env=False) as http:
            yield LoadBench(sparks.cluster, SshRuntime(shell, http, sparks.settings))
        await shell.close()
