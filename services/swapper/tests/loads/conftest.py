"""Swaps of the product's own swap path over real SSH against two Sparks that all tests share."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest_asyncio

from spark_common.clock import SystemClock
from spark_common.contracts.swaps import RequestSwap
from spark_common.plain_http import plain_client
from spark_common.remote.ssh import SshShell, SshTimes
from spark_common.tasks import end
from spark_common.testing import MemoryBroker, MemoryBus
from spark_common.testing.wait import until
from spark_sim.cluster import SimulatedCluster
from spark_sim.two_sparks import two_sparks
from spark_swapper.adapters.ssh_runtime import SshRuntime
from spark_swapper.guarding.quarantining import Quarantining
from spark_swapper.launching.candidate import Candidate
from spark_swapper.launching.launch import LaunchSettings, plan_launch
from spark_swapper.ports import PreflightResult
from spark_swapper.readiness.canary_watch import CanaryWatch
from spark_swapper.readiness.observer import RuntimeObserver
from spark_swapper.recipes import load_recipes
from spark_swapper.records.jobs import SwapJob
from spark_swapper.settings import GuardSettings, SwapTimings
from spark_swapper.swap_path import assemble
from spark_swapper.testing import (
    FakeGate,
    FakeShelf,
    FakeSuggesting,
    MemoryJobs,
    MemoryLogs,
    MemoryRecords,
)

SOLO, SMALL, WIDE = "gemma-4-26b", "qwen3.6-35b-a3b", "minimax-m2.7"
SPEED = 600.0
TIMINGS = SwapTimings(
    drain_seconds=1,
    stop_seconds=120,
    stall_seconds=60,
    appear_seconds=30,
    load_deadline_seconds=150,
    poll_seconds=0.5,
)
HASTY = TIMINGS.model_copy(update={"stall_seconds": 4.0})
"""For a load that is going to hang. Another one may be as silent on a machine that is busy."""


class Unchecked:
    """Lets every launch through, so that it fails where a pre-flight cannot see it."""

    async def __call__(self, candidate: Candidate, *, deep: bool = False) -> PreflightResult:
        return PreflightResult("good", "Not looked at.")


@dataclass
class LoadBench:
    """The cluster and everything a swap needs; records are in memory."""

    cluster: SimulatedCluster
    runtime: SshRuntime
    store: MemoryJobs = field(default_factory=MemoryJobs)
    records: MemoryRecords = field(default_factory=MemoryRecords)
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        book, settings = load_recipes(), LaunchSettings()
        self.candidates: dict[str, Candidate] = {}
        for key in (SOLO, SMALL, WIDE):
            recipe = next(recipe for recipe in book.recipes if recipe.key == key)
            hosts = ("spark1", "spark2") if recipe.mode == "cluster" else ("spark1",)
            self.candidates[key] = plan_launch(recipe, recipe.repo, settings, hosts)

    async def swap(self, model: str, *, hangs: bool = False) -> SwapJob:
        """Ask a new swapper for a model and return the swap at its end."""
        clock, swap_id = SystemClock(), f"swap-{next(self.numbers)}"
        shelf = FakeShelf(clock, self.candidates.values())
        # Nobody serves the gateway on this bus, so the runtime is asked at its own port.
        path = assemble(
            bus=MemoryBus("swapper", MemoryBroker(clock=clock)),
            store=self.store,
            gate=FakeGate(),
            runtime=self.runtime,
            shelf=shelf,
            preflight=Unchecked(),
            suggesting=FakeSuggesting(),
            observer=RuntimeObserver(self.runtime, clock, shelf.key_for, self._nothing),
            canary=CanaryWatch(self.runtime, self.store, clock),
            quarantining=Quarantining(self.records, clock, self._nothing),
            guarding=GuardSettings,
            timings=lambda: HASTY if hangs else TIMINGS,
            clock=clock,
            logs=MemoryLogs(),
            refresh_soon=shelf.refresh_soon,
            lost=lambda: None,
            unsaved=lambda candidate, knobs, flags: candidate,
        )
        tasks = [asyncio.create_task(loop.run()) for loop in (path.teller, path.worker)]
        try:
            await path.admission.request(RequestSwap(model=model, id=swap_id, requested_by="Alice"))
            await until(lambda: self._over(swap_id), "the end", 200)
        finally:
            await end(tasks)
        return await self.store.get(swap_id)

    async def _over(self, swap_id: str) -> bool:
        return (await self.store.get(swap_id)).over

    async def _nothing(self) -> None:
        return


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def loads(tmp_path_factory) -> AsyncIterator[LoadBench]:
    async with two_sparks(tmp_path_factory.mktemp("loads"), speed=SPEED) as sparks:
        shell = SshShell(sparks.settings, SystemClock(), SshTimes(remember_seconds=1))
        async with plain_client() as http:
            yield LoadBench(sparks.cluster, SshRuntime(shell, http, lambda: sparks.settings))
        await shell.close()
