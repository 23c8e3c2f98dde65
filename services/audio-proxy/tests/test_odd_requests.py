"""What fuzzers and careless programs send: always an answer in the envelope, never a 5xx."""

import base64
import errno
import json
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest
import pytest_asyncio

from spark_audio_proxy.jobs.wiring import wire_jobs
from spark_audio_proxy.testing.memory_jobs import MemoryJobs
from spark_audio_proxy.testing.stand import AudioStand, audio_stand
from spark_common.clock import SystemClock
from spark_common.settings.speech import SpeechSettings
from spark_common.testing.bus import MemoryBus
from spark_sim.speakclock.mixing import in_a_row, mixed
from spark_sim.speakclock.sound_files import Kind, encoded
from spark_sim.speech.stands import ParakeetStand

TEXT = "Good morning, Bob."
FLAC = encoded(Kind.FLAC, mixed(in_a_row(TEXT, 0)))
BASE64 = base64.b64encode(FLAC).decode()
TRANSCRIBE = "/v1/audio/transcriptions"
WITH_SPEAKERS = "/api/audio/transcribe-with-speakers"
CLUSTER = "/api/audio/cluster-speakers"
JOBS = "/api/audio/jobs"
JSON_TYPE = {"content-type": "application/json"}
FORM_TYPE = {"content-type": "multipart/form-data; boundary=b"}

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def proxy(
    parakeet: ParakeetStand, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[AudioStand]:
    async with audio_stand(
        parakeet.url,
        tmp_path_factory.mktemp("odd"),
        settings=SpeechSettings(voiceprints_enabled=True),
        more=lambda hearing: [
            wire_jobs(hearing, MemoryJobs(), MemoryBus("audio-proxy"), SystemClock())
        ],
    ) as stand:
        yield stand
        assert stand.left_behind == []


def part(disposition: str | bytes, content: bytes = FLAC) -> bytes:
    head = disposition.encode() if isinstance(disposition, str) else disposition
    return b"--b\r\ncontent-disposition: form-data; " + head + b"\r\n\r\n" + content + b"\r\n"


def recording(text: str) -> str:
    """Return JSON with a recording, and with members that ``text`` writes out."""
    return f'{{{text} "input_audio": {{"data": "{BASE64}", "format": "flac"}}}}'


async def sent(proxy: AudioStand, path: str, body: str | bytes, head: dict[str, str]) -> Any:
    content = body.encode() if isinstance(body, str) else body
    return await proxy.client.post(path, content=content, headers=head)


class TestForms:
    @pytest.mark.parametrize(
        "head",
        [
            'name="file"; filename="a\\"b.flac"',
            'name="file"; filename="a"b.flac"',
            'name="file"; filename="Ünï 🎈.flac"',
            'name="file"; filename="../../etc/passwd"',
            'name="file"; filename=""',
            "name=\"file\"; filename*=UTF-8''%e2%82%ac.flac",
            'name="file"; filename="' + "x" * 9_000 + '"',
            b'name="file"; filename="\xff\xfe\x00"',
            "name=file; filename=a.exe",
            'name="file"',
        ],
    )
    async def test_the_name_of_a_file_means_nothing(
        self, proxy: AudioStand, head: str | bytes
    ) -> None:
        answer = await sent(proxy, TRANSCRIBE, part(head) + b"--b--\r\n", FORM_TYPE)
        assert answer.json()["text"] == TEXT

    async def test_what_follows_the_last_boundary_means_nothing(self, proxy: AudioStand) -> None:
        form = part('name="file"') + b"--b--"
        for end in (b"", b"\r\n", b"\r\nmore that is no part"):
            assert (await sent(proxy, TRANSCRIBE, form + end, FORM_TYPE)).json()["text"] == TEXT

    async def test_without_a_length(self, proxy: AudioStand) -> None:
        async def pieces() -> AsyncIterator[bytes]:
            form = part('name="file"') + part('name="response_format"', b" TEXT ") + b"--b--\r\n"
            for start in range(0, len(form), 997):
                yield form[start : start + 997]

        answer = await proxy.client.post(TRANSCRIBE, content=pieces(), headers=FORM_TYPE)
        assert answer.text == TEXT

    @pytest.mark.parametrize(
        ("body", "media_type", "code"),
        [
            (b"", "multipart/form-data; boundary=b", "invalid_form"),
            (b"--b--\r\n", "multipart/form-data; boundary=b", "missing_file"),
            (part('name="file"'), "multipart/form-data; boundary=b", "invalid_form"),
            (part('name="file"') * 2 + b"--b--", "multipart/form-data; boundary=b", "invalid_form"),
            (part('name="file"') + b"--b--", "multipart/form-data; boundary=x", "invalid_form"),
            (part('name="file"') + b"--b--", "multipart/form-data", "invalid_form"),
            (part('name="FILE"') + b"--b--", "multipart/form-data; boundary=b", "missing_file"),
            (part('name="x"', b"1") * 70 + b"--b--", "multipart/form-data; boundary=b",
             "invalid_form"),
            (b"file=x", "application/x-www-form-urlencoded", "unsupported_media_type"),
            (FLAC, "application/octet-stream", "unsupported_media_type"),
            (FLAC, "", "unsupported_media_type"),
        ],
    )  # fmt: skip
    async def test_that_are_none_are_refused(
        self, proxy: AudioStand, body: bytes, media_type: str, code: str
    ) -> None:
        answer = await sent(proxy, TRANSCRIBE, body, {"content-type": media_type})
        assert answer.status_code == (415 if code == "unsupported_media_type" else 400)
        assert answer.json()["error"]["code"] == code


class TestFields:
    @pytest.mark.parametrize(
        "fields",
        [
            {"temperature": "nan", "prompt": "\x00", "model": "\u202e", "language": "🎈"},
            {"timestamp_granularities": "word,segment", "language": "klingon"},
            {"timestamp_granularities": '["word", "segment"]', "stream": "0"},
            {"timestamp_granularities[0]": "word", "timestamp_granularities[1]": "segment"},
            {"include[]": "logprobs", "chunking_strategy": "auto", "user": "x", "n": "-1"},
        ],
    )
    async def test_that_mean_nothing_or_are_written_oddly_are_taken(
        self, proxy: AudioStand, fields: dict[str, str]
    ) -> None:
        answer = await proxy.client.post(
            TRANSCRIBE, files={"file": FLAC}, data={"response_format": "verbose_json", **fields}
        )
        body = answer.json()
        assert (body["text"], body["language"]) == (TEXT, "und")
        wants_words = any(name.startswith("timestamp") for name in fields)
        assert ("words" in body) == wants_words

    @pytest.mark.parametrize(
        ("language", "told"), [("de-DE", "de"), ("", "und"), ("auto", "und"), ("English", "en")]
    )
    async def test_a_language_is_two_letters_or_nothing(
        self, proxy: AudioStand, language: str, told: str
    ) -> None:
        answer = await proxy.client.post(
            TRANSCRIBE,
            files={"file": FLAC},
            data={"language": language, "response_format": "verbose_json"},
        )
        assert answer.json()["language"] == told

    async def test_names_that_are_no_text_are_told_as_far_as_they_can_be(
        self, proxy: AudioStand
    ) -> None:
        known = (
            f'"known_speaker_names": ["A\\ud800"], "response_format": "diarized_json",'
            f'"known_speaker_references": ["data:audio/flac;base64,{BASE64}"],'
        )
        told = await sent(proxy, TRANSCRIBE, recording(known), JSON_TYPE)
        assert [each["speaker"] for each in told.json()["segments"]] == ["A?"]
        told = await sent(proxy, WITH_SPEAKERS, recording(known), JSON_TYPE)
        assert told.json()["speakers_detected"] == ["A?"]


class TestJson:
    @pytest.mark.parametrize(
        ("path", "body"),
        [
            (TRANSCRIBE, "["),
            (TRANSCRIBE, "[]"),
            (TRANSCRIBE, b"\xff"),
            (TRANSCRIBE, "[" * 50_000),
            (TRANSCRIBE, '{"input_audio": {"data": 5}}'),
            (TRANSCRIBE, recording('"response_format": "\\ud800",')),
            (TRANSCRIBE, recording('"temperature": ' + "9" * 5_000 + ",")),
            (WITH_SPEAKERS, recording('"num_speakers": 1e999,')),
            (WITH_SPEAKERS, recording('"num_speakers": {"a": 1}, "words": [true], "debug": 7,')),
            (JOBS, recording('"response_format": "doc",')),
            (CLUSTER, "{"),
            (CLUSTER, ""),
            (CLUSTER, b"\xff"),
            (CLUSTER, "[" * 50_000),
            (CLUSTER, "{}"),
            (CLUSTER, "[]"),
            (CLUSTER, '{"chunks": [{"id": "\\ud800"}]}'),
            (CLUSTER, '{"chunks": [{"id": "a", "fingerprints": {"\\ud800": [1]}}]}'),
            (CLUSTER, '{"chunks": [{"id": "a", "fingerprints": {"x": [NaN]}}]}'),
            (CLUSTER, '{"chunks": [{"id": 1' + "0" * 4_000 + "}]}"),
            (CLUSTER, '{"chunks": [{"id": "a", "offset_s": 1' + "0" * 400 + "}]}"),
            (CLUSTER, json.dumps({"chunks": [{"id": []}] * 1_500})),
        ],
    )
    async def test_that_is_not_what_it_should_be_is_a_400_that_says_so_in_few_words(
        self, proxy: AudioStand, path: str, body: str | bytes
    ) -> None:
        answer = await sent(proxy, path, body, JSON_TYPE)
        assert answer.status_code == 400, answer.text
        assert set(answer.json()["error"]) == {"message", "type", "param", "code"}
        assert len(answer.json()["error"]["message"]) < 300

    async def test_a_question_that_is_larger_than_any_is_not_read_to_its_end(
        self, proxy: AudioStand
    ) -> None:
        body = b'{"chunks": [' + b" " * (33 * 1024 * 1024) + b"]}"
        answer = await sent(proxy, CLUSTER, body, JSON_TYPE)
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "file_too_large")

    async def test_a_name_that_is_longer_than_any_is_refused(self, proxy: AudioStand) -> None:
        known = {
            "known_speaker_names[]": "x" * 101,
            "known_speaker_references[]": f"data:audio/flac;base64,{BASE64}",
        }
        answer = await proxy.client.post(WITH_SPEAKERS, files={"file": FLAC}, data=known)
        error = answer.json()["error"]
        assert (answer.status_code, error["param"]) == (400, "known_speaker_names")


class TestAddresses:
    @pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"])
    async def test_another_method_is_told_the_right_one(
        self, proxy: AudioStand, method: str
    ) -> None:
        answer = await proxy.client.request(method, TRANSCRIBE)
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")

    @pytest.mark.parametrize(
        "path", [f"{TRANSCRIBE}/", f"/{TRANSCRIBE}", TRANSCRIBE.upper(), f"{TRANSCRIBE}%00", "/v1"]
    )
    async def test_another_address_is_not_found(self, proxy: AudioStand, path: str) -> None:
        answer = await proxy.client.post(path, files={"file": FLAC})
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


async def test_a_recording_of_no_length_is_refused_and_a_moment_is_silence(
    proxy: AudioStand, parakeet: ParakeetStand
) -> None:
    parakeet.records.clear()
    loud = np.full(800, 0.5, np.float32)
    for samples, status in ((loud[:0], 400), (loud[:1], 200), (loud, 200)):
        answer = await proxy.client.post(TRANSCRIBE, files={"file": encoded(Kind.WAV, samples)})
        assert answer.status_code == status, answer.text
        assert answer.json().get("text", "") == ""
    assert len(parakeet.records.uploads) == 0


async def test_a_disk_that_fills_up_is_a_503(
    proxy: AudioStand, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as changed:
        changed.setattr("spark_audio_proxy.intake.multipart._FormReader.flush", full)
        answer = await proxy.client.post(TRANSCRIBE, files={"file": FLAC})
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "no_room")
    assert answer.headers["retry-after"] == "60"
    assert (await proxy.client.post(TRANSCRIBE, files={"file": FLAC})).status_code == 200
