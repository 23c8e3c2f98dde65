"""Downloads on simulated Sparks, with a bus and records in memory that outlive the process."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio

from spark_common.clock import SystemClock
from spark_common.contracts.downloads import DownloadView, StartDownload
from spark_common.contracts.jobs import GetJob
from spark_common.remote.ssh import SshShell, SshTimes
from spark_common.settings import ClusterSettings
from spark_common.settings.policies import DownloadTimings
from spark_common.tasks import end
from spark_common.testing import MemoryBroker, MemoryBus
from spark_common.testing.job_records import MemoryJobRecords
from spark_sim import disk
from spark_sim.cluster import SimulatedCluster
from spark_sim.two_sparks import two_sparks
from spark_swapper.downloads.others import OtherWork
from spark_swapper.downloads.record import DownloadJob
from spark_swapper.downloads.sparks import DownloadSparks
from spark_swapper.downloads.wiring import DownloadParts, wire_downloads
from spark_swapper.menu.hosts import Hosts, Spark

SMALL = "Qwen/Qwen3-4B-Instruct-2507"
TIMINGS = DownloadTimings(
    download_poll_seconds=0.05, download_stall_seconds=1, download_patience_seconds=60
)


@dataclass
class DownloadBench:
    """Sparks and records that stay, and a swapper that is started, killed and started again."""

    cluster: SimulatedCluster
    settings: ClusterSettings
    token: str | None = None
    clock: SystemClock = field(default_factory=SystemClock)
    store: MemoryJobRecords[DownloadJob] = field(default_factory=MemoryJobRecords)
    broker: MemoryBroker = field(default_factory=MemoryBroker)
    refreshed: int = 0
    parts: DownloadParts | None = None
    expected: int | None = None
    deleting: set[str] = field(default_factory=set)
    updating: str | None = None
    overlooked: set[str] = field(default_factory=set)
    """Of "deletion" and "update" what begins right after the first look for it."""

    async def start(self) -> None:
        """Start a swapper process, as far as downloads are concerned."""
        self.shell = SshShell(self.settings, self.clock, SshTimes(remember_seconds=0.2))
        hosts = [Spark(host.name, host.label) for host in self.settings.hosts]

        async def refresh() -> None:
            self.refreshed += 1

        async def deleting(repo: str) -> bool:
            return not self._overlooks("deletion") and repo in self.deleting

        async def updating() -> str | None:
            return None if self._overlooks("update") else self.updating

        self.parts = wire_downloads(
            bus=MemoryBus("swapper", self.broker),
            store=self.store,
            sparks=DownloadSparks(self.shell, lambda: self.settings, lambda: self.token),
            hosts=Hosts(self.shell, hosts, self.clock),
            timings=lambda: TIMINGS,
            clock=self.clock,
            expected_bytes=lambda repo: self.expected,
            refresh_menu=refresh,
            others=OtherWork(deleting, updating),
        )
        self.task = asyncio.create_task(self.parts.runner.run())

    def _overlooks(self, work: str) -> bool:
        overlooked = work in self.overlooked
        self.overlooked.discard(work)
        return overlooked

    async def kill(self) -> None:
        """End the process where it stands."""
        await end([self.task])
        await self.shell.close()

    @property
    def verbs(self):
        """The verbs of the running process."""
        return self.parts.verbs

    async def begin(self, repo: str = SMALL, *hosts: str, job_id: str = "d1") -> DownloadView:
        """Ask for a download."""
        request = StartDownload(
            repo=repo, hosts=list(hosts) or ["spark1"], requested_by="Alice", id=job_id
        )
        return await self.verbs.start(request)

    async def until(
        self, holds: Callable[[DownloadView], bool], job_id: str = "d1"
    ) -> DownloadView:
        """Poll a download."""
        async with asyncio.timeout(120):
            while not holds(view := await self.verbs.get(GetJob(id=job_id))):
                assert not view.over, view.model_dump_json(indent=1)
                await asyncio.sleep(0.02)
        return view

    async def ended(self, job_id: str = "d1") -> DownloadView:
        """Poll a download until its end."""
        return await self.until(lambda view: view.over, job_id)

    def outcomes(self) -> list[dict[str, object]]:
        """Return the stored outcomes in order."""
        messages = self.broker.stream("SC_JOB_EVT").messages.values()
        return [message.envelope.data for message in messages if message.envelope]

    def progress(self) -> list[dict[str, object]]:
        """Return the stored progress in order."""
        messages = self.broker.stream("SC_JOB_PROGRESS").messages.values()
        return [message.envelope.data for message in messages if message.envelope]

    def folder(self, host: str = "spark1", repo: str = SMALL) -> Path:
        """Return where a repository lies on a host."""
        return self.cluster.hosts[host].sandbox.hub / f"models--{repo.replace('/', '--')}"

    def weights(self, host: str = "spark1", repo: str = SMALL) -> int:
        """Return the bytes of the weights that really lie behind the snapshot's names."""
        links = self.folder(host, repo).glob("snapshots/*/*.safetensors")
        return sum(link.stat().st_size for link in links if link.exists())

    def leave_free(self, free_bytes: int, host: str = "spark1") -> None:
        """Fill the disk of a Spark until so much is free."""
        hub = self.cluster.hosts[host].sandbox.hub
        filler = hub / "models--Alice--filler" / "blobs" / ("f" * 64)
        filler.parent.mkdir(parents=True, exist_ok=True)
        with filler.open("wb") as file:
            file.truncate(disk.free_bytes(hub) - free_bytes)

    def slow(self, times: float) -> None:
        """Have everything on the Sparks take so many times longer."""
        for host in self.cluster.hosts.values():
            host.pace.drag = times

    def running(self) -> list[bytes]:
        """Return the command lines of everything that steps of jobs left running."""
        found = []
        for process in Path("/proc").iterdir():
            try:
                environment = (process / "environ").read_bytes()
                if b"SC_DETACHED=" + bytes(self.cluster.config.directory) in environment:
                    found.append((process / "cmdline").read_bytes())
            except OSError:
                continue
        return found


@pytest_asyncio.fixture
async def sparks(tmp_path: Path) -> AsyncIterator[DownloadBench]:
    async with two_sparks(tmp_path, speed=800.0) as running:
        bench = DownloadBench(running.cluster, running.settings)
        await bench.start()
        yield bench
        await bench.kill()
        assert bench.running() == []


@pytest.fixture
def small() -> str:
    return SMALL
