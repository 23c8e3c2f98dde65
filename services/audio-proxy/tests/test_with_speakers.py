"""Who said what, through real sockets: short and long recordings, chunks, and other shapes."""

from collections import Counter

import numpy as np
import pytest

from spark_audio_proxy.testing.stand import AudioStand, audio_stand
from spark_common.settings.speech import SpeechSettings
from spark_common.testing.later import Later
from spark_sim.speakclock.conversation import Plan, Speaker, converse, words_of
from spark_sim.speakclock.mixing import in_a_row, mixed
from spark_sim.speakclock.sound_files import Kind, encoded
from spark_sim.speech.stands import ParakeetStand
from spark_sim.speech.switches import DiarizerRoutes

openai = Later("openai")

SHORT = Plan(seconds=14, overlap=0.0, pause_seconds=(0.4, 0.9), seed=3)
TURNS = converse(SHORT)
FLAC = encoded(Kind.FLAC, mixed(words_of(TURNS)))
WORDS = [word.text for word in words_of(TURNS)]
LONG_CALLS = SpeechSettings(
    chunk_seconds=30, max_diarize_seconds=50, chunk_overlap_s=8, diar_overlap_s=14
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def post(proxy: AudioStand, path: str, data: bytes = FLAC, **fields: str):
    return await proxy.client.post(path, files={"file": ("x", data)}, data=fields)


async def test_every_word_has_its_speaker(proxy: AudioStand, parakeet: ParakeetStand) -> None:
    for shuffled in (False, True):
        parakeet.switches.shuffled = shuffled
        answer = await post(proxy, "/api/audio/transcribe-with-speakers", words="true")
        body = answer.json()
        assert [word["word"] for each in body["segments"] for word in each["words"]] == WORDS
        assert body["speakers_detected"] == ["Speaker_0", "Speaker_1"]
        names = dict(
            zip((turn.speaker for turn in TURNS), ("Speaker_0", "Speaker_1"), strict=False)
        )
        told = [word["speaker"] for each in body["segments"] for word in each["words"]]
        assert told == [names[word.speaker] for word in words_of(TURNS)]
        assert all(each["start_ms"] < each["end_ms"] for each in body["segments"])
        assert body["language"] is None
        assert body["models"]["diarization"]
        assert "fingerprints" not in body
        assert body["stats"]["words"] == len(WORDS)
        assert body["stats"]["unattributed"] == 0
    parakeet.switches.shuffled = False
    assert float(answer.headers["x-audio-duration"]) == pytest.approx(body["duration"])


async def test_openai_s_client_reads_speakers(proxy: AudioStand) -> None:
    async with openai.AsyncOpenAI(
        base_url=f"{proxy.url}/v1", api_key="none", max_retries=0
    ) as client:
        found = await client.audio.transcriptions.create(
            file=("a.flac", FLAC),
            model="gpt-4o-transcribe-diarize",
            response_format="diarized_json",
            chunking_strategy="auto",
        )
        assert {segment.speaker for segment in found.segments} == {"A", "B"}
        assert " ".join(segment.text for segment in found.segments).split() == WORDS
        stream = await client.audio.transcriptions.create(
            file=("a.flac", FLAC), model="gpt-4o-transcribe-diarize", stream=True,
            response_format="diarized_json",
        )  # fmt: skip
        kinds = Counter([event.type async for event in stream])
    assert kinds["transcript.text.segment"] == len(found.segments)
    assert kinds["transcript.text.done"] == 1


async def test_without_a_diarizer_it_is_an_error_unless_words_are_enough(
    proxy: AudioStand, parakeet: ParakeetStand, tmp_path_factory: pytest.TempPathFactory
) -> None:
    parakeet.switches.diarizer = DiarizerRoutes.NONE
    try:
        async with audio_stand(parakeet.url, tmp_path_factory.mktemp("other")) as other:
            path = "/api/audio/transcribe-with-speakers"
            refused = await post(other, path)
            assert refused.status_code == 503
            assert refused.json()["error"]["code"] == "diarization_unavailable"
            assert refused.json()["detail"] == refused.json()["error"]["message"]
            answer = (await post(other, path, require_speakers="false")).json()
    finally:
        parakeet.switches.diarizer = DiarizerRoutes.PATCHED
    assert answer["warnings"] == ["diarization_unavailable"]
    assert {segment["speaker"] for segment in answer["segments"]} == {None}
    assert " ".join(segment["text"] for segment in answer["segments"]).split() == WORDS


async def test_the_image_s_own_diarizer_will_do(
    parakeet: ParakeetStand, tmp_path_factory: pytest.TempPathFactory
) -> None:
    parakeet.switches.diarizer = DiarizerRoutes.PUBLIC
    try:
        async with audio_stand(parakeet.url, tmp_path_factory.mktemp("public")) as other:
            body = (await post(other, "/v1/audio/diarize")).json()
    finally:
        parakeet.switches.diarizer = DiarizerRoutes.PATCHED
    assert body["speakers_detected"] == ["Speaker_0", "Speaker_1"]


async def test_a_long_recording_loses_no_word_and_keeps_its_speakers(
    proxy: AudioStand, parakeet: ParakeetStand
) -> None:
    people = (
        Speaker("Alice", 0), Speaker("Bob", 2), Speaker("Carol", 4, joins_at=35),
        Speaker("Dan", 6, joins_at=70),
    )  # fmt: skip
    turns = converse(Plan(seconds=110, speakers=people, overlap=0.0, seed=11))
    spoken = words_of(turns)
    sound = encoded(Kind.FLAC, mixed(spoken))
    parakeet.records.clear()
    proxy.settings = LONG_CALLS
    try:
        body = (
            await post(proxy, "/api/audio/transcribe-with-speakers", sound, words="true",
                       fingerprints="true")
        ).json()  # fmt: skip
        stream = await post(proxy, "/v1/audio/transcriptions", sound, stream="true")
    finally:
        proxy.settings = SpeechSettings()
    assert body["stats"]["chunks"] > 2
    assert max(upload.seconds for upload in parakeet.records.uploads) <= 50
    words = [word for segment in body["segments"] for word in segment["words"]]
    assert [word["word"] for word in words] == [word.text for word in spoken]
    who = {(word["speaker"], truth.speaker) for word, truth in zip(words, spoken, strict=True)}
    assert len(who) == 4
    assert set(body["fingerprints"]) == set(body["speakers_detected"])
    events = stream.text.split("\n\n")
    assert sum("text.delta" in event for event in events) > 2
    assert stream.text.count("text.done") == 1


async def test_diarize_answers_in_order_and_as_rttm(proxy: AudioStand) -> None:
    body = (await post(proxy, "/v1/audio/diarize")).json()
    starts = [segment["start_s"] for segment in body["segments"]]
    assert starts == sorted(starts)
    assert set(body["fingerprints"]) == {"Speaker_0", "Speaker_1"}
    lines = (await post(proxy, "/v1/audio/diarize", response_format="rttm")).text.splitlines()
    assert len(lines) == len(starts)
    assert all(line.split()[0] == "SPEAKER" and len(line.split()) == 10 for line in lines)


async def test_chunks_are_told_as_the_diarizer_says_and_cluster_into_people(
    proxy: AudioStand,
) -> None:
    for path in ("/v1/audio/diarize-chunk", "/api/audio/diarize-chunk"):
        raw = (await post(proxy, path)).json()
        assert len(raw["fingerprints"]["Speaker_0"]) == 192
        assert raw["segments"][0].keys() >= {"start_s", "end_s", "speaker", "confidence"}
    # The same two people, who come in the other order in the second chunk.
    swapped = {"Speaker_0": "Speaker_1", "Speaker_1": "Speaker_0"}
    chunks = [
        {"id": "a", "offset_s": 0, **raw},
        {
            "id": "b",
            "offset_s": 60,
            "fingerprints": {swapped[name]: one for name, one in raw["fingerprints"].items()},
            "segments": [{**turn, "speaker": swapped[turn["speaker"]]} for turn in raw["segments"]],
        },
    ]
    found = (await proxy.client.post("/api/audio/cluster-speakers", json={"chunks": chunks})).json()
    assert found["mapping"]["a"]["Speaker_0"] == found["mapping"]["b"]["Speaker_1"]
    assert [speaker["id"] for speaker in found["speakers"]] == ["S1", "S2"]
    assert len(found["segments"]) == 2 * len(raw["segments"])
    wrong = await proxy.client.post(
        "/api/audio/cluster-speakers",
        json={"chunks": [{"id": 1, "fingerprints": {"a": [1.0, 2.0], "b": [1.0]}}]},
    )
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (400, "invalid_value")
    none = await proxy.client.post("/api/audio/cluster-speakers", json={"chunks": "x"})
    assert none.json()["error"]["param"] == "chunks"


async def test_a_chunk_that_is_too_long_is_refused(proxy: AudioStand) -> None:
    proxy.settings = SpeechSettings(max_diarize_seconds=5)
    try:
        answer = await post(proxy, "/v1/audio/diarize-chunk")
    finally:
        proxy.settings = SpeechSettings()
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "audio_too_long")


async def test_silence_has_no_speakers(proxy: AudioStand, parakeet: ParakeetStand) -> None:
    parakeet.records.clear()
    silence = encoded(Kind.WAV, np.zeros(32_000, np.float32))
    body = (await post(proxy, "/api/audio/transcribe-with-speakers", silence)).json()
    assert (body["segments"], body["speakers_detected"]) == ([], [])
    assert len(parakeet.records.uploads) == 0


class TestTwoChannels:
    """The microphone hears the other side a little later and quieter."""

    LOCAL = [word for word in words_of(TURNS) if word.band == TURNS[0].words[0].band]
    REMOTE = [word for word in words_of(TURNS) if word.band != TURNS[0].words[0].band]
    SECONDS = 15.0
    MICROPHONE = mixed([*LOCAL, *(word.copied(0.09, -14) for word in REMOTE)], SECONDS)
    OTHER_SIDE = mixed(REMOTE, SECONDS)

    @pytest.mark.parametrize("swapped", [False, True])
    async def test_of_one_file_each_word_comes_from_its_side_once(
        self, proxy: AudioStand, swapped: bool
    ) -> None:
        pair = (self.OTHER_SIDE, self.MICROPHONE) if swapped else (self.MICROPHONE, self.OTHER_SIDE)
        stereo = encoded(Kind.WAV, np.stack(pair, axis=1), channels=2)
        body = (
            await post(
                proxy, "/api/audio/transcribe-with-speakers", stereo, mode="dual", debug="true",
                local_channel=str(int(swapped)), local_speaker="Alice", words="true",
            )
        ).json()  # fmt: skip
        said = {"local": [], "remote": []}
        for segment in body["segments"]:
            said[segment["channel"]] += [word["word"] for word in segment["words"]]
        assert said["local"] == [word.text for word in self.LOCAL]
        assert said["remote"] == [word.text for word in self.REMOTE]
        assert {s["speaker"] for s in body["segments"] if s["channel"] == "local"} == {"Alice"}
        assert len(body["debug"]["suppressed"]) == body["stats"]["suppressed"]

    async def test_who_speaks_under_a_louder_loudspeaker_is_heard(
        self, proxy: AudioStand, parakeet: ParakeetStand
    ) -> None:
        talk = [
            word for start in (0.3, 4.3, 8.3) for word in in_a_row("one two three", 0, start=start)
        ]
        loud = in_a_row("garden window river summer table music light paper stone kitchen " * 2, 2)
        microphone = mixed([*talk, *(word.copied(0.09, 4) for word in loud)], 14.0)
        stereo = np.stack((microphone, mixed(loud, 14.0)), axis=1) / 2
        parakeet.switches.loses_weaker = True
        said = {}
        try:
            for wanted in ("false", "true"):
                body = (
                    await post(proxy, "/api/audio/transcribe-with-speakers",
                               encoded(Kind.WAV, stereo, channels=2), mode="dual",
                               clear_echo=wanted)
                ).json()  # fmt: skip
                texts = [s["text"] for s in body["segments"] if s["channel"] == "local"]
                said[wanted] = " ".join(texts).split()
        finally:
            parakeet.switches.loses_weaker = False
        assert said["true"] == [word.text for word in talk]
        assert len(said["false"]) < len(talk)
        assert body["stats"]["echo_db"] > 0

    async def test_several_people_at_the_microphone_are_told_apart(self, proxy: AudioStand) -> None:
        names = ("Alice", "Bob", "Carol")
        people = tuple(Speaker(name, 2 * place) for place, name in enumerate(names))
        plan = Plan(
            seconds=20, speakers=people, overlap=0.0, seed=4, sentences=(1, 1), words=(5, 8)
        )
        spoken = words_of(converse(plan))
        away = [word for word in spoken if word.speaker == "Carol"]
        here = [word for word in spoken if word.speaker != "Carol"]
        microphone = mixed([*here, *(word.copied(0.09, -14) for word in away)], 21.0)
        stereo = encoded(Kind.WAV, np.stack((microphone, mixed(away, 21.0)), axis=1), channels=2)
        body = (
            await post(proxy, "/api/audio/transcribe-with-speakers", stereo, mode="dual",
                       words="true", diarize_local="true", local_speaker="Desk", fingerprints="1")
        ).json()  # fmt: skip
        told = set()
        for channel, truth in (("local", here), ("remote", away)):
            heard = [w for s in body["segments"] if s["channel"] == channel for w in s["words"]]
            told |= {
                (word["speaker"], right.speaker) for word, right in zip(heard, truth, strict=True)
            }
        assert told == {("Desk_0", "Alice"), ("Desk_1", "Bob"), ("Speaker_0", "Carol")}
        assert set(body["fingerprints"]) == {"Desk_0", "Desk_1", "Speaker_0"}

    async def test_of_two_files_as_well(self, proxy: AudioStand) -> None:
        files = {
            "local_file": encoded(Kind.FLAC, self.MICROPHONE),
            "remote_file": encoded(Kind.FLAC, self.OTHER_SIDE),
        }
        path = "/api/audio/transcribe-with-speakers"
        body = (await proxy.client.post(path, files=files)).json()
        assert {segment["channel"] for segment in body["segments"]} == {"local", "remote"}
        del files["remote_file"]
        missing = (await proxy.client.post(path, files=files)).json()["error"]
        assert (missing["code"], missing["param"]) == ("missing_file", "remote_file")

    async def test_who_speaks_only_after_the_other_recording_ended_is_heard(
        self, proxy: AudioStand
    ) -> None:
        first = mixed(in_a_row("Good morning Bob.", 0))
        then = np.concatenate((np.zeros_like(first), mixed(in_a_row("Hello Alice.", 2))))
        files = {
            "local_file": encoded(Kind.FLAC, first),
            "remote_file": encoded(Kind.FLAC, then),
        }
        path = "/api/audio/transcribe-with-speakers"
        body = (await proxy.client.post(path, files=files)).json()
        told = [(segment["channel"], segment["text"]) for segment in body["segments"]]
        assert told == [("local", "Good morning Bob."), ("remote", "Hello Alice.")]
        assert body["warnings"] == []

    async def test_the_same_on_both_is_one_recording(self, proxy: AudioStand) -> None:
        sound = mixed(words_of(TURNS))
        for data in (encoded(Kind.WAV, np.stack((sound, sound), axis=1), channels=2), FLAC):
            body = (
                await post(proxy, "/api/audio/transcribe-with-speakers", data, mode="dual")
            ).json()
            assert "channels_identical" in body["warnings"]
            assert " ".join(segment["text"] for segment in body["segments"]).split() == WORDS
