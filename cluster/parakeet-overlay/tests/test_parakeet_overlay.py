"""The overlay as the image runs it: a process of uvicorn, with stand-ins for NeMo and ffmpeg."""

import base64
import functools
import hashlib
import io
import os
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time
import wave
from array import array
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from spark_common.plain_http import trusting_nobody
from spark_common.testing.documents import shown_answer, unlike

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
FILES = ("main.py", "diarizer.py")
TRANSCRIBE, DIARIZE = "/v1/audio/transcriptions", "/v1/audio/diarize"
get = functools.partial(httpx.get, verify=trusting_nobody())
post = functools.partial(httpx.post, verify=trusting_nobody())
"""Without the certificate authorities, which every call would read for nothing."""
SPOKEN = ("geheimnis", "losung", "passwort", "kennwort")


def clip(*slots: int) -> bytes:
    """Return a WAV file with half a second of each speaker; -1 is silence."""
    samples = array("h")
    for slot in slots:
        level = 1000 * (slot + 1)
        samples.extend([level, -level] * 4000)
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    return out.getvalue()


@dataclass
class Server:
    """A running overlay."""

    url: str
    place: Path
    process: "subprocess.Popen[bytes]"

    def health(self) -> dict:
        return get(f"{self.url}/health", timeout=60).json()

    def post(self, path: str, content: bytes = b"", **fields: str) -> httpx.Response:
        files = {"file": ("Alice.wav", content, "audio/wav")}
        return post(f"{self.url}{path}", files=files, data=fields, timeout=60)

    def switch(self, name: str, value: str = "") -> None:
        place = self.place / name
        if value:
            (self.place / "draft").write_text(value)
            (self.place / "draft").replace(place)
        else:
            place.unlink(missing_ok=True)

    def log(self) -> str:
        return (self.place / "log").read_text()

    def left(self) -> list[Path]:
        return list((self.place / "tmp").iterdir())


def wait(what: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not what():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.01)


def start(place: Path, *, until: str = "ready", before: Callable | None = None, **env: str):
    """Start uvicorn as the image does."""
    for folder in ("opt/app", "tmp", "bin"):
        (place / folder).mkdir(parents=True)
    for name in FILES:
        shutil.copy(HERE.parent / name, place / "opt/app" / name)
    shutil.copy(HERE / "standins/ffmpeg", place / "bin/ffmpeg")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    server = Server(f"http://127.0.0.1:{port}", place, None)  # type: ignore[arg-type]
    if before is not None:
        before(server)
    with (place / "log").open("wb") as log:
        server.process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "app.main:app", "--port", str(port)],
            cwd=place / "opt", stdout=log, stderr=log,
            env={
                "PATH": f"{place / 'bin'}:{os.environ['PATH']}", "TMPDIR": str(place / "tmp"),
                "PYTHONPATH": str(HERE / "standins"), "PYTHONDONTWRITEBYTECODE": "1",
                "STANDIN_DIR": str(place), "STANDIN_PYTHON": sys.executable, **env,
            },
        )  # fmt: skip

    def there() -> bool:
        assert server.process.poll() is None, server.log()
        try:
            return until in ("", server.health()["status"])
        except httpx.HTTPError:
            return False

    wait(there)
    return server


@pytest.fixture(scope="module")
def usual(tmp_path_factory) -> Iterator[Server]:
    server = start(tmp_path_factory.mktemp("usual"))
    yield server
    end(server)


@pytest.fixture
def server(usual) -> Iterator[Server]:
    yield usual
    for name in ("fault", "times"):
        usual.switch(name)
    wait(lambda: not usual.left())


@pytest.fixture
def special(tmp_path) -> Iterator[Callable[..., Server]]:
    running: list[Server] = []

    def begin(**how) -> Server:
        running.append(start(tmp_path / str(len(running)), **how))
        return running[-1]

    yield begin
    for one in running:
        end(one)


def end(server: Server) -> None:
    server.process.kill()
    server.process.wait()


def code(answer: httpx.Response) -> str:
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return error["code"]


class TestTranscription:
    def test_words_with_their_times(self, server):
        said = server.post(TRANSCRIBE, clip(0, -1, 1), response_format="verbose_json").json()
        assert (said["text"], said["duration"]) == ("geheimnis losung", 1.5)
        assert said["words"] == [
            {"word": "geheimnis", "start": 0.0, "end": 0.48},
            {"word": "losung", "start": 1.0, "end": 1.48},
        ]
        (segment,) = said["segments"]
        assert (segment["start"], segment["end"]) == (0.0, 1.48)

    @pytest.mark.parametrize("times", ["timestamp", "timestep", "offsets"])
    def test_every_name_of_the_times_is_understood(self, server, times):
        server.switch("times", times)
        said = server.post(TRANSCRIBE, clip(-1, 2), response_format="verbose_json").json()
        (word,) = said["words"]
        assert word["word"] == "passwort"
        assert word["start"] == pytest.approx(0.5, abs=0.04)

    def test_without_times_the_text_is_kept(self, server):
        server.switch("times", "none")
        said = server.post(TRANSCRIBE, clip(0), response_format="verbose_json").json()
        assert (said["text"], said["words"]) == ("geheimnis", [])
        assert [row["text"] for row in said["segments"]] == ["geheimnis"]

    @pytest.mark.parametrize(
        ("wanted", "body"),
        [
            ("json", '{"text":"losung"}'),
            ("text", "losung\n"),
            ("srt", "1\n00:00:00,000 --> 00:00:00,480\nlosung\n"),
            ("vtt", "WEBVTT\n\n00:00:00.000 --> 00:00:00.480\nlosung\n"),
        ],
    )
    def test_formats_are_sent_as_they_are(self, server, wanted, body):
        answer = server.post(TRANSCRIBE, clip(1), response_format=wanted)
        assert (answer.status_code, answer.text) == (200, body)

    def test_the_file_may_come_last_or_first_and_nothing_else_matters(self, server):
        for parts in (["model", "file", "x[]"], ["file", "model"], ["file"]):
            files = [
                (name, ("a.webm", clip(3)) if name == "file" else (None, "whisper-1"))
                for name in parts
            ]
            answer = post(server.url + TRANSCRIBE, files=files, timeout=60)
            assert answer.json() == {"text": "kennwort"}

    def test_silence_is_an_empty_text(self, server):
        assert server.post(TRANSCRIBE, clip(-1, -1)).json() == {"text": ""}

    def test_a_long_recording_is_cut_where_it_is_quiet(self, special):
        server = special(MAX_SEGMENT_SECONDS="2")
        sound = clip(0, 1, 2, -1, 3, 0, -1, -1, 1)
        said = server.post(TRANSCRIBE, sound, response_format="verbose_json").json()
        assert said["text"] == "geheimnis losung passwort kennwort geheimnis losung"
        starts = [word["start"] for word in said["words"]]
        assert starts == sorted(starts)
        assert starts[-1] == pytest.approx(4.0, abs=0.5)
        assert (server.place / "calls").read_text().split().count("ASRModel") >= 3


class TestDiarization:
    @pytest.mark.parametrize("path", [DIARIZE, f"{DIARIZE}-chunk"])
    def test_turns_in_order_with_confidence_and_voice_prints(self, server, path):
        said = server.post(path, clip(1, 0, 0, -1, 1)).json()
        rows = [(row["start_s"], row["end_s"], row["speaker"]) for row in said["segments"]]
        assert rows == sorted(rows)
        assert [row[2] for row in rows] == ["Speaker_1", "Speaker_0", "Speaker_0", "Speaker_1"]
        # Frames of 80 ms do not end where half seconds do.
        assert all(0.7 < row["confidence"] <= 0.9 for row in said["segments"])
        assert said["speakers_detected"] == ["Speaker_0", "Speaker_1"]
        assert {len(one) for one in said["fingerprints"].values()} == {192}
        assert said["fingerprints"]["Speaker_0"][0] == pytest.approx(1.0)
        assert said["fingerprints"]["Speaker_1"][1] == pytest.approx(1.0)
        assert said["duration"] == 2.5
        assert said["models"]["transcription"] == "nvidia/parakeet-tdt-0.6b-v3"
        assert unlike(shown_answer(ROOT, "docs/SPEECH-OVERLAY.md"), said) == []

    def test_frames_are_sent_to_who_asks(self, server):
        assert "frames" not in server.post(DIARIZE, clip(0)).json()
        frames = server.post(DIARIZE, clip(2, 2), frames="true").json()["frames"]
        numbers = [one for (one,) in struct.iter_unpack("<e", base64.b64decode(frames["probs"]))]
        assert frames["rate"] == 12.5
        assert len(numbers) % 4 == 0
        assert numbers[2] == pytest.approx(0.9, abs=0.001)

    def test_nobody_speaks(self, server):
        said = server.post(DIARIZE, clip(-1)).json()
        assert (said["segments"], said["fingerprints"], said["speakers_detected"]) == ([], {}, [])


class TestRefusals:
    @pytest.mark.parametrize(
        ("content", "status", "expected"),
        [
            (b"", 400, "empty_file"),
            (b"\0" * 5000, 400, "invalid_audio"),
            (b"RIFF" + b"\xff" * 40, 400, "invalid_audio"),
            (clip(0)[:30], 400, "invalid_audio"),
            (b"PICTURE", 400, "no_audio_stream"),
            (b"#EXTM3U\nfile:/etc/passwd\n", 400, "invalid_audio"),
        ],
    )
    def test_what_is_no_sound(self, server, content, status, expected):
        for path in (TRANSCRIBE, DIARIZE):
            answer = server.post(path, content)
            assert (answer.status_code, code(answer)) == (status, expected)

    @pytest.mark.parametrize(
        ("kind", "body", "status", "expected"),
        [
            ("application/json", b"{}", 415, "unsupported_media_type"),
            ("multipart/form-data", b"x", 415, "unsupported_media_type"),
            ("multipart/form-data; boundary=b", b"", 400, "invalid_form"),
            ("multipart/form-data; boundary=b", b"no form at all", 400, "invalid_form"),
            ("multipart/form-data; boundary=b", b"--b\r\nx: y\r\n\r\ncut off", 400, "invalid_form"),
            ("multipart/form-data; boundary=b", b"--b\r\n" * 3000, 400, "invalid_form"),
            ("multipart/form-data; boundary=b", b"--b--\r\n", 400, "missing_file"),
            (
                "multipart/form-data; boundary=b",
                b'--b\r\ncontent-disposition: form-data; name="x"\r\n\r\n\r\n' * 100,
                400,
                "too_many_fields",
            ),
            (
                "multipart/form-data; boundary=b",
                b'--b\r\ncontent-disposition: form-data; name="x"\r\n\r\n'
                + b"y" * 70_000
                + b"\r\n--b--",
                400,
                "field_too_long",
            ),
        ],
    )
    def test_what_is_no_form(self, server, kind, body, status, expected):
        answer = post(server.url + TRANSCRIBE, content=body, headers={"content-type": kind})
        assert (answer.status_code, code(answer)) == (status, expected)

    def test_other_words_and_addresses(self, server):
        answer = server.post(TRANSCRIBE, clip(0), response_format="docx")
        assert (answer.status_code, code(answer)) == (400, "unsupported_format")
        assert code(get(f"{server.url}/v1/nothing")) == "not_found"
        assert get(server.url + TRANSCRIBE).status_code == 405

    def test_caps_of_size_and_length(self, special):
        server = special(MAX_UPLOAD_MB="0.05", MAX_AUDIO_SECONDS="1", MAX_DIARIZE_SECONDS="0.5")
        refused = server.post(TRANSCRIBE, clip(0, 1, 2))
        assert (refused.status_code, code(refused)) == (413, "audio_too_long")
        refused = server.post(TRANSCRIBE, b"x" * 1_500_000)
        assert (refused.status_code, code(refused)) == (413, "file_too_large")
        assert refused.headers["connection"] == "close"

        def endless() -> Iterator[bytes]:
            yield b'--b\r\ncontent-disposition: form-data; name="file"\r\n\r\n'
            for _ in range(40):
                yield b"x" * 65_536

        kind = {"content-type": "multipart/form-data; boundary=b"}
        try:
            counted = post(server.url + TRANSCRIBE, content=endless(), headers=kind)
            assert code(counted) == "file_too_large"
        except httpx.WriteError:
            # It hung up while more was being sent.
            pass
        longer = clip(0)[: 44 + 16_000]
        assert server.post(DIARIZE, longer).status_code == 200
        refused = server.post(DIARIZE, clip(0, 1)[: 44 + 24_000])
        assert (refused.status_code, code(refused)) == (413, "audio_too_long")
        wait(lambda: not server.left())
        assert server.health()["status"] == "ready"

    def test_uploads_that_stop_in_the_middle_leave_nothing(self, special):
        server = special(IDLE_SECONDS="3", MAX_REQUESTS="3")
        port = int(server.url.rpartition(":")[2])
        half = (
            f"POST {TRANSCRIBE} HTTP/1.1\r\nhost: x\r\ncontent-length: 5000\r\n"
            "content-type: multipart/form-data; boundary=b\r\n\r\n--b\r\n"
        ).encode()
        lines = [socket.create_connection(("127.0.0.1", port)) for _ in range(3)]
        for line in lines:
            line.sendall(half)
        wait(lambda: len(server.left()) == 3)
        assert code(server.post(TRANSCRIBE, clip(0))) == "queue_full"
        lines[0].close()
        for line in lines[1:]:
            line.settimeout(10)
            assert line.recv(100).startswith(b"HTTP/1.1 408 ")
            line.close()
        wait(lambda: not server.left())
        assert server.post(TRANSCRIBE, clip(0)).status_code == 200


class TestWhileItWorks:
    def test_a_blocked_model_does_not_block_health_and_calls_wait_for_each_other(self, server):
        server.switch("fault", "block")
        with ThreadPoolExecutor(6) as callers:
            asked = [callers.submit(server.post, TRANSCRIBE, clip(0)) for _ in range(4)]
            asked += [callers.submit(server.post, DIARIZE, clip(1)) for _ in range(2)]
            wait(lambda: server.health()["work"]["waiting"] == 5)
            for _ in range(5):
                said = server.health()
            assert said["status"] == "ready"
            assert said["work"]["running_seconds"] >= 0
            assert not any(one.done() for one in asked)
            server.switch("fault")
            assert [one.result().status_code for one in asked] == [200] * 6
        assert server.health()["work"] == {"running_seconds": None, "waiting": 0}

    def test_who_leaves_while_waiting_is_not_worked_for(self, server):
        server.switch("fault", "block")
        before = (server.place / "calls").read_text().count("\n")
        with ThreadPoolExecutor(1) as callers:
            first = callers.submit(server.post, TRANSCRIBE, clip(0))
            wait(lambda: server.health()["work"]["running_seconds"] is not None)
            soon = httpx.Timeout(60, read=0.3)
            with pytest.raises(httpx.ReadTimeout):
                post(server.url + TRANSCRIBE, files={"file": clip(1)}, timeout=soon)
            wait(lambda: server.health()["work"]["waiting"] == 0)
            server.switch("fault")
            assert first.result().status_code == 200
        assert (server.place / "calls").read_text().count("\n") == before + 1

    def test_too_many_are_told_to_come_again(self, special):
        server = special(MAX_REQUESTS="2")
        server.switch("fault", "block")
        threads = [
            threading.Thread(target=server.post, args=(TRANSCRIBE, clip(0))) for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        wait(lambda: server.health()["work"]["waiting"] == 1)
        refused = server.post(TRANSCRIBE, clip(0))
        assert (refused.status_code, code(refused)) == (429, "queue_full")
        assert refused.headers["retry-after"] == "5"
        server.switch("fault")
        for thread in threads:
            thread.join()

    def test_health_names_the_files_that_run(self, server):
        assert server.health()["overlay"] == {
            name: hashlib.sha256((HERE.parent / name).read_bytes()).hexdigest() for name in FILES
        }


class TestTrouble:
    def test_a_lost_gpu_stays_lost_and_health_says_so(self, special):
        server = special()
        server.switch("fault", "cuda")
        answer = server.post(TRANSCRIBE, clip(0))
        assert (answer.status_code, code(answer)) == (500, "cuda_failure")
        assert "CUDA error: an illegal memory access" in answer.json()["error"]["message"]
        server.switch("fault")
        for path in (TRANSCRIBE, DIARIZE):
            assert code(server.post(path, clip(0))) == "cuda_failure"
        health = get(f"{server.url}/health")
        assert (health.status_code, health.json()["status"]) == (503, "failed")
        assert "CUDA error" in health.json()["problem"]
        wait(lambda: not server.left())

    def test_too_little_memory_is_no_lost_gpu(self, server):
        server.switch("fault", "memory")
        answer = server.post(DIARIZE, clip(0))
        assert (answer.status_code, code(answer)) == (503, "gpu_out_of_memory")
        assert "CUDA" not in answer.text
        server.switch("fault")
        assert server.post(DIARIZE, clip(0)).status_code == 200

    def test_a_model_that_fails_tells_nothing_that_was_said(self, server):
        server.switch("fault", "crash")
        answer = server.post(TRANSCRIBE, clip(0))
        assert (answer.status_code, code(answer)) == (500, "inference_failed")
        assert "ValueError" in answer.text
        assert SPOKEN[0] not in answer.text
        assert server.health()["status"] == "ready"

    def test_while_models_load(self, special):
        server = special(until="loading", before=lambda one: one.switch("loading", "yes"))
        answer = server.post(TRANSCRIBE, clip(0))
        assert (answer.status_code, code(answer)) == (503, "loading")
        assert answer.headers["retry-after"] == "10"
        server.switch("loading")
        wait(lambda: server.health()["status"] == "ready")

    def test_without_a_diarizer_it_still_transcribes(self, special):
        server = special(before=lambda one: one.switch("broken", "titanet"))
        health = server.health()["diarizer"]
        assert health["status"] == "failed"
        assert "not a valid model" in health["problem"]
        assert code(server.post(DIARIZE, clip(0))) == "diarizer_unavailable"
        assert server.post(TRANSCRIBE, clip(1)).json() == {"text": "losung"}

    def test_without_a_model_it_says_why(self, special):
        server = special(until="failed", before=lambda one: one.switch("broken", "parakeet"))
        assert "not a valid model" in server.health()["problem"]
        assert server.post(TRANSCRIBE, clip(0)).status_code == 503


def test_what_was_said_is_in_no_log(usual):
    usual.switch("fault", "crash")
    usual.post(TRANSCRIBE, clip(0, 1, 2, 3))
    usual.switch("fault")
    usual.post(TRANSCRIBE, clip(0, 1, 2, 3), prompt="Bob said kennwort", language="de")
    log = usual.log()
    assert "transcribed 2.0 s, 4 words" in log
    assert "a model failed: ValueError" in log
    for word in (*SPOKEN, "Alice.wav"):
        assert word not in log


def test_only_what_the_image_has_is_imported():
    import ast

    allowed = {*sys.stdlib_module_names, "fastapi", "starlette", "torch", "nemo", "diarizer"}
    for name in FILES:
        for node in ast.walk(ast.parse((HERE.parent / name).read_text())):
            if isinstance(node, ast.Import):
                assert {alias.name.partition(".")[0] for alias in node.names} <= allowed
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                assert (node.module or "").partition(".")[0] in allowed
