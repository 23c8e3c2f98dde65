"""Updates on two simulated Sparks, with a bus and records in memory; a start is a process."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest

from spark_common.clock import SystemClock
from spark_common.contracts.jobs import CancelJob, GetJob
from spark_common.contracts.updates import ApplyUpdates, GetUpdates, RevertUpdates, UpdateView
from spark_common.remote.ssh import SshShell, SshTimes
from spark_common.settings import ClusterSettings
from spark_common.tasks import end
from spark_common.testing import MemoryBroker, MemoryBus
from spark_common.testing.job_records import MemoryJobRecords
from spark_sim.cluster import SimulatedCluster
from spark_sim.two_sparks import two_sparks
from spark_swapper.testing import FakeGate, MemoryJobs
from spark_swapper.updates.wiring import UpdatePart, wire_updates


@dataclass
class Software:
    """The cluster software of two simulated Sparks."""

    cluster: SimulatedCluster
    settings: ClusterSettings
    clock: SystemClock = field(default_factory=SystemClock)
    records: MemoryJobRecords = field(default_factory=MemoryJobRecords)
    swaps: MemoryJobs = field(default_factory=MemoryJobs)
    gate: FakeGate = field(default_factory=FakeGate)
    downloading: str | None = None
    changes: int = 0
    images: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.broker = MemoryBroker(clock=self.clock)
        self.bus = MemoryBus("swapper", self.broker)
        self.shell = SshShell(self.settings, self.clock, SshTimes(remember_seconds=0.2))
        self.start()

    def start(self) -> None:
        """Wire and run a process."""
        self.part: UpdatePart = wire_updates(
            bus=self.bus,
            shell=self.shell,
            clock=self.clock,
            cluster=self.settings,
            images=lambda: self.images,
            records=self.records,
            swaps=self.swaps,
            gate=self.gate,
            download=self._download,
            changed=self._changed,
            poll_seconds=0.05,
        )
        loops = (self.part.runner, self.part.look)
        self.running = [asyncio.create_task(loop.run()) for loop in loops]

    async def kill(self) -> None:
        """End the process where it stands."""
        await end(self.running)

    async def close(self) -> None:
        await self.kill()
        await self.shell.close()

    async def get(self, *, refresh: bool = False):
        return await self.part.verbs.get_updates(GetUpdates(refresh=refresh))

    async def apply(self, **facts: object) -> UpdateView:
        return await self.part.verbs.apply(ApplyUpdates(requested_by="Alice", **facts))

    async def revert(self, **facts: object) -> UpdateView:
        return await self.part.verbs.revert(RevertUpdates(requested_by="Alice", **facts))

    async def cancel(self, job_id: str) -> UpdateView:
        return await self.part.verbs.cancel(CancelJob(id=job_id, requested_by="Bob"))

    async def view(self, job_id: str) -> UpdateView:
        return await self.part.verbs.get_job(GetJob(id=job_id))

    async def until(self, job_id: str, holds: Callable[[UpdateView], bool]) -> UpdateView:
        async with asyncio.timeout(60):
            while not holds(view := await self.view(job_id)):
                assert not view.over, view
                await asyncio.sleep(0.02)
        return view

    async def ended(self, job_id: str) -> UpdateView:
        return await self.until(job_id, lambda view: view.over)

    def slow_down(self) -> None:
        """Let a pull take a second, long enough for a test to come in between."""
        for host in self.cluster.hosts.values():
            host.pace.speed = 100.0

    def ids(self, tag: str = "vllm-node") -> list[str | None]:
        """Return the id of an image on each Spark."""
        return [host.engine.image(tag) for host in self.cluster.hosts.values()]

    def kept(self) -> set[str]:
        """Return the kept tags of both Sparks."""
        hosts = self.cluster.hosts.values()
        return {tag for host in hosts for tag in host.engine.images.by_tag if ":before-" in tag}

    def told(self, stream: str) -> list[dict[str, object]]:
        messages = self.broker.stream(stream).messages.values()
        return [message.envelope.data for message in messages if message.envelope]

    async def _download(self) -> str | None:
        return self.downloading

    async def _changed(self) -> None:
        self.changes += 1


@pytest.fixture
async def software(tmp_path) -> AsyncIterator[Software]:
    async with two_sparks(tmp_path, speed=400.0) as running:
        software = Software(running.cluster, running.settings)
        async with asyncio.timeout(60):
            while not all(sight.found for sight in software.part.look.sights):
                await asyncio.sleep(0.02)
        yield software
        await software.close()
