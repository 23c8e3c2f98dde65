"""Transcriptions through real sockets, against a speech server that hears what it is sent."""

import asyncio
import base64
import io
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import av
import httpx
import numpy as np
import pytest
import pytest_asyncio

from spark_audio_proxy.testing.stand import AudioStand, audio_stand
from spark_common.settings.speech import SpeechSettings
from spark_common.testing.later import Later
from spark_common.testing.wait import until
from spark_sim.speakclock.mixing import in_a_row, mixed
from spark_sim.speakclock.sound_files import Kind, encoded
from spark_sim.speech.stands import ParakeetStand

openai = Later("openai")

TEXT = "Good morning, this is Alice. How are you?"
SOUND = mixed(in_a_row(TEXT, 0))
FLAC = encoded(Kind.FLAC, SOUND)
PATH = "/v1/audio/transcriptions"

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def sdk(proxy: AudioStand) -> AsyncIterator[Any]:
    async with openai.AsyncOpenAI(
        base_url=f"{proxy.url}/v1", api_key="none", max_retries=0
    ) as client:
        yield client


def silent_film() -> bytes:
    """Return an MP4 in which there is only a picture."""
    film = io.BytesIO()
    with av.open(film, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=1)
        stream.width = stream.height = 16
        stream.pix_fmt = "yuv420p"
        for frame in (av.VideoFrame(16, 16, "yuv420p"), None):
            container.mux(stream.encode(frame))
    return film.getvalue()


def bomb(hours: int, told: int = 0) -> bytes:
    """Return a FLAC of hours of silence in some megabytes: half a minute over and over.

    ``told``: how many samples its head speaks of; 0 for nobody knows.
    """
    piece = encoded(Kind.FLAC, np.zeros(16_000 * 30, np.float32))
    head = 4
    while not piece[head] & 0x80:
        head += 4 + int.from_bytes(piece[head + 1 : head + 4])
    head += 4 + int.from_bytes(piece[head + 1 : head + 4])
    begin = bytearray(piece[:head])
    begin[21] &= 0xF0
    begin[22:26] = told.to_bytes(4, "big")
    return bytes(begin) + piece[head:] * (hours * 120)


async def send(proxy: AudioStand, data: bytes = FLAC, **fields: str):
    return await proxy.client.post(PATH, files={"file": ("x.bin", data)}, data=fields)


class TestTheRealClient:
    async def test_reads_every_format(self, sdk: Any) -> None:
        async def asked(response_format: str, **more):
            return await sdk.audio.transcriptions.create(
                file=("a.flac", FLAC), model="whisper-1", response_format=response_format, **more
            )

        assert (await asked("json")).text == TEXT
        assert await asked("text") == TEXT
        assert (await asked("srt")).startswith("1\n00:00:00,")
        assert (await asked("vtt")).startswith("WEBVTT\n\n00:00:00.")
        verbose = await asked("verbose_json", timestamp_granularities=["word", "segment"])
        assert [word.word for word in verbose.words] == TEXT.split()
        assert [segment.text for segment in verbose.segments] == [TEXT[:28], TEXT[29:]]
        assert verbose.duration == pytest.approx(len(SOUND) / 16_000, abs=0.01)

    async def test_hears_a_stream(self, sdk: Any) -> None:
        stream = await sdk.audio.transcriptions.create(
            file=("a.flac", FLAC), model="whisper-1", stream=True
        )
        events = [event async for event in stream]
        deltas = [event.delta for event in events if event.type == "transcript.text.delta"]
        assert "".join(deltas) == TEXT
        assert events[-1].type == "transcript.text.done"
        assert events[-1].text == TEXT

    @pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")
    async def test_is_refused_translations_unless_the_owner_wants_transcripts(
        self, sdk: Any, proxy: AudioStand
    ) -> None:
        async def asked(response_format: str) -> Any:
            return await sdk.audio.translations.create(
                file=("a.flac", FLAC), model="whisper-1", response_format=response_format
            )

        with pytest.raises(openai.BadRequestError) as raised:
            await asked("json")
        assert raised.value.code == "unsupported_operation"
        proxy.settings = SpeechSettings(translate_as_transcribe=True)
        try:
            verbose = await asked("verbose_json")
            assert (verbose.language, verbose.text) == ("english", TEXT)
            assert (await asked("json")).text == await asked("text") == TEXT
            assert (await asked("vtt")).startswith("WEBVTT")
        finally:
            proxy.settings = SpeechSettings()

    async def test_reads_what_an_error_says(self, sdk: Any) -> None:
        with pytest.raises(openai.BadRequestError) as raised:
            await sdk.audio.transcriptions.create(file=("a.mp3", b"junk" * 100), model="whisper-1")
        assert raised.value.code == "invalid_audio"
        assert raised.value.param == "file"
        assert "recording" in raised.value.message


class TestEveryContainer:
    @pytest.mark.parametrize("kind", list(Kind))
    async def test_is_heard_and_only_wav_of_16_khz_goes_up(
        self, proxy: AudioStand, parakeet: ParakeetStand, kind: Kind
    ) -> None:
        parakeet.records.clear()
        answer = await send(proxy, encoded(kind, SOUND))
        assert answer.json()["text"] == TEXT
        upload = parakeet.records.uploads[0]
        assert (upload.codec, upload.rate, upload.channels) == ("pcm_s16le", 16_000, 1)

    @pytest.mark.parametrize("kind", [Kind.WAV, Kind.OPUS])
    async def test_is_heard_in_stereo_at_48_khz_as_well(
        self, proxy: AudioStand, kind: Kind
    ) -> None:
        answer = await send(proxy, encoded(kind, SOUND, rate=48_000, channels=2))
        assert answer.json()["text"] == TEXT


class TestForms:
    async def test_fields_in_any_order_in_brackets_flattened_and_unknown(
        self, proxy: AudioStand
    ) -> None:
        parts = [
            ("file", ("a.flac", FLAC)),
            ("chunking_strategy[type]", (None, "server_vad")),
            ("surprise", ("b.bin", b"\0" * 5000)),
            ("timestamp_granularities[]", (None, "word")),
            ("known_speaker_references[]", (None, "")),
            ("language", (None, "en-US")),
            ("temperature", (None, "very hot")),
            ("response_format", (None, "verbose_json")),
        ]
        for ordered in (parts, parts[::-1]):
            answer = await proxy.client.post(PATH, files=ordered)
            assert answer.status_code == 200, answer.text
            body = answer.json()
            assert [word["word"] for word in body["words"]] == TEXT.split()
            assert body["language"] == "en"
            assert "segments" not in body

    async def test_json_with_the_recording_inside(self, proxy: AudioStand) -> None:
        text = base64.b64encode(FLAC).decode()
        for data in (text, f"data:audio/flac;base64,{text}", text.rstrip("=")):
            body = {"model": "x", "input_audio": {"data": data, "format": "flac"}}
            answer = await proxy.client.post(PATH, json=body)
            assert answer.json()["text"] == TEXT
        escaped = json.dumps(body).replace("/", "\\/").encode()
        answer = await proxy.client.post(
            PATH, content=escaped, headers={"content-type": "application/json; charset=utf-8"}
        )
        assert answer.json()["text"] == TEXT

    async def test_a_text_field_may_have_six_megabytes_and_no_more(self, proxy: AudioStand) -> None:
        assert (await send(proxy, prompt="x" * 6_000_000)).status_code == 200
        refused = await send(proxy, prompt="x" * 7_000_000)
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "invalid_form")


class TestRefusals:
    @pytest.mark.parametrize(
        ("data", "fields", "status", "code"),
        [
            (b"", {}, 400, "empty_file"),
            (bytes(range(256)) * 40, {}, 400, "invalid_audio"),
            (silent_film(), {}, 400, "no_audio_stream"),
            (b"#EXTM3U\n#EXTINF:9,\n/etc/passwd\n", {}, 400, "invalid_audio"),
            (FLAC, {"response_format": "xml"}, 400, "unsupported_format"),
            (FLAC, {"stream": "perhaps"}, 400, "invalid_value"),
        ],
    )
    async def test_are_in_the_envelope(
        self, proxy: AudioStand, data: bytes, fields: dict[str, str], status: int, code: str
    ) -> None:
        answer = await send(proxy, data, **fields)
        assert answer.status_code == status
        error = answer.json()["error"]
        assert error["code"] == code
        assert set(error) == {"message", "type", "param", "code"}
        assert answer.headers["x-request-id"]

    async def test_without_a_file_or_a_form(self, proxy: AudioStand) -> None:
        async def code(**request) -> tuple[int, str]:
            answer = await proxy.client.post(PATH, **request)
            return answer.status_code, answer.json()["error"]["code"]

        assert await code(files={"model": (None, "whisper-1")}) == (400, "missing_file")
        assert await code(json={"model": "whisper-1"}) == (400, "missing_file")
        assert await code(content=FLAC, headers={"content-type": "audio/flac"}) == (
            415,
            "unsupported_media_type",
        )
        cut = b'--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nRIFF'
        head = {"content-type": "multipart/form-data; boundary=b"}
        assert await code(content=cut, headers=head) == (400, "invalid_form")
        assert (await proxy.client.get(PATH)).json()["error"]["code"] == "method_not_allowed"
        refused = await proxy.client.post("/v1/audio/translations", files={"file": FLAC})
        assert refused.json()["error"]["code"] == "unsupported_operation"

    async def test_too_large_before_it_is_read_and_while_it_comes(self, proxy: AudioStand) -> None:
        proxy.settings = SpeechSettings(max_upload_mb=0.05)
        try:
            answer = await send(proxy, b"x" * 100_000)
            assert (answer.status_code, answer.headers["connection"]) == (413, "close")
            assert "0.05 MB" in answer.json()["error"]["message"]

            async def pieces() -> AsyncIterator[bytes]:
                yield b'--b\r\ncontent-disposition: form-data; name="file"\r\n\r\n'
                for _ in range(20):
                    yield b"x" * 10_000

            head = {"content-type": "multipart/form-data; boundary=b"}
            answer = await proxy.client.post(PATH, content=pieces(), headers=head)
            assert answer.json()["error"]["code"] == "file_too_large"
        finally:
            proxy.settings = SpeechSettings()

    async def test_a_length_that_is_too_much_is_refused_before_a_byte_of_the_body(
        self, proxy: AudioStand
    ) -> None:
        address = httpx.URL(proxy.url)
        reader, writer = await asyncio.open_connection(address.host, address.port)
        writer.write(
            f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: {600 * 1024**2}\r\n"
            "Content-Type: multipart/form-data; boundary=b\r\n\r\n".encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 413 ")
        error = json.loads(await reader.readuntil(b"}}"))
        assert error["error"]["code"] == "file_too_large"
        assert "600.0 MB" in error["error"]["message"]
        assert "500 MB" in error["error"]["message"]
        writer.close()

    async def test_ten_hours_in_some_megabytes_end_at_the_limit(self, proxy: AudioStand) -> None:
        proxy.settings = SpeechSettings(max_audio_seconds=60)
        try:
            # Whether its head says nothing of its length, or a lie.
            for told in (0, 30 * 16_000):
                answer = await send(proxy, bomb(10, told))
                error = answer.json()["error"]
                assert (answer.status_code, error["code"]) == (413, "audio_too_long")
                counted = re.search(r"longer than 60 s,.* (\d+) s were counted", error["message"])
                assert counted is not None
                assert 60 < int(counted[1]) <= 70, "nothing is looked at that is not wanted"
        finally:
            proxy.settings = SpeechSettings()
        await until(lambda: proxy.left_behind == [], "nothing of it is left on disk")


class TestTheUpstream:
    async def test_is_not_asked_about_silence(
        self, proxy: AudioStand, parakeet: ParakeetStand
    ) -> None:
        parakeet.records.clear()
        answer = await send(proxy, encoded(Kind.WAV, np.zeros(16_000, np.float32)))
        assert answer.json()["text"] == ""
        assert len(parakeet.records.uploads) == 0

    async def test_may_tell_times_in_any_shape_but_not_none(
        self, proxy: AudioStand, parakeet: ParakeetStand
    ) -> None:
        for shape in ("words", "segments", "word_segments"):
            parakeet.switches.word_times = type(parakeet.switches.word_times)(shape)
            assert (await send(proxy)).json()["text"] == TEXT
        parakeet.switches.word_times = type(parakeet.switches.word_times)("none")
        answer = await send(proxy)
        parakeet.switches.word_times = type(parakeet.switches.word_times)("word_segments")
        assert (answer.status_code, answer.json()["error"]["code"]) == (502, "empty_timestamps")

    async def test_that_fails_is_a_503_with_a_time(
        self, proxy: AudioStand, parakeet: ParakeetStand
    ) -> None:
        parakeet.switches.error_next = 1
        answer = await send(proxy)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
        assert answer.json()["error"]["code"] == "upstream_recovering"

    async def test_that_loads_its_model_is_a_503_and_recovering(
        self, proxy: AudioStand, parakeet: ParakeetStand
    ) -> None:
        process = parakeet.application.process
        process.status = "loading"
        try:
            answer = await send(proxy)
            status = (await proxy.client.get("/api/audio/status")).json()
        finally:
            process.status = "ready"
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "upstream_loading")
        assert 1 <= int(answer.headers["retry-after"]) <= 120
        assert (status["state"], status["upstream"]["status"]) == ("recovering", "loading")

    async def test_that_is_away_is_told_quickly(self, tmp_path: Path) -> None:
        async with audio_stand("http://127.0.0.1:9", tmp_path) as alone:
            answer = await send(alone)
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "upstream_down")
            status = (await alone.client.get("/api/audio/status")).json()
            assert status["state"] == "down"


async def test_an_answer_says_how_long_and_how_fast(proxy: AudioStand) -> None:
    answer = await proxy.client.post(PATH, files={"file": FLAC}, headers={"x-request-id": "mine-1"})
    assert answer.headers["x-request-id"] == "mine-1"
    assert float(answer.headers["x-audio-duration"]) == pytest.approx(len(SOUND) / 16_000, abs=0.01)
    assert int(answer.headers["x-queue-ms"]) >= 0
    assert "decode;dur=" in answer.headers["server-timing"]
    status = (await proxy.client.get("/api/audio/status")).json()
    assert status["state"] == "ready"
    assert status["queue"]["limit"] == 2
