"""A speech server that gets stuck, dies, errs or is busy, with callers of all kinds before it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from spark_audio_proxy.feature import Feature
from spark_audio_proxy.recovery.guard import Guard
from spark_audio_proxy.recovery.on_bus import ServerOverHttp
from spark_audio_proxy.recovery.ports import DeepSight
from spark_audio_proxy.recovery.shared import Known
from spark_audio_proxy.recovery.standing import Standing
from spark_audio_proxy.recovery.watching import Watch
from spark_audio_proxy.testing.recovering import Heralds, MemoryStanding
from spark_audio_proxy.testing.stand import AudioStand, audio_stand
from spark_audio_proxy.upstreams.asking import UpstreamHttp
from spark_audio_proxy.wiring import Hearing
from spark_common.clock import SystemClock
from spark_common.errors import UnavailableError
from spark_common.settings.speech import SpeechSettings
from spark_common.tasks import end
from spark_common.testing.wait import until
from spark_sim.speakclock.mixing import in_a_row, mixed
from spark_sim.speakclock.sound_files import Kind, encoded
from spark_sim.speech.stands import ParakeetStand, parakeet_stand

PATH = "/v1/audio/transcriptions"
WELL = encoded(Kind.WAV, mixed(in_a_row("Good morning.", 0)))
POISON = encoded(Kind.WAV, mixed(in_a_row("Say abracadabra now.", 0)))


class SlowStanding(MemoryStanding):
    """Takes its time, as another process does: whoever is next in line must wait for it."""

    async def change(self, before: Standing, after: Standing) -> bool:
        await asyncio.sleep(0.05)
        return await super().change(before, after)


class HealthStandIn:
    """Does what the health service does: a job, the same once more, and a restart if need be."""

    def __init__(self, server: ParakeetStand) -> None:
        self.orders: list[str] = []
        self.away = False
        self.may_restart = asyncio.Event()
        self.may_restart.set()
        self._server = server
        self._check: DeepSight | None = None
        self.work: list[asyncio.Task[None]] = []

    async def order_check(self, episode: str, reason: str) -> None:
        if self.away:
            raise UnavailableError("nobody is there")
        self.orders.append(episode)
        self.work.append(asyncio.create_task(self._checked()))

    async def latest_check(self) -> DeepSight | None:
        return self._check

    async def _checked(self) -> None:
        if await self._job():
            self._tell("ok")
            return
        self._tell("wedged")
        await self.may_restart.wait()
        await self._server.restart(load_seconds=200.0)
        self._tell("ok" if await self._job() else "failing")

    async def _job(self) -> bool:
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.post(self._server.url + PATH, files={"file": ("a.wav", WELL)})
        return answer.status_code == 200

    def _tell(self, state: Any) -> None:
        self._check = DeepSight(state, SystemClock().now().timestamp())


@dataclass
class Place:
    """What a test sees."""

    server: ParakeetStand
    health: HealthStandIn
    proxy: AudioStand
    known: Known
    heralds: Heralds

    async def asked(self, data: bytes = WELL) -> httpx.Response:
        return await self.proxy.client.post(PATH, files={"file": ("a.wav", data)})

    async def well(self) -> None:
        await until(lambda: self.known.standing.state == "ready", "it works again")


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    clock = SystemClock()
    async with parakeet_stand(200) as server:
        health, heralds = HealthStandIn(server), Heralds()
        http = UpstreamHttp("parakeet", "the speech server", lambda: server.url)
        idle: list[Any] = []
        watch = Watch(ServerOverHttp(http), health, heralds, clock, lambda: idle[0]())
        known = Known(SlowStanding(), clock, watch.told)

        def more(hearing: Hearing) -> list[Feature]:
            idle.append(lambda: hearing.permits.idle)
            return [Feature(background=(lambda: watch.run(known),))]

        async with audio_stand(
            server.url,
            tmp_path,
            settings=SpeechSettings(),
            guardian=Guard(known, clock),
            more=more,
        ) as proxy:
            yield Place(server, health, proxy, known, heralds)
        await end(health.work)
        await http.close()


async def test_ten_victims_are_one_restart_and_who_waits_is_served(place: Place) -> None:
    place.health.may_restart.clear()
    place.server.switches.wedge_next = True
    asking = [asyncio.create_task(place.asked()) for _ in range(10)]
    await until(lambda: place.known.standing.state == "recovering", "it is known to be stuck")
    refused = await place.asked()
    assert refused.status_code == 503
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.json()["error"]["code"] == "upstream_recovering"
    status = (await place.proxy.client.get("/api/audio/status")).json()
    assert status["queue"]["in_use"] == 0
    place.health.may_restart.set()
    answers = await asyncio.gather(*asking)
    codes = [answer.status_code for answer in answers]
    # Two were with the server when it broke; the others were in line.
    assert sorted(codes)[:8] == [200] * 8
    victims = [answer for answer in answers if answer.status_code != 200]
    assert 1 <= len(victims) <= 2
    for victim in victims:
        assert (victim.status_code, victim.headers["retry-after"]) == (503, "60")
    assert place.server.records.restarts == 1
    assert len(place.health.orders) == 1
    # Besides the victims only the check met the broken server.
    assert place.server.records.during_wedge <= 2
    assert place.heralds.states == ["suspect", "recovering", "ready"]


async def test_poison_breaks_it_twice_and_not_a_third_time(place: Place) -> None:
    place.server.switches.poison_words = {"abracadabra"}
    for _ in range(2):
        assert (await place.asked(POISON)).status_code == 503
        await place.well()
    rejected = await place.asked(POISON)
    assert rejected.status_code == 422
    assert rejected.json()["error"]["code"] == "audio_rejected"
    assert rejected.headers["x-should-retry"] == "false"
    assert place.server.records.restarts == 2
    assert (await place.asked()).status_code == 200


async def test_a_bare_error_is_looked_at_and_restarts_nothing(place: Place) -> None:
    place.server.switches.error_next = 1
    failed = await place.asked()
    assert (failed.status_code, failed.headers["retry-after"]) == (503, "60")
    await place.well()
    assert len(place.health.orders) == 1
    assert place.server.records.restarts == 0
    assert (await place.asked()).json()["text"] == "Good morning."


async def test_a_busy_server_is_left_alone(place: Place) -> None:
    place.server.behave("speech_busy")
    asking = asyncio.create_task(place.asked())
    await until(lambda: place.server.inside == 1, "it works")
    status = (await place.proxy.client.get("/api/audio/status")).json()
    assert status["state"] == "busy"
    place.server.behave("ok")
    assert (await asking).status_code == 200
    assert place.health.orders == []
    assert place.heralds.states == []


async def test_a_server_that_is_gone_is_refused_quickly_and_found_again(place: Place) -> None:
    await place.server.stop()
    for _ in range(2):
        refused = await place.asked()
        assert refused.status_code == 503
        assert refused.json()["error"]["code"] == "upstream_down"
    await place.server.restart(load_seconds=1.0)
    await place.well()
    assert (await place.asked()).status_code == 200
    assert place.health.orders == []


async def test_a_process_that_dies_on_a_job_is_waited_for(place: Place) -> None:
    place.server.switches.dies_next = True
    assert (await place.asked()).status_code == 503
    await place.well()
    assert (await place.asked()).status_code == 200
