"""Jobs for long recordings, with a real Redis: taken on, worked off, looked at, forgotten."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from spark_audio_proxy import keys
from spark_audio_proxy.jobs.record import AudioJob
from spark_audio_proxy.jobs.store import RedisJobs
from spark_audio_proxy.jobs.wiring import wire_jobs
from spark_audio_proxy.testing.stand import AudioStand, audio_stand
from spark_common.clock import SystemClock
from spark_common.embedded import RedisServer
from spark_common.redis_access import connect_redis
from spark_common.testing.bus import MemoryBus
from spark_common.testing.wait import until
from spark_sim.faults import Behaviour
from spark_sim.speakclock.mixing import in_a_row, mixed
from spark_sim.speakclock.sound_files import Kind, encoded
from spark_sim.speech.stands import ParakeetStand, parakeet_stand

TEXT = "Good morning, this is Alice."
FLAC = encoded(Kind.FLAC, mixed(in_a_row(TEXT, 0)))
PATH = "/api/audio/jobs"

pytestmark = pytest.mark.connected


@pytest_asyncio.fixture
async def redis(redis_server: RedisServer) -> AsyncIterator[Redis]:
    client = connect_redis(redis_server.settings, "test")
    yield client
    await client.aclose()


@pytest_asyncio.fixture
async def parakeet() -> AsyncIterator[ParakeetStand]:
    async with parakeet_stand(2000) as stand:
        yield stand


@pytest_asyncio.fixture
async def proxy(parakeet: ParakeetStand, redis: Redis, tmp_path: Path) -> AsyncIterator[AudioStand]:
    bus = MemoryBus("audio-proxy")
    async with audio_stand(
        parakeet.url,
        tmp_path,
        more=lambda hearing: [wire_jobs(hearing, RedisJobs(redis), bus, SystemClock())],
    ) as stand:
        yield stand


async def begin(proxy: AudioStand, **fields: str):
    return await proxy.client.post(PATH, files={"file": FLAC}, data=fields)


async def ended(proxy: AudioStand, where: str) -> dict:
    async def over() -> bool:
        return (await proxy.client.get(where)).json()["state"] not in ("queued", "running")

    await until(over, "the job is over")
    return (await proxy.client.get(where)).json()


async def test_a_job_is_answered_at_once_and_found_again_with_its_result(
    proxy: AudioStand, redis: Redis
) -> None:
    answer = await begin(proxy)
    assert answer.status_code == 202
    where = answer.headers["location"]
    job = await ended(proxy, where)
    assert (job["state"], job["progress"], job["error"]) == ("done", 1.0, None)
    assert [segment["text"] for segment in job["result"]["segments"]] == [TEXT]
    plain = await ended(proxy, (await begin(proxy, response_format="srt")).headers["location"])
    assert plain["result"].startswith("1\n00:00:00,")
    listed = (await proxy.client.get(PATH)).json()["data"]
    assert [one["id"] for one in listed] == [plain["id"], job["id"]]
    assert "result" not in listed[0]
    # Nobody else sees that there is one, or what was said in it.
    other = {"x-spark-tenant": "somebody else"}
    assert (await proxy.client.get(PATH, headers=other)).json()["data"] == []
    for method in ("GET", "DELETE"):
        assert (await proxy.client.request(method, where, headers=other)).status_code == 404
    # What was said is kept for an hour, and goes when its caller says so.
    assert 0 < await redis.ttl(keys.job_result(job["id"])) <= 3600
    assert (await proxy.client.delete(where)).status_code == 204
    assert (await proxy.client.get(where)).status_code == 404
    assert await redis.exists(keys.job_result(job["id"])) == 0
    await until(lambda: proxy.left_behind == [], "the recordings are gone")


async def test_a_job_that_is_deleted_stops(proxy: AudioStand, parakeet: ParakeetStand) -> None:
    parakeet.behave(Behaviour.SPEECH_BUSY)
    where = (await begin(proxy)).headers["location"]
    await until(lambda: parakeet.inside == 1, "it is worked on")
    assert proxy.left_behind != []
    assert (await proxy.client.delete(where)).status_code == 204
    await until(lambda: proxy.left_behind == [], "its recording is gone")
    parakeet.behave(Behaviour.OK)


async def test_a_job_that_fails_says_why(proxy: AudioStand, parakeet: ParakeetStand) -> None:
    parakeet.switches.error_next = 9
    job = await ended(proxy, (await begin(proxy)).headers["location"])
    assert (job["state"], job["error"]["code"]) == ("failed", "upstream_recovering")
    refused = await proxy.client.post(PATH, files={"file": b"junk" * 9})
    assert refused.json()["error"]["code"] == "invalid_audio"
    missing = await proxy.client.get(f"{PATH}/nothing")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "not_found")


async def test_a_job_whose_process_died_is_called_interrupted(
    proxy: AudioStand, redis: Redis
) -> None:
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    lost = AudioJob(
        id="lost", tenant="home", state="running", format="speakers", sound_seconds=9.0,
        created_at=long_ago, seen_at=long_ago,
    )  # fmt: skip
    await RedisJobs(redis).add(lost)
    job = (await proxy.client.get(f"{PATH}/lost")).json()
    assert (job["state"], job["error"]["code"]) == ("failed", "interrupted")


async def test_without_redis_there_are_no_jobs_and_transcripts_all_the_same(
    proxy: AudioStand, redis_server: RedisServer
) -> None:
    await redis_server.kill()
    refused = await begin(proxy)
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "unavailable")
    answers = await asyncio.gather(
        *(proxy.client.post("/v1/audio/transcriptions", files={"file": FLAC}) for _ in range(2))
    )
    assert [answer.json()["text"] for answer in answers] == [TEXT, TEXT]
    await redis_server.start()
