"""Services on two simulated Sparks that stay for all tests of a module."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest_asyncio
from redis.asyncio import Redis

from spark_common.clock import SystemClock
from spark_common.contracts.jobs import GetJob
from spark_common.contracts.services import (
    ActOnService,
    ListServices,
    ReadServiceLog,
    SaveService,
    ServiceView,
)
from spark_common.embedded import RedisServer
from spark_common.plain_http import plain_client
from spark_common.redis_access import connect_redis
from spark_common.remote import RemoteCommand
from spark_common.remote.ssh import SshShell, SshTimes
from spark_common.settings import RuntimeSettings
from spark_common.settings.support import (
    EmbedSettings,
    KokoroSettings,
    MagpieSettings,
    MatrixBridgeSettings,
    PageSettings,
    ParakeetSettings,
    QdrantSettings,
)
from spark_common.tasks import end
from spark_common.testing import MemoryBroker, MemoryBus
from spark_common.testing.job_records import MemoryJobRecords
from spark_common.testing.wait import until
from spark_health.remedies.keys import OUTBOX
from spark_health.remedies.testing.fakes import FakeLeases, FakeScene
from spark_health.services.bridge.work import BridgeWork
from spark_health.services.pace import ServicePace
from spark_health.services.registry import Owned
from spark_health.services.wiring import Others, Outside, ServicePart, wire_services
from spark_health.watching.first.places import Places
from spark_health.watching.ports import Sighting
from spark_sim.cluster import SimulatedCluster
from spark_sim.two_sparks import TwoSparks, two_sparks

SPEED = 2000
PACE = ServicePace(0.2, 1, 0.2, 30_000, 0.3, 0.05)


@dataclass
class Bench:
    """The services of one test, and the Sparks they are on."""

    sparks: TwoSparks
    shell: SshShell
    http: httpx.AsyncClient
    redis: Redis
    data_dir: Path
    scene: FakeScene = field(default_factory=FakeScene)
    page: PageSettings = field(default_factory=PageSettings)
    bridge: MatrixBridgeSettings = field(default_factory=MatrixBridgeSettings)
    kokoro: KokoroSettings = field(default_factory=KokoroSettings)
    job: str | None = None
    records: MemoryJobRecords = field(default_factory=MemoryJobRecords)
    most_seconds: int = 1500
    pace: ServicePace = field(default_factory=lambda: PACE)
    looked: list[str] = field(default_factory=list)
    part: ServicePart = field(init=False)
    running: "list[asyncio.Task[None]]" = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = SystemClock()
        self.leases = FakeLeases(self.scene)
        self.broker = MemoryBroker(clock=self.clock)
        self.start()

    @property
    def cluster(self) -> SimulatedCluster:
        return self.sparks.cluster

    def start(self) -> None:
        settings = self.sparks.settings
        owned = Owned(
            runtime=RuntimeSettings, parakeet=ParakeetSettings, kokoro=lambda: self.kokoro,
            magpie=MagpieSettings, embed=EmbedSettings, qdrant=QdrantSettings,
            bridge=lambda: self.bridge,
        )  # fmt: skip
        places = Places(
            settings, runtime=owned.runtime, page=lambda: self.page, parakeet=owned.parakeet,
            kokoro=owned.kokoro, magpie=owned.magpie, embed=owned.embed, qdrant=owned.qdrant,
        )  # fmt: skip

        async def look_now(name: str) -> None:
            self.looked.append(name)

        async def job(_: object) -> str | None:
            return self.job

        def own(host: Any) -> SshShell:
            return SshShell(settings.model_copy(update={"hosts": (host,)}), self.clock, SshTimes())

        bus = MemoryBus("health", self.broker)
        self.part = wire_services(
            Outside(self.redis, bus, self.clock, self.http, self.shell, own),
            Others(self.scene, self.leases, lambda _: None, look_now, job, tuple),
            cluster=settings, places=places, owned=owned, records=self.records,
            secrets=lambda: ["hidden-word"], data_dir=self.data_dir, pace=self.pace,
            bridge_work=lambda shell: BridgeWork(
                shell, self.clock, self.pace, most_seconds=self.most_seconds, settle_seconds=0
            ),
        )  # fmt: skip
        self.running = [asyncio.create_task(loop()) for loop in self.part.feature.background]

    async def kill(self) -> None:
        """Lose the process with everything it had in memory."""
        await end(self.running)

    async def close(self) -> None:
        await end(self.running)
        if self.part.feature.close is not None:
            await self.part.feature.close()

    async def view(self, name: str) -> ServiceView:
        return (await self.part.verbs.list(ListServices(name=name))).services[0]

    async def state(self, name: str, wanted: str) -> ServiceView:
        async def there() -> bool:
            view = await self.view(name)
            return view.container is not None and view.container.state == wanted

        await until(there, f"the container of {name} is {wanted}")
        return await self.view(name)

    async def look(self, name: str) -> Sighting:
        probes = {one.target.name: one for one in self.part.feature.probes()}
        return await probes[name].look()

    async def act(self, name: str, action: str, **fields: Any) -> Any:
        asked = {"name": name, "action": action, "requested_by": "Alice"} | fields
        return await self.part.verbs.act(ActOnService.model_validate(asked))

    async def save(self, name: str, **fields: Any) -> ServiceView:
        return await self.part.verbs.save(SaveService.model_validate({"name": name, **fields}))

    async def log(self, name: str, **fields: Any) -> Any:
        return await self.part.verbs.read_log(ReadServiceLog(name=name, **fields))

    async def update_over(self, id: str) -> Any:
        async def ended() -> bool:
            return (await self.part.bridge.get_job(GetJob(id=id))).over

        await until(ended, "the update is over")
        return await self.part.bridge.get_job(GetJob(id=id))

    async def told(self) -> list[dict[str, Any]]:
        rows = await self.redis.lrange(OUTBOX, 0, -1)
        return [json.loads(row)["data"] for row in rows]

    async def on_spark(self, *argv: str, host: str = "spark1") -> str:
        ran = await self.shell.run(host, RemoteCommand(argv))
        return (ran.stdout + ran.stderr).strip()

    def did(self, kind: str, host: str | None = None) -> list[str]:
        return [str(one.details["name"]) for one in self.cluster.journal.of(kind, host)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sparks(tmp_path_factory) -> AsyncIterator[TwoSparks]:
    folder: Path = tmp_path_factory.mktemp("services")
    async with two_sparks(folder, speed=SPEED, neighbours=True, service_containers=True) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def bench(
    sparks: TwoSparks, redis_server: RedisServer, tmp_path: Path
) -> AsyncIterator[Bench]:
    for host in sparks.cluster.hosts.values():
        host.services.crashing.clear()
        host.pace.speed = SPEED
    await sparks.cluster.reset()
    for host in sparks.cluster.hosts.values():
        shutil.rmtree(host.sandbox.home / ".spark-control", ignore_errors=True)
    redis = connect_redis(redis_server.settings, "health")
    shell = SshShell(sparks.settings, SystemClock(), SshTimes(remember_seconds=0.1))
    async with plain_client() as http:
        made = Bench(sparks, shell, http, redis, tmp_path / "data")
        yield made
        await made.close()
    await shell.close()
    await redis.aclose()
