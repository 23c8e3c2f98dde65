"""The audio proxy before a speech server of the Sparks, with the real remedy at the other end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from health_stand.on_sparks import BOX, QuickClock, Stand, stand
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
from spark_common.tasks import end
from spark_common.testing import MemoryBus
from spark_common.testing.wait import until
from spark_sim.speakclock.mixing import in_a_row, mixed
from spark_sim.speakclock.sound_files import Kind, encoded
from spark_sim.speech.service import PORT as SPEECH_PORT

pytestmark = pytest.mark.connected


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

    async def counts(self, callers: int) -> bool:
        """Whether so many are in line or at the server."""
        queue = (await self.stand.client.get("/api/audio/status")).json()["queue"]
        return bool(queue["in_use"] + sum(queue["waiting"].values()) == callers)

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

        # Ten callers, at most two of them at the server as it breaks: one check, one restart. All
        # are in line by then: who comes later is told so.
        await sparks.cluster.behave("spark1", "speech_busy")
        asking = [asyncio.create_task(proxy.asked("Good evening.")) for _ in range(10)]
        await until(lambda: proxy.counts(10), "all are there")
        speech.parakeet.switches.wedge_next = True
        await sparks.cluster.behave("spark1", "ok")
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
