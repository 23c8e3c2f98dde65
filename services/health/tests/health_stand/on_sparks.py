"""Health on two simulated Sparks, with as much of coordinator and swapper as it asks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from redis.asyncio import Redis

from spark_common.bus.port import Serving
from spark_common.clock import SystemClock
from spark_common.contracts.deep_health import DeepResult
from spark_common.contracts.leases import (
    ACQUIRE_LEASE,
    GET_LEASE,
    RELEASE_LEASE,
    AcquireLease,
    GetLease,
    LeaseGrant,
    LeaseView,
    Released,
    ReleaseLease,
)
from spark_common.contracts.models import LIST_MODELS
from spark_common.contracts.swaps import LIST_SWAPS, ListSwaps, Swaps, SwapView
from spark_common.errors import LeaseHeldError, UnavailableError
from spark_common.events import ServiceAction
from spark_common.plain_http import plain_client
from spark_common.remote.ssh import SshShell
from spark_common.settings import RuntimeSettings
from spark_common.settings.policies import RemedySettings
from spark_common.settings.support import (
    EmbedSettings,
    KokoroSettings,
    MagpieSettings,
    PageSettings,
    ParakeetSettings,
    QdrantSettings,
)
from spark_common.subjects import SERVICE_ACTION
from spark_common.testing import MemoryBroker, MemoryBus
from spark_health.deep.catalogue import Groups
from spark_health.deep.wiring import DeepPart, wire_deep
from spark_health.remedies.lent import LentBook, OrderKeys
from spark_health.remedies.ssh_containers import SshContainers
from spark_health.watching.first.places import Places
from spark_sim.cluster import SimulatedCluster
from spark_sim.speech.service import SpeechService
from spark_sim.two_sparks import TwoSparks, two_sparks

BOX = "parakeet-asr"
"""The container with the speech server."""


class QuickClock(SystemClock):
    """The machine's clock, for which ten seconds of rest are a tenth."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / 100)


class Others:
    """Coordinator and swapper, as far as health asks them."""

    def __init__(self) -> None:
        self.swap: SwapView | None = None
        self.holder: str | None = None
        self.held: list[str] = []
        self.holds = False

    async def serve(self, broker: MemoryBroker) -> None:
        lease = [Serving(GET_LEASE, self.get), Serving(ACQUIRE_LEASE, self.acquire),
                 Serving(RELEASE_LEASE, self.release)]  # fmt: skip
        await MemoryBus("coordinator", broker).serve("coordinator", "1", "lease", lease)
        swaps = [Serving(LIST_SWAPS, self.swaps), Serving(LIST_MODELS, self.menu)]
        await MemoryBus("swapper", broker).serve("swapper", "1", "swaps", swaps)

    async def get(self, _: GetLease) -> LeaseView:
        taken = self.holder or ("health" if self.holds else None)
        return LeaseView(state="held" if taken else "free", holder=taken, epoch=1)

    async def acquire(self, request: AcquireLease) -> LeaseGrant:
        if self.holder or self.holds:
            raise LeaseHeldError("somebody holds the cluster")
        self.holds = True
        self.held.append(request.reason)
        return LeaseGrant(state="held", token="secret", epoch=2)

    async def release(self, _: ReleaseLease) -> Released:
        self.holds = False
        return Released(released="lease", epoch=2)

    async def swaps(self, _: ListSwaps) -> Swaps:
        return Swaps(current=self.swap)

    async def menu(self, _: object) -> LeaseView:
        raise UnavailableError("the menu is not known yet")


class Stand:
    """Health on two Sparks."""

    def __init__(
        self, part: DeepPart, cluster: SimulatedCluster, bus: MemoryBus,
        broker: MemoryBroker, redis: Redis,
    ) -> None:  # fmt: skip
        self.part, self.cluster, self.bus, self.broker = part, cluster, bus, broker
        self.redis = redis
        self.others = Others()

    async def check(self, service: str) -> DeepResult:
        return await self.part.runner.once(service, "manual")

    async def turn(self) -> None:
        await self.part.remedy.remedies.turn()
        while await self.part.remedy.teller.tell_next():
            pass

    def age(self, seconds: float) -> None:
        """Let the container have been there for so long."""
        assert self.speech.container is not None
        self.speech.container.started_at = datetime.now(UTC) - timedelta(seconds=seconds)

    @property
    def speech(self) -> SpeechService:
        """The container with the speech server."""
        speech = self.cluster.hosts["spark1"].speech
        assert speech is not None
        return speech

    @property
    def restarts(self) -> list[object]:
        return [
            entry.details["name"]
            for host in ("spark1", "spark2")
            for entry in self.cluster.journal.of("container_restarted", host)
        ]

    async def until_loaded(self) -> None:
        while (await self.check("parakeet")).state == "loading":
            pass

    async def told(self) -> list[ServiceAction]:
        last = await self.bus.last_message("SC_HEALTH", SERVICE_ACTION)
        if last is None:
            return []
        found = [await self.bus.message_at("SC_HEALTH", seq) for seq in range(1, last.seq + 1)]
        return [
            ServiceAction.model_validate(one.envelope.data)
            for one in found
            if one is not None and one.envelope is not None and one.subject == SERVICE_ACTION
        ]


@asynccontextmanager
async def stand(folder: Path, redis: Redis) -> AsyncIterator[Stand]:
    async with two_sparks(folder, neighbours=True, speed=2000) as sparks:
        broker = MemoryBroker()
        bus = MemoryBus("health", broker)
        shell, http, clock = SshShell(sparks.settings, SystemClock()), plain_client(), QuickClock()
        part = wire_on(sparks, redis, bus, shell, http, clock)
        made = Stand(part, sparks.cluster, bus, broker, redis)
        await made.others.serve(broker)
        try:
            yield made
        finally:
            await shell.close()
            await http.aclose()


def wire_on(sparks: TwoSparks, redis, bus, shell, http, clock) -> DeepPart:  # type: ignore[no-untyped-def]
    groups = Groups(ParakeetSettings, KokoroSettings, MagpieSettings, EmbedSettings, QdrantSettings)
    places = Places(
        sparks.settings,
        runtime=RuntimeSettings,
        page=PageSettings,
        parakeet=groups.parakeet,
        kokoro=groups.kokoro,
        magpie=groups.magpie,
        embed=groups.embed,
        qdrant=groups.qdrant,
    )
    return wire_deep(
        redis=redis,
        bus=bus,
        clock=clock,
        http=http,
        hosts=("spark1", "spark2"),
        places=places,
        groups=groups,
        containers=SshContainers(shell),
        policy=RemedySettings,
        lent=LentBook(redis, clock),
        orders=OrderKeys(),
    )
