"""A NIM installer on two simulated Sparks that stay for all tests of this folder."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import Any

import httpx
import pytest
import pytest_asyncio
from pydantic import SecretStr

from spark_common.clock import SystemClock
from spark_common.contracts.jobs import GetJob
from spark_common.contracts.nim import InstallNim, NimInstallView
from spark_common.plain_http import plain_client
from spark_common.remote import RemoteCommand
from spark_common.remote.ssh import SshShell, SshTimes
from spark_common.tasks import end
from spark_common.testing import MemoryBroker, MemoryBus
from spark_common.testing.job_records import MemoryJobRecords
from spark_common.testing.wait import until
from spark_health.nim.wiring import NimPart, wire_nim
from spark_health.remedies.testing.fakes import FakeLeases, FakeObstacles, FakeScene
from spark_sim.cluster import SimulatedCluster
from spark_sim.two_sparks import TwoSparks, two_sparks

KEY = "nvapi-Zm9yLXRlc3RzLW9ubHk_0123456789-abcdef"


@dataclass
class Bench:
    """Installations of one test, and the Sparks they are done on."""

    sparks: TwoSparks
    shell: SshShell
    http: httpx.AsyncClient
    data_dir: Path
    records: MemoryJobRecords = field(default_factory=MemoryJobRecords)
    key: SecretStr | None = None
    part: NimPart = field(init=False)
    running: "asyncio.Task[None]" = field(init=False)
    # Simulated Sparks share /dev/shm with each other and with tests beside these: no name twice.
    one: str = field(default_factory=lambda: f"one-{token_hex(6)}")
    two: str = field(default_factory=lambda: f"two-{token_hex(6)}")

    def __post_init__(self) -> None:
        self.clock = SystemClock()
        self.scene = FakeScene()
        self.leases = FakeLeases(self.scene)
        self.broker = MemoryBroker(clock=self.clock)
        self.start()

    @property
    def cluster(self) -> SimulatedCluster:
        return self.sparks.cluster

    def start(self) -> None:
        self.part = wire_nim(
            bus=MemoryBus("health", self.broker), shell=self.shell, http=self.http,
            clock=self.clock, hosts=self.sparks.settings, records=self.records,
            key=lambda: self.key, data_dir=self.data_dir, poll_seconds=lambda: 0.04,
            used=lambda: [("Qdrant", self.sparks.settings.hosts[1].address, 6333)],
            watched=lambda: frozenset({"qdrant", "spark1"}), leases=self.leases, scene=self.scene,
            obstacles=FakeObstacles(self.scene, self.leases),
        )  # fmt: skip
        self.running = asyncio.create_task(self.part.runner.run())

    async def kill(self) -> None:
        """Lose the process with everything it had in memory."""
        await end([self.running])

    async def install(self, id: str | None = None, **fields: Any) -> NimInstallView:
        asked = {"entry": "llama-3-1-8b", "requested_by": "Alice", "ngc_api_key": KEY} | fields
        return await self.part.verbs.install(InstallNim(id=id or self.one, **asked))

    async def view(self, id: str | None = None) -> NimInstallView:
        return await self.part.verbs.get_job(GetJob(id=id or self.one))

    def pace(self, speed: float) -> None:
        """Let what begins now on Spark 2 take so many times less than it really does."""
        self.cluster.hosts["spark2"].pace.speed = speed

    async def at(self, step: str, id: str | None = None) -> None:
        async def there() -> bool:
            view = await self.view(id)
            assert not view.over, view
            return view.step == step

        await until(there, f"the installation is {step}")

    async def over(self, id: str | None = None) -> NimInstallView:
        async def ended() -> bool:
            return (await self.view(id)).over

        await until(ended, "the installation is over")
        return await self.view(id)

    async def on_spark(self, *argv: str, host: str = "spark2") -> str:
        ran = await self.shell.run(host, RemoteCommand(argv))
        return (ran.stdout + ran.stderr).strip()

    def did(self, kind: str) -> list[dict[str, object]]:
        return [dict(entry.details) for entry in self.cluster.journal.of(kind, "spark2")]

    def logins_left(self) -> list[Path]:
        """Return the folders in memory that held a registry's key and are still there."""
        return [
            folder
            for name in (self.one, self.two)
            for folder in Path("/dev/shm").glob(f"spark-control-nim-{name}*")
        ]

    def told(self) -> str:
        """Everything that was said on the bus."""
        return "".join(
            repr(message)
            for name in ("SC_JOB_PROGRESS", "SC_JOB_EVT")
            for message in self.broker.stream(name).messages.values()
        )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sparks(tmp_path_factory) -> AsyncIterator[TwoSparks]:
    folder: Path = tmp_path_factory.mktemp("nim")
    async with two_sparks(folder, speed=1500) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def bench(sparks: TwoSparks, tmp_path: Path) -> AsyncIterator[Bench]:
    await sparks.cluster.reset()
    for host in sparks.cluster.hosts.values():
        host.pace.speed = 1500
        # Jobs of the tests before had the same names.
        shutil.rmtree(host.sandbox.home / ".spark-control", ignore_errors=True)
    shell = SshShell(sparks.settings, SystemClock(), SshTimes(remember_seconds=0.1))
    async with plain_client() as http:
        made = Bench(sparks, shell, http, tmp_path / "data")
        yield made
        await end([made.running])
    await shell.close()


@pytest.fixture
def secrets_seen() -> "Callable[[], list[str]]":
    """Where the key stands in arguments and environments of processes of this machine now."""

    def look() -> list[str]:
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            for name in ("cmdline", "environ"):
                with suppress(OSError):
                    if KEY.encode() in (process / name).read_bytes():
                        found.append(f"{process.name} {name}")
        return found

    return look
