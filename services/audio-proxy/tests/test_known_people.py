"""People known by their voices: sent along, enrolled, and through the chunks of a session."""

import base64

import numpy as np
import pytest

from spark_audio_proxy.testing.stand import AudioStand
from spark_common.settings.speech import SpeechSettings
from spark_common.testing.later import Later
from spark_sim.speakclock.conversation import Plan, Speaker, converse, words_of
from spark_sim.speakclock.mixing import in_a_row, mixed
from spark_sim.speakclock.sound_files import Kind, encoded
from spark_sim.speech.stands import ParakeetStand

openai = Later("openai")

ALICE, BOB, STRANGER = 0, 2, 4
PEOPLE = (Speaker("Alice", ALICE), Speaker("Stranger", STRANGER))
TALK = converse(Plan(seconds=20, speakers=PEOPLE, overlap=0.0, seed=5))
FLAC = encoded(Kind.FLAC, mixed(words_of(TALK)))
SILENCE = np.zeros(16_000, np.float32)
MONOLOGUE = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
WITH_SPEAKERS = "/api/audio/transcribe-with-speakers"
ENABLED = SpeechSettings(voiceprints_enabled=True)

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def speech() -> SpeechSettings:
    return ENABLED


def clip(band: int, kind: Kind = Kind.FLAC) -> bytes:
    return encoded(kind, mixed(in_a_row(MONOLOGUE, band)))


async def post(proxy: AudioStand, path: str, data: bytes = FLAC, headers=None, **fields: str):
    return await proxy.client.post(path, files={"file": data}, data=fields, headers=headers)


async def enrol(proxy: AudioStand, name: str, band: int, headers=None):
    return await proxy.client.put(
        f"/api/audio/speakers/{name}", files={"file": clip(band)}, headers=headers
    )


def said_by(body: dict) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for segment in body["segments"]:
        found.setdefault(segment["speaker"], set()).update(segment["text"].split())
    return found


async def test_openai_s_client_brings_voices_along(proxy: AudioStand) -> None:
    ten_seconds = mixed(in_a_row(MONOLOGUE, ALICE), 10.0)
    wave = base64.b64encode(encoded(Kind.WAV, ten_seconds, rate=44_100, channels=2)).decode()
    assert len(wave) > 2_300_000
    async with openai.AsyncOpenAI(
        base_url=f"{proxy.url}/v1", api_key="none", max_retries=0
    ) as client:
        found = await client.audio.transcriptions.create(
            file=("a.flac", FLAC),
            model="gpt-4o-transcribe-diarize",
            response_format="diarized_json",
            extra_body={
                "known_speaker_names": ["Alice"],
                "known_speaker_references": [f"data:audio/wav;base64,{wave}"],
            },
        )
    truth = {word.text for turn in TALK if turn.speaker == "Alice" for word in turn.words}
    heard = {w for s in found.segments if s.speaker == "Alice" for w in s.text.split()}
    assert heard == truth
    assert {segment.speaker for segment in found.segments} == {"Alice", "A"}


@pytest.mark.parametrize(
    ("names", "references"),
    [(["Alice"], []), (["Alice"], ["data:,x"]), (["A", "A"], ["data:a;base64,x"] * 2)],
)
async def test_references_that_are_none_are_refused(
    proxy: AudioStand, names: list[str], references: list[str]
) -> None:
    answer = await proxy.client.post(
        "/v1/audio/transcriptions",
        files={"file": FLAC},
        data={
            "response_format": "diarized_json",
            "known_speaker_names[]": names,
            "known_speaker_references[]": references,
        },
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_value")


async def test_who_is_enrolled_is_named_and_a_stranger_is_not(proxy: AudioStand) -> None:
    assert (await enrol(proxy, "Alice", ALICE)).status_code == 201
    assert (await enrol(proxy, "Bob", BOB)).json()["name"] == "Bob"
    body = (await post(proxy, WITH_SPEAKERS, identify="true")).json()
    assert set(body["speakers_detected"]) == {"Alice", "Speaker_0"}
    truth = {word.text for turn in TALK if turn.speaker == "Alice" for word in turn.words}
    assert said_by(body)["Alice"] == truth
    assert set(body["candidates"]) == {"Speaker_0"}
    found = (await post(proxy, "/api/audio/identify")).json()["speakers"]
    assert sorted(each["name"] or "" for each in found) == ["", "Alice"]
    # Without being asked nobody is named, and nobody of another tenant ever.
    plain = (await post(proxy, WITH_SPEAKERS)).json()
    assert plain["speakers_detected"] == ["Speaker_0", "Speaker_1"]
    other = (
        await post(proxy, WITH_SPEAKERS, headers={"x-spark-tenant": "other"}, identify="true")
    ).json()
    assert "Alice" not in other["speakers_detected"]


async def test_voices_are_listed_without_their_prints_and_forgotten(proxy: AudioStand) -> None:
    tenant = {"x-spark-tenant": "listing"}
    await enrol(proxy, "Carol", BOB, tenant)
    listed = await proxy.client.get("/api/audio/speakers", headers=tenant)
    assert [each["name"] for each in listed.json()["data"]] == ["Carol"]
    assert set(listed.json()["data"][0]) == {"object", "name", "model", "created_at"}
    where = "/api/audio/speakers/Carol"
    proxy.settings = SpeechSettings()
    try:
        off = await proxy.client.get(where, headers=tenant)
        assert (off.status_code, off.json()["error"]["code"]) == (403, "enrolment_disabled")
        # To be forgotten is possible at any time.
        assert (await proxy.client.delete(where, headers=tenant)).status_code == 204
    finally:
        proxy.settings = ENABLED
    assert (await proxy.client.get(where, headers=tenant)).status_code == 404


async def test_a_clip_of_no_use_is_refused_with_what_to_do(proxy: AudioStand) -> None:
    short = encoded(Kind.FLAC, mixed(in_a_row("too short", 0)))
    for data in (short, FLAC):
        answer = await proxy.client.put("/api/audio/speakers/Dan", files={"file": data})
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_value")
    assert "more than one person" in answer.json()["detail"]


async def test_a_session_keeps_names_through_its_chunks(
    proxy: AudioStand, parakeet: ParakeetStand
) -> None:
    opened = await proxy.client.post("/api/audio/speaker-sessions")
    assert opened.status_code == 201
    session = opened.json()["id"]
    labels = []
    # Nobody speaks at first, and once more later: silence is of no voice model.
    for number, band in enumerate((None, ALICE, BOB, None, ALICE)):
        sound = encoded(Kind.WAV, SILENCE) if band is None else clip(band)
        answer = await post(
            proxy, f"/api/audio/diarize-chunk?session={session}", sound,
            offset_s=str(number * 60), chunk=f"c{number}",
        )  # fmt: skip
        body = answer.json()
        assert body["revision"] == number + 1
        labels.append(body["labels"].get("Speaker_0"))
    assert labels == [None, "S1", "S2", None, "S1"]
    whole = (await proxy.client.post(f"/api/audio/speaker-sessions/{session}/finalise")).json()
    assert [speaker["id"] for speaker in whole["speakers"]] == ["S1", "S2"]
    assert whole["changed"] == []
    where = f"/api/audio/speaker-sessions/{session}"
    assert (await proxy.client.delete(where)).status_code == 204
    parakeet.records.clear()
    gone = await post(proxy, f"/api/audio/diarize-chunk?session={session}", clip(ALICE))
    assert (gone.status_code, gone.json()["error"]["code"]) == (404, "not_found")
    assert len(parakeet.records.uploads) == 0, "nobody is asked for nothing"
