"""Speech to text alone: words of the sound that came, its peculiarities and its faults."""

import asyncio
import base64
import itertools
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import numpy as np
import pytest

from spark_common.plain_http import plain_client
from spark_sim.speakclock.conversation import Plan, Speaker, converse, speakers, words_of
from spark_sim.speakclock.mixing import in_a_row, mixed
from spark_sim.speakclock.sound_files import Kind, encoded
from spark_sim.speech.hearing import listen
from spark_sim.speech.stands import parakeet_stand
from spark_sim.speech.voices import print_of

TRANSCRIBE, DIARIZE = "/v1/audio/transcriptions", "/v1/audio/diarize-chunk"
TEXT = "Good morning, this is Alice. How are you?"
CLIP = (
    Path(__file__).parents[3] / "services/health/src/spark_health/deep/clip/speech.wav"
).read_bytes()


def flac(text: str = TEXT, band: int = 0) -> bytes:
    return encoded(Kind.FLAC, mixed(in_a_row(text, band)))


@asynccontextmanager
async def stand(speed: float = 2000, **switches):
    async with parakeet_stand(speed, **switches) as made, plain_client(timeout=60) as http:

        async def send(data: bytes, path: str = TRANSCRIBE, **fields: str) -> httpx.Response:
            files = {"file": ("a.flac", data, "audio/flac")} if data is not None else None
            return await http.post(made.url + path, files=files, data=fields, timeout=60)

        made.send, made.http = send, http
        yield made


async def test_its_words_are_those_of_the_sound_in_every_shape() -> None:
    async with stand() as speech:
        plain = await speech.send(flac())
        assert plain.json() == {"text": TEXT}
        assert (await speech.send(flac(), response_format="text")).text == f'"{TEXT}"'
        srt = (await speech.send(flac(), response_format="srt")).json()
        assert srt.startswith("1\n00:00:00,000 --> ")
        told = (await speech.send(flac(), response_format="verbose_json", language="de")).json()
        assert told["language"] == "de"
        words = [segment["text"] for segment in told["segments"]]
        assert words == TEXT.split()
        for segment in told["segments"]:
            assert segment["start"] < segment["end"]
            assert round(segment["start"] / 0.08, 6).is_integer()

        async def shape(**switches) -> dict:
            for name, value in switches.items():
                setattr(speech.switches, name, value)
            return (await speech.send(flac(), response_format="verbose_json")).json()

        listed = await shape(word_times="words", leading_spaces=True)
        assert listed["language"] == "auto"
        assert [word["word"] for word in listed["words"]] == [" " + word for word in TEXT.split()]
        assert [segment["text"] for segment in listed["segments"]] == [
            " Good morning, this is Alice.",
            " How are you?",
        ]
        only = await shape(word_times="segments", leading_spaces=False)
        assert "words" not in only
        assert len(only["segments"]) == 2
        none = await shape(word_times="none")
        assert (none["segments"], none["text"]) == ([], TEXT)
        silence = await speech.send(encoded(Kind.WAV, np.zeros(16_000, np.float32)))
        assert silence.json() == {"text": ""}
        assert (await speech.send(b"no sound at all")).status_code == 500
        assert (await speech.send(b"")).status_code == 400
        speech.switches.max_upload_mb = 0.001
        assert (await speech.send(flac())).status_code == 413
        paths = (await speech.http.get(f"{speech.url}/openapi.json")).json()["paths"]
        assert {TRANSCRIBE, DIARIZE} <= set(paths)
        assert any("Recognized Text: Good morning," in line for line in speech.log)


async def test_both_at_once_are_heard_or_the_louder_one() -> None:
    loud = in_a_row("one two three four", 0)
    quiet = in_a_row("five six seven eight", 3, level=0.05)
    both = encoded(Kind.FLAC, mixed([*loud, *quiet]))
    async with stand() as speech:
        heard = (await speech.send(both)).json()["text"].split()
        assert sorted(heard) == sorted(
            ["one", "two", "three", "four", "five", "six", "seven", "eight"]
        )
        for seconds, missed in ((0.5, {"two", "six"}), (0.25, {"one", "five"})):
            speech.switches.max_segment_seconds = seconds
            cut = set((await speech.send(both)).json()["text"].split())
            assert cut.isdisjoint(missed), "a word over the cut is lost"
        speech.switches.max_segment_seconds = 1200
        speech.switches.loses_weaker = True
        assert (await speech.send(both)).json()["text"] == "one two three four"


async def test_the_clip_of_the_deep_check_is_known_through_any_codec() -> None:
    said = "This is a short test of the speech service."
    async with stand() as speech:
        assert (await speech.send(CLIP)).json() == {"text": said}
        samples = listen(CLIP)
        assert samples.seconds == pytest.approx(2.4, abs=0.1)
    from spark_sim.speakclock.sound_files import read

    sound = np.pad(read(CLIP).samples, (3000, 5000))
    for kind in (Kind.MP3, Kind.LIVE_WEBM):
        assert " ".join(listen(encoded(kind, sound)).clip) == said
    assert listen(encoded(Kind.WAV, sound[::-1].copy())).clip == ()
    assert listen(flac()).clip == ()


async def test_a_job_blocks_even_health_and_goes_on_without_its_caller() -> None:
    order: list[str] = []
    minute = encoded(Kind.FLAC, mixed(in_a_row(TEXT), 30))

    async def noted(name: str, work) -> None:
        await work
        order.append(name)

    async with stand(speed=5) as speech:
        job = asyncio.create_task(noted("job", speech.send(minute)))
        while not speech.application.process.loop.locked():
            await asyncio.sleep(0.005)
        await asyncio.gather(job, noted("health", speech.http.get(f"{speech.url}/health")))
        assert order == ["job", "health"]

        left = asyncio.create_task(speech.send(minute))
        while not speech.application.process.loop.locked():
            await asyncio.sleep(0.005)
        left.cancel()
        with pytest.raises(asyncio.CancelledError):
            await left
        assert speech.inside == 1
        await speech.http.get(f"{speech.url}/health")
        assert speech.inside == 0
        assert len(speech.effects.of("transcribed")) == 2
        assert speech.records.most_at_once == 1
        await asyncio.gather(*(speech.send(flac()) for _ in range(3)))
        assert speech.records.most_at_once == 3

    async with stand(speed=5, own_files=True) as speech:
        order.clear()
        job = asyncio.create_task(noted("job", speech.send(minute)))
        while not speech.application.process.gpu.locked():
            await asyncio.sleep(0.005)
        await asyncio.gather(job, noted("health", speech.http.get(f"{speech.url}/health")))
        assert order == ["health", "job"]
        running = asyncio.create_task(speech.send(minute))
        while not speech.application.process.gpu.locked():
            await asyncio.sleep(0.005)
        left = asyncio.create_task(speech.send(minute))
        while speech.inside < 2:
            await asyncio.sleep(0.005)
        left.cancel()
        await running
        while speech.inside:
            await asyncio.sleep(0.005)
        assert len(speech.effects.of("transcribed")) == 2, "who left was not worked for"
        assert (await speech.send(flac(), response_format="text")).text == TEXT
        assert (await speech.send(b"junk")).json()["error"]["code"] == "invalid_audio"


async def test_a_broken_gpu_stays_broken_until_another_process_has_loaded() -> None:
    async with stand() as speech:
        speech.switches.poison_words = {"abracadabra"}
        assert (await speech.send(flac())).status_code == 200
        broke = await speech.send(flac("Please say abracadabra now."))
        assert broke.json()["detail"].startswith("Transcription failed: CUDA error: an illegal")
        assert (await speech.send(flac())).status_code == 500
        assert (await speech.send(flac(), DIARIZE)).status_code == 500
        assert speech.records.during_wedge == 2
        process = speech.application.begin("loading")
        assert (await speech.send(flac())).status_code == 503
        assert (await speech.http.get(f"{speech.url}/health")).json()["status"] == "loading"
        process.status = "ready"
        assert (await speech.send(flac())).status_code == 200
        await speech.restart()
        assert (await speech.send(flac())).status_code == 200
        assert speech.records.restarts == 1

        speech.switches.poison_hashes = {listen(flac("other words")).sha256}
        assert (await speech.send(flac("other words"))).status_code == 500
        await speech.restart(0)
        speech.switches.error_next = 1
        assert [(await speech.send(flac())).status_code for _ in "ab"] == [500, 200]
        mp3 = encoded(Kind.MP3, mixed(in_a_row(TEXT)))
        assert (await speech.send(mp3)).json() == {"text": TEXT}
        speech.switches.other_sound = "refused"
        assert (await speech.send(mp3)).status_code == 500
        speech.switches.other_sound = "wedges"
        assert "CUDA" in (await speech.send(mp3)).json()["detail"]
        assert [upload.codec for upload in speech.records.uploads][-1] == "mp3float"
        await speech.restart(0)
        speech.switches.wedge_next = True
        assert "CUDA" in (await speech.send(flac())).json()["detail"]


async def test_a_process_that_ends_cuts_everybody_off_and_another_one_comes() -> None:
    minute = encoded(Kind.FLAC, mixed(in_a_row(TEXT), 60))
    async with stand(speed=5) as speech:
        waits = asyncio.create_task(speech.send(minute))
        while not speech.application.process.loop.locked():
            await asyncio.sleep(0.005)
        await speech.restart(0)
        with pytest.raises(httpx.RemoteProtocolError):
            await waits
        assert speech.inside == 0
        assert speech.effects.of("transcribed") == []

    async with stand() as speech:
        speech.switches.dies_next = True
        with pytest.raises(httpx.RemoteProtocolError):
            await speech.send(flac())
        while speech.application.process.status != "ready" or not speech.records.restarts:
            await asyncio.sleep(0.005)
        assert (await speech.send(flac())).json() == {"text": TEXT}
        await speech.stop()
        with pytest.raises(httpx.ConnectError):
            await speech.send(flac())


async def test_speakers_are_told_as_sortformer_does() -> None:
    plan = Plan(seconds=60, speakers=speakers(3), overlap=0.3, seed=2)
    turns = converse(plan)
    recording = encoded(Kind.FLAC, mixed(words_of(turns), 60))
    async with stand() as speech:
        said = (await speech.send(recording, DIARIZE, frames="1")).json()
        assert said["duration"] == 60
        assert said["speakers_detected"] == ["Speaker_0", "Speaker_1", "Speaker_2"]
        names = [segment["speaker"] for segment in said["segments"]]
        assert names == sorted(names), "grouped by speaker, not by time"
        starts = [segment["start_s"] for segment in said["segments"]]
        assert starts != sorted(starts)
        arrived = list(dict.fromkeys(turn.speaker for turn in turns))
        for word in words_of(turns):
            slot = f"Speaker_{arrived.index(word.speaker)}"
            middle = (word.start + word.end) / 2
            assert any(
                s["speaker"] == slot and s["start_s"] <= middle <= s["end_s"]
                for s in said["segments"]
            )
        assert all(0.64 < segment["confidence"] <= 1 for segment in said["segments"])
        assert {len(one) for one in said["fingerprints"].values()} == {192}
        probabilities = np.frombuffer(base64.b64decode(said["frames"]["probs"]), "<f2")
        assert probabilities.reshape(-1, 4).shape == (750, 4)

        speech.switches.confidences, speech.switches.shuffled = False, True
        other = (await speech.send(recording, DIARIZE)).json()
        assert {segment["confidence"] for segment in other["segments"]} == {None}
        assert [s["speaker"] for s in other["segments"]] != names
        assert "frames" not in other

        six = Plan(seconds=60, speakers=speakers(6), overlap=0, words=(3, 5), sentences=(1, 1))
        crowd = encoded(Kind.FLAC, mixed(words_of(converse(six)), 60))
        assert len((await speech.send(crowd, DIARIZE)).json()["speakers_detected"]) == 4

        speech.switches.diarizer = "public"
        assert (await speech.send(recording, DIARIZE)).status_code == 404
        public = (await speech.send(recording, "/v1/audio/diarizations")).json()
        assert public["speakers"][:2] == ["Arzt", "Patient"]


def test_voices_are_alike_more_the_more_is_said() -> None:
    def likeness(seconds: float, one: int, other: int, seed: int) -> float:
        first, second = print_of({one: seconds}, seed), print_of({other: seconds}, seed + 1)
        return float(first @ second)

    def mean(seconds: float, one: int, other: int) -> float:
        return sum(likeness(seconds, one, other, seed) for seed in range(0, 40, 2)) / 20

    assert 0.4 < mean(1, 0, 0) < mean(3, 0, 0) < mean(30, 0, 0)
    assert mean(30, 0, 0) > 0.93
    for one, other in itertools.combinations(range(8), 2):
        assert mean(30, one, other) < 0.4
    assert print_of({0: 0.3}, 1) is None


async def test_the_diarizer_fails_beside_others_and_on_long_recordings() -> None:
    long = encoded(Kind.FLAC, mixed(in_a_row(TEXT), 90))
    async with stand(speed=15, race=True, diarize_oom_seconds=100) as speech:
        answers = await asyncio.gather(*(speech.send(long, DIARIZE) for _ in range(3)))
        assert sorted(answer.status_code for answer in answers) == [200, 503, 503]
        assert "CUFFT" in max(answers, key=lambda a: a.status_code).json()["detail"]
        assert (await speech.send(long, DIARIZE)).status_code == 200
        speech.switches.diarize_oom_seconds = 80
        full = await speech.send(long, DIARIZE)
        assert (full.status_code, "out of memory" in full.json()["detail"]) == (500, True)
        assert not speech.wedged


async def test_a_late_speaker_has_a_slot_by_arrival() -> None:
    late = (Speaker("Alice", 5), Speaker("Bob", 2, joins_at=20))
    turns = converse(Plan(seconds=40, speakers=late, overlap=0))
    async with stand() as speech:
        said = await speech.send(encoded(Kind.FLAC, mixed(words_of(turns), 40)), DIARIZE)
        first = min(s["start_s"] for s in said.json()["segments"] if s["speaker"] == "Speaker_1")
        assert first > 19.9
