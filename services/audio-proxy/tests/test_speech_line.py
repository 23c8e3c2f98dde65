"""Many callers, one GPU, through real sockets: the cap, those who leave, a server that is busy."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from spark_audio_proxy.testing.memory_gate import MemoryGate
from spark_audio_proxy.testing.stand import AudioStand, audio_stand
from spark_common.service import REGISTRY
from spark_common.settings.speech import SpeechSettings
from spark_common.testing.wait import until
from spark_sim.faults import Behaviour
from spark_sim.speakclock.mixing import in_a_row, mixed
from spark_sim.speakclock.sound_files import Kind, encoded
from spark_sim.speech.stands import ParakeetStand, parakeet_stand

TEXT = "Good morning Bob."
WAV = encoded(Kind.WAV, mixed(in_a_row(TEXT, 0)))
PATH = "/v1/audio/transcriptions"


@pytest_asyncio.fixture
async def parakeet() -> AsyncIterator[ParakeetStand]:
    async with parakeet_stand(2000) as stand:
        yield stand


@pytest_asyncio.fixture
async def proxy(parakeet: ParakeetStand, tmp_path: Path) -> AsyncIterator[AudioStand]:
    async with audio_stand(parakeet.url, tmp_path) as stand:
        yield stand


async def send(proxy: AudioStand, caller: str = "alice", **fields: str):
    return await proxy.client.post(
        PATH, files={"file": WAV}, data=fields, headers={"x-spark-caller": caller}
    )


def standing(proxy: AudioStand) -> dict:
    return proxy.hearing.permits.standing()


async def test_forty_at_once_are_all_answered_and_never_more_than_two_inside(
    proxy: AudioStand, parakeet: ParakeetStand
) -> None:
    answers = await asyncio.gather(*(send(proxy, f"caller {n % 5}") for n in range(40)))
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.json()["text"] for answer in answers} == {TEXT}
    assert parakeet.records.most_at_once <= 2
    assert (standing(proxy)["in_use"], proxy.left_behind) == (0, [])


async def test_two_replicas_share_the_cap(parakeet: ParakeetStand, tmp_path: Path) -> None:
    gate = MemoryGate()
    async with (
        audio_stand(parakeet.url, tmp_path / "one", gate=gate) as one,
        audio_stand(parakeet.url, tmp_path / "two", gate=gate) as two,
    ):
        calls = [send(stand) for stand in (one, two) for _ in range(8)]
        answers = await asyncio.gather(*calls)
        assert {answer.status_code for answer in answers} == {200}
    assert parakeet.records.most_at_once <= 2


class TestWhileTheServerIsBusy:
    @pytest_asyncio.fixture(autouse=True)
    async def two_inside(
        self, proxy: AudioStand, parakeet: ParakeetStand
    ) -> AsyncIterator[list[asyncio.Task]]:
        parakeet.behave(Behaviour.SPEECH_BUSY)
        tasks = [asyncio.create_task(send(proxy)) for _ in range(2)]
        await until(lambda: parakeet.inside == 2, "two are inside")
        yield tasks
        parakeet.behave(Behaviour.OK)
        await asyncio.gather(*tasks, return_exceptions=True)

    async def test_it_is_called_busy(self, proxy: AudioStand) -> None:
        status = (await proxy.client.get("/api/audio/status")).json()
        assert status["state"] == "busy"
        assert status["queue"]["in_use"] == 2

    async def test_whoever_leaves_the_line_is_never_sent_up(
        self, proxy: AudioStand, parakeet: ParakeetStand, two_inside: list[asyncio.Task]
    ) -> None:
        third = asyncio.create_task(send(proxy))
        await until(lambda: standing(proxy)["waiting"]["interactive"] == 1, "it waits")
        third.cancel()
        await until(lambda: standing(proxy)["waiting"]["interactive"] == 0, "it is gone")
        parakeet.behave(Behaviour.OK)
        await asyncio.gather(*two_inside)
        assert len(parakeet.records.uploads) == 2
        await until(lambda: proxy.left_behind == [], "nothing of it is left on disk")
        counted = {"route": PATH, "format": "json", "status": "499", "code": "client_closed"}
        await until(
            lambda: REGISTRY.get_sample_value("audio_requests_total", counted) is not None,
            "it is counted as one who left",
        )

    async def test_whoever_leaves_the_server_keeps_the_permit_until_it_is_idle(
        self, proxy: AudioStand, parakeet: ParakeetStand, two_inside: list[asyncio.Task]
    ) -> None:
        two_inside[0].cancel()
        await until(lambda: standing(proxy)["draining"] == 1, "its permit drains")
        waiting = asyncio.create_task(send(proxy))
        await until(lambda: standing(proxy)["waiting"]["interactive"] == 1, "the next one waits")
        parakeet.behave(Behaviour.OK)
        assert (await waiting).status_code == 200
        assert parakeet.records.most_at_once == 2
        await until(lambda: standing(proxy)["draining"] == 0, "nothing drains any more")
        await until(lambda: proxy.left_behind == [], "nothing is left on disk")

    async def test_the_line_has_an_end_and_says_when_to_come_back(self, proxy: AudioStand) -> None:
        proxy.settings = SpeechSettings(audio_queue_depth=1)
        waiting = [asyncio.create_task(send(proxy)) for _ in range(2)]
        await until(lambda: standing(proxy)["waiting"]["interactive"] == 2, "the line is full")
        refused = await send(proxy)
        assert (refused.status_code, refused.json()["error"]["code"]) == (429, "queue_full")
        assert 1 <= int(refused.headers["retry-after"]) <= 120
        for task in waiting:
            task.cancel()


async def test_redis_away_is_one_at_a_time(parakeet: ParakeetStand, tmp_path: Path) -> None:
    gate = MemoryGate()
    gate.away = True
    async with audio_stand(parakeet.url, tmp_path, gate=gate) as proxy:
        answers = await asyncio.gather(*(send(proxy) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {200}
    assert parakeet.records.most_at_once == 1
