"""The overlay part of health on a simulated Spark, which can be killed at any order."""

import asyncio
import hashlib
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest_asyncio

from spark_common.bus.port import Serving
from spark_common.clock import SystemClock
from spark_common.contracts.jobs import GetJob
from spark_common.contracts.speech_models import (
    GET_SPEECH_JOB,
    GET_SPEECH_MODELS,
    ChangeSpeechModels,
    GetSpeechModels,
)
from spark_common.plain_http import plain_client
from spark_common.remote.ssh import SshShell, SshTimes
from spark_common.settings.support import ParakeetSettings
from spark_common.tasks import end
from spark_common.testing import MemoryBroker, MemoryBus
from spark_common.testing.job_records import MemoryJobRecords
from spark_common.testing.wait import until
from spark_health.feature import Feature
from spark_health.overlay.wiring import wire_parts
from spark_health.remedies.holding import InTheWayError
from spark_sim.cluster import SimulatedCluster
from spark_sim.two_sparks import two_sparks

ROOT = Path(__file__).parents[4]
FILES = ("main.py", "diarizer.py")


class FakeObstacles:
    """Stands in the way as long as it is told to."""

    def __init__(self) -> None:
        self.refusal: Exception | None = None
        self.reason: str | None = None
        self.asked = 0
        self.taken_by: str | None = None
        """Who takes the lease between the look and the step, once."""
        self.held_for: list[str] = []
        self.held_now = False

    @asynccontextmanager
    async def held(self, host, epoch, order, reason):
        assert (host, epoch) == ("spark1", 7)
        if self.taken_by is not None:
            who, self.taken_by = self.taken_by, None
            raise InTheWayError(f"{who} holds the cluster")
        self.held_for.append(order)
        self.held_now = True
        try:
            yield
        finally:
            self.held_now = False

    async def admit(self, host, token):
        assert host == "spark1"
        if self.refusal is not None:
            raise self.refusal
        return 7

    async def epoch(self, token):
        return 7

    async def now(self, host, epoch):
        assert (host, epoch) in (("spark1", 7), ("spark1", -1))
        self.asked += 1
        return self.reason


class CutShell:
    """A shell whose caller can be left hanging at one order, as a killed one is."""

    def __init__(self, shell: SshShell) -> None:
        self._shell = shell
        self._where: tuple[str, str] | None = None
        self._torn: Callable[[], object] = lambda: None
        self.reached = asyncio.Event()

    def at(self, order: str, when: str, torn: Callable[[], object] = lambda: None) -> None:
        self._where, self._torn, self.reached = (order, when), torn, asyncio.Event()

    async def run(self, host, command, *, timeout_seconds=30.0):
        word = command.argv[4] if command.argv[3:4] == ("detached",) else command.argv[3]
        here = self._where is not None and self._where[0] == word
        if here and self._where[1] == "before":
            await self._hang()
        result = await self._shell.run(host, command, timeout_seconds=timeout_seconds)
        if here:
            if self._where[1] == "torn":
                self._torn()
            await self._hang()
        return result

    async def _hang(self) -> None:
        self._where = None
        self.reached.set()
        await asyncio.Event().wait()


@dataclass
class Bench:
    """Health's overlay part, and the Sparks it cares for."""

    cluster: SimulatedCluster
    shell: SshShell
    cut: CutShell
    broker: MemoryBroker
    obstacles: FakeObstacles
    shipped: Path
    start: Callable[[], Feature]
    running: "list[asyncio.Task[None]]" = field(default_factory=list)
    part: Feature | None = None

    @property
    def speech(self):
        return self.cluster.hosts["spark1"].speech

    async def live(self) -> None:
        """Begin, or begin again as another process."""
        await end(self.running)
        self.part = self.start()
        self.running = [asyncio.create_task(loop()) for loop in self.part.background]

    async def ask(self, rpc, request):
        serving: Serving = next(one for one in self.part.verbs if one.rpc is rpc)
        return await serving.handler(request)

    async def view(self):
        return await self.ask(GET_SPEECH_MODELS, GetSpeechModels())

    async def begin(self, rpc, id: str):
        return await self.ask(rpc, ChangeSpeechModels(requested_by="Alice", id=id))

    async def job(self, id: str):
        return await self.ask(GET_SPEECH_JOB, GetJob(id=id))

    async def over(self, id: str):
        async def ended() -> bool:
            return (await self.job(id)).over

        await until(ended, "the job is over")
        return await self.job(id)

    async def at(self, id: str, *steps: str) -> None:
        async def there() -> bool:
            return (await self.job(id)).step in steps

        await until(there, f"the job is at {steps}")

    async def done(self, rpc, id: str):
        await self.begin(rpc, id)
        return await self.over(id)

    def effects(self, kind: str) -> list:
        return self.cluster.journal.of(kind)

    @property
    def restarts(self) -> int:
        return len(self.effects("container_restarted"))

    def file(self, name: str) -> Path:
        return self.speech.files / "opt/parakeet/app" / name

    @property
    def ours(self) -> dict[str, str]:
        return {
            name: hashlib.sha256((self.shipped / name).read_bytes()).hexdigest() for name in FILES
        }

    def ship(self, name: str, text: str) -> None:
        """Let spark-control bring another file along."""
        (self.shipped / name).write_text(text)


@pytest_asyncio.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    shipped = tmp_path / "cluster/parakeet-overlay"
    shipped.mkdir(parents=True)
    for name in FILES:
        shutil.copy(ROOT / "cluster/parakeet-overlay" / name, shipped / name)
    async with (
        two_sparks(tmp_path, neighbours=True, speed=600) as sparks,
        plain_client() as http,
    ):
        clock, records = SystemClock(), MemoryJobRecords()
        broker, obstacles = MemoryBroker(clock=clock), FakeObstacles()
        shell = SshShell(sparks.settings, clock, SshTimes(remember_seconds=0.2))

        cut = CutShell(shell)

        def start() -> Feature:
            return wire_parts(
                bus=MemoryBus("health", broker), shell=cut, http=http, clock=clock,
                hosts=sparks.settings, parakeet=ParakeetSettings, records=records,
                obstacles=obstacles, cluster_dir=tmp_path / "cluster", poll_seconds=lambda: 0.03,
            )  # fmt: skip

        made = Bench(sparks.cluster, shell, cut, broker, obstacles, shipped, start)
        await made.live()
        yield made
        await end(made.running)
        await shell.close()
