"""Parts of a long recording that fail for good: an error, with the rest for whoever wants it."""

from collections.abc import Iterator

import numpy as np
import pytest

from spark_audio_proxy.testing.stand import AudioStand
from spark_common.settings.speech import SpeechSettings
from spark_sim.speakclock.mixing import in_a_row, mixed
from spark_sim.speakclock.sound_files import Kind, encoded
from spark_sim.speech.stands import ParakeetStand
from spark_sim.speech.switches import turn_back

PARTS = ("garden window river", "summer table music", "letter kitchen stone")
REST = [*PARTS[1].split(), *PARTS[2].split()]
STARTS = (1.0, 41.0, 71.0)
SOUND = mixed(
    [word for text, at in zip(PARTS, STARTS, strict=True) for word in in_a_row(text, start=at)],
    90.0,
)
FLAC = encoded(Kind.FLAC, SOUND)
SPEAKERS = "/api/audio/transcribe-with-speakers"
WORDS = "/v1/audio/transcriptions"
FOR_GOOD = 2
"""Failures of one part: it is tried once more, alone."""

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def speech() -> SpeechSettings:
    return SpeechSettings(
        chunk_seconds=30, max_diarize_seconds=50, chunk_overlap_s=8, diar_overlap_s=14
    )


@pytest.fixture(autouse=True)
def well_again(parakeet: ParakeetStand) -> Iterator[None]:
    yield
    turn_back(parakeet.switches)


async def post(proxy: AudioStand, path: str, data: bytes = FLAC, **fields: str):
    return await proxy.client.post(path, files={"file": ("x", data)}, data=fields)


async def test_one_failure_of_one_part_is_nobody_s_business(
    proxy: AudioStand, parakeet: ParakeetStand
) -> None:
    parakeet.switches.error_next = FOR_GOOD - 1
    answer = await post(proxy, WORDS, response_format="text")
    assert answer.status_code == 200
    assert answer.text.split() == " ".join(PARTS).split()


@pytest.mark.parametrize("path", [WORDS, SPEAKERS])
async def test_the_other_parts_come_with_the_error_where_they_are_wanted(
    proxy: AudioStand, parakeet: ParakeetStand, path: str
) -> None:
    parakeet.switches.error_next = FOR_GOOD
    without = await post(proxy, path)
    assert without.status_code == 503
    assert "partial" not in without.json()
    parakeet.switches.error_next = FOR_GOOD
    answer = await post(proxy, path, allow_partial="true")
    body = answer.json()
    assert (answer.status_code, body["error"]["code"]) == (502, "upstream_bad_response")
    assert (body["partial"], body["text"].split()) == (True, REST)
    assert body["words"][0]["start"] == pytest.approx(STARTS[1], abs=0.1)
    assert body["duration"] == pytest.approx(90.0)


async def test_a_stream_tells_what_it_heard_before_the_error(
    proxy: AudioStand, parakeet: ParakeetStand
) -> None:
    parakeet.switches.error_next = FOR_GOOD
    stream = await post(proxy, WORDS, stream="true", allow_partial="true")
    for word in REST:
        assert word in stream.text
    assert '"error"' in stream.text
    assert "text.done" not in stream.text


async def test_words_are_there_though_nobody_knows_who_said_them(
    proxy: AudioStand, parakeet: ParakeetStand
) -> None:
    parakeet.switches.diarize_oom_seconds = 1.0
    answer = await post(proxy, SPEAKERS, allow_partial="true")
    assert answer.status_code == 502
    assert answer.json()["text"].split() == " ".join(PARTS).split()


async def test_of_two_sides_as_well(proxy: AudioStand, parakeet: ParakeetStand) -> None:
    other = mixed(in_a_row("yes good morning", 2, start=20.0), 90.0)
    stereo = encoded(Kind.WAV, np.stack((SOUND, other), axis=1), channels=2)
    parakeet.switches.error_next = FOR_GOOD
    body = (
        await post(proxy, SPEAKERS, stereo, mode="dual", clear_echo="0", allow_partial="1")
    ).json()
    assert body["partial"]
    said = {side: [] for side in ("Local", "Remote")}
    for word in body["words"]:
        said[word["speaker"]].append(word["word"])
    assert said == {"Local": REST, "Remote": ["yes", "good", "morning"]}
