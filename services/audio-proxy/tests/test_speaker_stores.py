"""One exam for the stores of voices: in memory and in a real Redis; and sessions on top."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
import pytest_asyncio

from spark_audio_proxy.speakers import keys
from spark_audio_proxy.speakers.matching import EmbeddingModelMismatchError, EnrolledVoice
from spark_audio_proxy.speakers.session_store import RedisSessions
from spark_audio_proxy.speakers.sessions import MOST_CHUNKS, Sessions
from spark_audio_proxy.speakers.testing import MemorySessions, MemoryVoices
from spark_audio_proxy.speakers.voice_store import MOST_ENROLLED, RedisVoices
from spark_audio_proxy.speakers.voices import VoiceChunk
from spark_common.errors import ConflictError, NotFoundError, UnavailableError
from spark_common.redis_access import connect_redis
from spark_common.testing import FakeClock

DAY = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
ALICE = EnrolledVoice("Alice", (0.6, 0.0, -0.8), "titanet", DAY)
MODEL = "titanet"


class VoiceExam:
    async def test_a_voice_is_found_again_as_it_was(self, voices):
        await voices.put("t", ALICE)
        found = await voices.get("t", "Alice")
        assert replace(found, vector=()) == replace(ALICE, vector=())
        assert found.vector == pytest.approx(ALICE.vector, abs=1e-6)
        assert await voices.get("t", "Bob") is None

    async def test_the_same_name_again_takes_its_place(self, voices):
        await voices.put("t", ALICE)
        await voices.put("t", replace(ALICE, model="newer"))
        assert [voice.model for voice in await voices.all("t")] == ["newer"]

    async def test_tenants_never_see_each_other(self, voices):
        for tenant in ("one", "two", "", "one:two"):
            await voices.put(tenant, replace(ALICE, model=f"of {tenant}"))
        for tenant in ("one", "two", "", "one:two"):
            assert [voice.model for voice in await voices.all(tenant)] == [f"of {tenant}"]
        assert not await voices.delete("three", "Alice")
        assert await voices.delete("one", "Alice")
        assert await voices.all("one") == []
        assert len(await voices.all("two")) == 1

    async def test_one_is_forgotten_and_the_others_stay(self, voices):
        for name in ("Bob", "Alice", "Zoë Müller"):
            await voices.put("t", replace(ALICE, name=name))
        assert await voices.delete("t", "Alice")
        assert not await voices.delete("t", "Alice")
        assert [voice.name for voice in await voices.all("t")] == ["Bob", "Zoë Müller"]

    async def test_when_it_is_full_only_those_who_are_there_can_be_renewed(self, voices):
        for number in range(MOST_ENROLLED):
            await voices.put("t", replace(ALICE, name=f"p{number}"))
        with pytest.raises(ConflictError):
            await voices.put("t", ALICE)
        await voices.put("t", replace(ALICE, name="p7", model="newer"))
        assert len(await voices.all("t")) == MOST_ENROLLED


class SessionStoreExam:
    async def test_entries_come_back_in_order(self, store):
        await store.create("t", "s", "head")
        assert await store.append("t", "s", "1") == ["head", "1"]
        assert await store.append("t", "s", "2") == ["head", "1", "2"]
        assert await store.read("t", "s") == ["head", "1", "2"]

    async def test_nothing_is_added_to_what_is_not_there(self, store):
        assert await store.append("t", "s", "1") == []
        await store.create("t", "s", "head")
        assert await store.append("other", "s", "1") == []
        assert await store.read("other", "s") == []
        assert await store.delete("t", "s")
        assert not await store.delete("t", "s")
        assert await store.append("t", "s", "1") == []

    async def test_many_at_once_all_see_one_order(self, store):
        await store.create("t", "s", "head")
        seen = await asyncio.gather(*(store.append("t", "s", str(n)) for n in range(20)))
        whole = await store.read("t", "s")
        assert sorted(map(len, seen)) == list(range(2, 22))
        assert all(whole[: len(entries)] == entries for entries in seen)


class TestMemoryVoices(VoiceExam):
    @pytest.fixture
    def voices(self):
        return MemoryVoices()

    async def test_it_can_be_away(self, voices):
        voices.away = True
        with pytest.raises(UnavailableError):
            await voices.all("t")


class TestMemorySessions(SessionStoreExam):
    @pytest.fixture
    def store(self):
        return MemorySessions()


@pytest_asyncio.fixture
async def redis(redis_server):
    client = connect_redis(redis_server.settings, "test")
    yield client
    await client.aclose()


@pytest.mark.connected
class TestInRedis:
    """One server for each exam: it is what takes time."""

    async def test_voices(self, redis):
        exam = VoiceExam()
        for name in [name for name in dir(exam) if name.startswith("test_")]:
            for key in [keys.enrolled(t) for t in ("t", "one", "two", "", "one:two")]:
                await redis.delete(key)
            await getattr(exam, name)(RedisVoices(redis))

    async def test_sessions(self, redis):
        exam = SessionStoreExam()
        for name in [name for name in dir(exam) if name.startswith("test_")]:
            await redis.delete(keys.session("t", "s"))
            await getattr(exam, name)(RedisSessions(redis))
        await RedisSessions(redis).create("t", "s", "head")
        assert 86_000 < await redis.ttl(keys.session("t", "s")) <= 86_400

    async def test_what_is_kept_and_what_not(self, redis, redis_server):
        voices = RedisVoices(redis)
        await voices.put("sk-secret", ALICE)
        key = keys.enrolled("sk-secret")
        assert "secret" not in key
        later = connect_redis(redis_server.settings, "restarted")
        kept = await RedisVoices(later).get("sk-secret", "Alice")
        assert kept is not None
        assert kept.vector == pytest.approx(ALICE.vector, abs=1e-6)
        assert (kept.model, kept.created_at) == (ALICE.model, ALICE.created_at)
        await later.aclose()
        record = (await redis.hgetall(key))["Alice"]
        assert set(json.loads(record)) == {"version", "vector", "model", "created_at"}
        await redis.hset(key, "Old", '{"version": 2}')
        assert [voice.name for voice in await voices.all("sk-secret")] == ["Alice"]
        await redis_server.kill()
        with pytest.raises(UnavailableError):
            await voices.all("sk-secret")


def print_of(person: int, seed: int = 0, seconds: float = 30.0) -> tuple[float, ...]:
    own = np.random.default_rng(person).standard_normal(64)
    noise = np.random.default_rng([person, seed]).standard_normal(64)
    return tuple((own + noise / np.sqrt(seconds)).tolist())


def chunk(number: int, *people: int, seconds: float = 30.0) -> VoiceChunk:
    labels = [f"Speaker_{slot}" for slot in range(len(people))]
    prints = {
        label: print_of(who, number, seconds) for label, who in zip(labels, people, strict=True)
    }
    return VoiceChunk(f"c{number}", number * 60.0, prints, dict.fromkeys(labels, seconds))


class TestSessions:
    @pytest.fixture
    def sessions(self):
        return Sessions(MemorySessions(), FakeClock())

    async def test_everybody_keeps_the_name_of_the_first_chunk(self, sessions):
        opened = await sessions.open("t")
        first = await sessions.hear("t", opened, chunk(0, 1, 2), MODEL)
        second = await sessions.hear("t", opened, chunk(1, 3, 1), MODEL)
        third = await sessions.hear("t", opened, chunk(2, 2), MODEL)
        assert first.labels == {"Speaker_0": "S1", "Speaker_1": "S2"}
        assert second.labels == {"Speaker_0": "S3", "Speaker_1": "S1"}
        assert third.labels == {"Speaker_0": "S2"}
        assert [heard.revision for heard in (first, second, third)] == [1, 2, 3]

    async def test_little_speech_makes_nobody_and_two_of_a_chunk_are_two(self, sessions):
        opened = await sessions.open("t")
        short = await sessions.hear("t", opened, chunk(0, 1, seconds=2.0), MODEL)
        assert short.labels == {"Speaker_0": None}
        twins = await sessions.hear("t", opened, chunk(1, 5, 5), MODEL)
        assert len(set(twins.labels.values())) == 2

    async def test_the_same_chunk_again_changes_nothing(self, sessions):
        opened = await sessions.open("t")
        first = await sessions.hear("t", opened, chunk(0, 1, 2), MODEL)
        assert await sessions.hear("t", opened, chunk(0, 1, 2), MODEL) == first

    async def test_finalising_looks_at_everything_and_keeps_the_names(self, sessions):
        opened = await sessions.open("t")
        for number, people in enumerate([(1,), (2, 1), (3, 2), (1, 3)]):
            await sessions.hear("t", opened, chunk(number, *people), MODEL)
        final = await sessions.finalise("t", opened)
        assert final.revision == 4
        assert final.changed == ()
        assert final.clustered.mapping["c3"] == {"Speaker_0": "S1", "Speaker_1": "S3"}
        assert {speaker.id for speaker in final.clustered.speakers} == {"S1", "S2", "S3"}

    async def test_finalising_revises_who_was_taken_for_another(self, sessions):
        """A voice half way between two draws the first one's centre to the second."""
        opened = await sessions.open("t")
        one, two = np.eye(4)[0], np.eye(4)[1]
        middle = one * 0.62 + two * 0.78
        for number, vector in enumerate([one, middle, two, two]):
            prints = {"x": tuple(vector.tolist())}
            await sessions.hear(
                "t", opened, VoiceChunk(f"c{number}", number, prints, {"x": 30.0}), MODEL
            )
        final = await sessions.finalise("t", opened)
        assert final.changed == (("c0", "x"),)
        assert [row["x"] for row in final.clustered.mapping.values()] == ["S2", "S1", "S1", "S1"]

    async def test_a_voice_that_was_nobody_is_found_in_the_end(self, sessions):
        opened = await sessions.open("t")
        await sessions.hear("t", opened, chunk(0, 1, seconds=2.5), MODEL)
        await sessions.hear("t", opened, chunk(1, 1), MODEL)
        final = await sessions.finalise("t", opened)
        assert final.changed == (("c0", "Speaker_0"),)
        assert final.clustered.mapping["c0"] == {"Speaker_0": "S1"}

    async def test_prints_of_another_model_are_refused(self, sessions):
        opened = await sessions.open("t")
        await sessions.hear("t", opened, chunk(0, 1), MODEL)
        with pytest.raises(EmbeddingModelMismatchError):
            await sessions.hear("t", opened, chunk(1, 1), "other")
        longer = replace(chunk(1, 1), fingerprints={"Speaker_0": (1.0, 0.0)})
        with pytest.raises(EmbeddingModelMismatchError):
            await sessions.hear("t", opened, longer, MODEL)
        assert (await sessions.finalise("t", opened)).revision == 1

    async def test_a_full_session_says_so(self, sessions):
        opened = await sessions.open("t")
        for number in range(MOST_CHUNKS):
            await sessions._store.append("t", opened, _entry(number))
        with pytest.raises(ConflictError, match=str(MOST_CHUNKS)):
            await sessions.hear("t", opened, chunk(MOST_CHUNKS, 1), MODEL)

    @pytest.mark.parametrize("session_id", ["nothing", "../x", ""])
    async def test_what_is_not_there_is_not_found(self, sessions, session_id):
        for asked in (
            sessions.hear("t", session_id, chunk(0, 1), MODEL),
            sessions.finalise("t", session_id),
            sessions.close("t", session_id),
        ):
            with pytest.raises(NotFoundError):
                await asked

    async def test_somebody_elses_session_is_not_there_and_a_closed_one_is_gone(self, sessions):
        opened = await sessions.open("t")
        with pytest.raises(NotFoundError):
            await sessions.finalise("other", opened)
        await sessions.close("t", opened)
        with pytest.raises(NotFoundError):
            await sessions.finalise("t", opened)


def _entry(number: int) -> str:
    kept = {"id": f"c{number}", "offset_s": 0, "model": MODEL, "fingerprints": {}, "speech_s": {}}
    return json.dumps(kept)
