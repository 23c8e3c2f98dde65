"""The whole way on simulated Sparks: a fault, a check, a restart over SSH, the journal."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from redis.asyncio import Redis

from spark_audio_proxy.feature import Feature as ProxyFeature
from spark_audio_proxy.recovery.guard import Guard
from spark_audio_proxy.recovery.on_bus import HealthOnBus, ServerOverHttp
from spark_audio_proxy.recovery.shared import Known
from spark_audio_proxy.recovery.watching import Watch
from spark_audio_proxy.testing.recovering import Heralds, MemoryStanding
from spark_audio_proxy.testing.stand import AudioStand, audio_stand
from spark_audio_proxy.upstreams.asking import UpstreamHttp
from spark_audio_proxy.wiring import Hearing
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
from spark_common.contracts.swaps import LIST_SWAPS, ListSwaps, Phase, Swaps, SwapView
from spark_common.errors import LeaseHeldError, UnavailableError
from spark_common.events import HealthChecked, HealthProbeRequested, HealthReport, ServiceAction
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
from spark_common.subjects import HEALTH_PROBE, HEALTH_REPORT, SERVICE_ACTION, health_checked
from spark_common.tasks import end
from spark_common.testing import MemoryBroker, MemoryBus
from spark_common.testing.wait import until
from spark_health.deep.catalogue import Groups
from spark_health.deep.wiring import DeepPart, wire_deep
from spark_health.remedies.lent import LentBook, OrderKeys
from spark_health.remedies.ssh_containers import SshContainers
from spark_health.watching.first.places import Places
from spark_health.watching.reports import Reports
from spark_sim.cluster import SimulatedCluster
from spark_sim.speakclock.mixing import in_a_row, mixed
from spark_sim.speakclock.sound_files import Kind, encoded
from spark_sim.speech.service import PORT as SPEECH_PORT
from spark_sim.speech.service import SpeechService
from spark_sim.two_sparks import TwoSparks, two_sparks

pytestmark = pytest.mark.connected
BOX = "parakeet-asr"


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


async def test_a_fault_is_seen_healed_once_and_told(tmp_path: Path, redis: Redis) -> None:
    async with stand(tmp_path, redis) as sparks:
        found = {name: await sparks.check(name) for name in sparks.part.runner.checked()}
        assert {name: one.state for name, one in found.items()} == {
            "vllm": "idle",
            "parakeet": "ok",
            "kokoro": "ok",
            "embeddings": "ok",
            "qdrant": "ok",
        }
        assert found["parakeet"].facts == {"words_heard": 9, "words_said": 9}

        for behaviour, state in (("voice_silent", "failing"), ("voice_errors", "wedged")):
            await sparks.cluster.behave("spark1", behaviour)
            assert (await sparks.check("kokoro")).state == state
        await sparks.cluster.behave("spark1", "ok")
        assert (await sparks.check("kokoro")).state == "ok"

        # Stuck while a swap runs there, then while somebody holds the cluster: nothing happens.
        await sparks.cluster.behave("spark1", "speech_wedge")
        stuck = await sparks.check("parakeet")
        assert stuck.state == "wedged"
        assert "CUDA error: an illegal memory access was encountered" in stuck.evidence
        sparks.age(seconds=5)
        await sparks.turn()
        assert sparks.restarts == [], "it was started seconds ago"
        sparks.age(seconds=3600)
        sparks.others.swap = SwapView(
            id="s", model="gemma", model_name="Gemma", requested_by="Bob", phase=Phase.LOADING,
            created_at=datetime.now(UTC),
        )  # fmt: skip
        await sparks.turn()
        assert (await sparks.check("parakeet")).state == "skipped"
        sparks.others.swap, sparks.others.holder = None, "Bob"
        await sparks.turn()
        assert (sparks.restarts, sparks.others.held) == ([], [])

        # Nor while a job replaces what is in the container.
        sparks.others.holder = None
        await redis.zadd("sc:overlay:live", {"job": 1})
        await sparks.turn()
        assert (sparks.restarts, sparks.others.held) == ([], [])
        await redis.delete("sc:overlay:live")

        # Now it may: the right container, once, under the lease, with its reason.
        await sparks.cluster.behave("spark1", "ok")
        await sparks.turn()
        await sparks.turn()
        assert sparks.restarts == [BOX]
        assert len(sparks.others.held) == 1
        assert not sparks.others.holds
        [event] = [one for one in await sparks.told() if one.decision == "acted"]
        assert (event.service, event.container, event.ok) == ("parakeet", BOX, True)
        assert event.reason
        assert any("illegal memory access" in line for line in event.evidence)
        await sparks.until_loaded()
        assert (await sparks.check("parakeet")).state == "ok"


async def test_what_an_app_reports_as_broken_is_checked_confirmed_and_restarted_once(
    tmp_path: Path, redis: Redis
) -> None:
    """As the audio proxy does it: it tells what it met, asks for a check, and hears the end."""
    async with stand(tmp_path, redis) as sparks:
        part, clock = sparks.part, SystemClock()
        reports = Reports(sparks.bus, clock, part.runner.checked, part.suspicions.heard)
        orders = [asyncio.create_task(one()) for one in (reports.run, part.orders.run)]
        await sparks.cluster.behave("spark1", "speech_wedge")
        met = HealthReport(
            service="stt", ok=False, source="audio-proxy", error="HTTP 500 CUFFT_INTERNAL_ERROR"
        )
        asked = HealthProbeRequested(target="parakeet", requested_by="audio-proxy")
        for number in range(4):
            await sparks.bus.publish_durable(HEALTH_REPORT, met, id=f"met {number}")
            await sparks.bus.publish_durable(HEALTH_PROBE, asked, id=f"asked {number}")

        async def checked() -> HealthChecked | None:
            last = await sparks.bus.last_message("SC_HEALTH", health_checked("parakeet"))
            if last is None or last.envelope is None:
                return None
            return HealthChecked.model_validate(last.envelope.data)

        async def wedged() -> bool:
            found = await checked()
            return found is not None and found.state == "wedged"

        await until(wedged, "the check says that it is stuck")
        found = await checked()
        assert found is not None
        assert (found.target, found.trigger, found.requested_by) == (
            "parakeet", "event", "audio-proxy",
        )  # fmt: skip
        assert any("CUDA" in line for line in found.evidence)
        await sparks.cluster.behave("spark1", "ok")
        for _ in range(3):
            await sparks.turn()
        assert sparks.restarts == [BOX]
        assert [one.decision for one in await sparks.told()] == ["acted"]
        await end(orders)


@dataclass
class Proxy:
    """audio-proxy before the speech server of the Sparks, with health at the other end."""

    stand: AudioStand
    known: Known
    heralds: Heralds
    sparks: Stand

    async def asked(self, text: str) -> httpx.Response:
        data = encoded(Kind.WAV, mixed(in_a_row(text, 0)))
        sent = {"file": ("a.wav", data)}
        return await self.stand.client.post("/v1/audio/transcriptions", files=sent, timeout=60)

    async def until_it_loads(self) -> None:
        """Wait for the restart, and until the proxy has seen that another process is there."""
        server = self.sparks.speech.parakeet
        await until(
            lambda: self.known.standing.away and server.process.status == "loading",
            "the proxy sees a server that loads",
        )

    async def loaded(self) -> None:
        """Let the models be there, and the proxy see it."""
        self.sparks.speech.parakeet.process.status = "ready"
        await until(lambda: self.known.standing.state == "ready", "the proxy sees that it works")

    async def two_minutes_pass(self) -> None:
        """Let the container be old, and the rest after its last restart be over."""
        self.sparks.age(seconds=3600)
        await self.sparks.part.runner.once("parakeet", "manual")
        await self.sparks.redis.delete(
            f"sc:remedy:tries:spark1/{BOX}", "sc:remedy:tries-of:parakeet"
        )

    @property
    def orders(self) -> int:
        return len(self.sparks.broker.stream("SC_PROBES").messages)


@asynccontextmanager
async def proxied(sparks: Stand, folder: Path) -> AsyncIterator[Proxy]:
    part, clock, heralds = sparks.part, QuickClock(), Heralds()
    await sparks.bus.serve("health", "1", "deep", part.verbs.verbs())
    loops = [asyncio.create_task(one()) for one in (part.orders.run, part.remedy.remedies.run)]
    address = f"http://{sparks.cluster.hosts['spark1'].address}:{SPEECH_PORT}"
    http = UpstreamHttp("parakeet", "the speech server", lambda: address)
    desk = HealthOnBus(MemoryBus("audio-proxy", sparks.broker))
    made: list[Hearing] = []
    server = ServerOverHttp(http)
    watch = Watch(server, desk, heralds, clock, lambda: made[0].permits.idle)
    known = Known(MemoryStanding(), clock, watch.told)

    def more(hearing: Hearing) -> list[ProxyFeature]:
        made.append(hearing)
        return [ProxyFeature(background=(lambda: watch.run(known),))]

    guard = Guard(known, clock)
    async with audio_stand(address, folder / "proxy", guardian=guard, more=more) as one:
        yield Proxy(one, known, heralds, sparks)
        assert one.left_behind == []
    await end(loops)
    await http.close()


async def test_victims_of_one_wedge_share_a_restart_busy_has_none_and_poison_is_kept_out(
    tmp_path: Path, redis: Redis
) -> None:
    async with stand(tmp_path, redis) as sparks, proxied(sparks, tmp_path) as proxy:
        speech = sparks.speech
        # The test says when the models are loaded, so that nobody can miss that they are not.
        speech.stuck_loading = True

        # One that works for a long time, and says nothing meanwhile, is busy.
        await sparks.cluster.behave("spark1", "speech_busy")
        working = asyncio.create_task(proxy.asked("Good morning."))
        await until(lambda: speech.parakeet.process.inside == 1, "it works")
        status = (await proxy.stand.client.get("/api/audio/status")).json()
        assert status["state"] == "busy"
        await sparks.cluster.behave("spark1", "ok")
        assert (await working).json()["text"] == "Good morning."
        assert (proxy.orders, sparks.restarts, proxy.heralds.states) == (0, [], [])

        # Ten callers, two of them at the server as it breaks: one check, one restart.
        speech.parakeet.switches.wedge_next = True
        asking = [asyncio.create_task(proxy.asked("Good evening.")) for _ in range(10)]
        await proxy.until_it_loads()
        refused = await proxy.asked("Too late.")
        assert refused.status_code == 503
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        await proxy.loaded()
        answers = await asyncio.gather(*asking)
        served = [answer for answer in answers if answer.status_code == 200]
        assert [one.json()["text"] for one in served] == ["Good evening."] * len(served)
        assert len(served) >= 8, "who waited in line was served"
        for victim in answers:
            if victim not in served:
                assert (victim.status_code, victim.headers["retry-after"]) == (503, "60")
                assert victim.json()["error"]["code"] == "upstream_recovering"
        assert (proxy.orders, sparks.restarts, len(sparks.others.held)) == (1, [BOX], 1)
        assert proxy.heralds.states == ["suspect", "recovering", "ready"]

        # A recording that breaks it: twice, and not a third time.
        speech.parakeet.switches.poison_words = {"abracadabra"}
        for count in (2, 3):
            await proxy.two_minutes_pass()
            assert (await proxy.asked("Say abracadabra now.")).status_code == 503
            await proxy.until_it_loads()
            await proxy.loaded()
            assert sparks.restarts == [BOX] * count
        rejected = await proxy.asked("Say abracadabra now.")
        assert rejected.status_code == 422
        assert rejected.json()["error"]["code"] == "audio_rejected"
        assert rejected.headers["x-should-retry"] == "false"
        assert (await proxy.asked("Good night.")).json()["text"] == "Good night."
        assert (proxy.orders, sparks.restarts) == (3, [BOX] * 3)


async def test_the_spark_itself_restarts_one_run_only_once(tmp_path: Path) -> None:
    async with two_sparks(tmp_path, neighbours=True, speed=2000) as sparks:
        shell = SshShell(sparks.settings, SystemClock())
        containers = SshContainers(shell)
        sight = await containers.look("spark1", BOX)
        assert sight is not None
        assert sight.running
        assert sight.age_seconds > 3600, "it was there before anybody looked"
        late = await containers.restart("spark1", BOX, sight.started_at, sight.seen_at - 60)
        assert late == "late"
        last = sight.seen_at + 60
        answers = await asyncio.gather(
            *(containers.restart("spark1", BOX, sight.started_at, last) for _ in range(3))
        )
        assert sorted(answers) == ["already", "already", "restarted"]
        assert len(sparks.cluster.journal.of("container_restarted", "spark1")) == 1
        assert await containers.look("spark1", "nobody") is None
        assert await containers.recent_lines("spark1", "nobody", 60) == []
        await shell.close()
