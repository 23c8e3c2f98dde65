"""What the speech server's answers mean: when it is idle, how it fails, who speaks."""

import base64
import json
from pathlib import Path

import httpx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark_audio_proxy.api.diarizing import document
from spark_audio_proxy.api.status import told_of
from spark_audio_proxy.merging.attribution import attribute
from spark_audio_proxy.problems import SpeechError
from spark_audio_proxy.speech import Word
from spark_audio_proxy.upstreams.asking import UpstreamHttp
from spark_audio_proxy.upstreams.clip import Clip, Form
from spark_audio_proxy.upstreams.diarizer_answer import read_diarization
from spark_audio_proxy.upstreams.faults import SpeechFaultError
from spark_audio_proxy.upstreams.parakeet import Parakeet
from spark_common.clock import SystemClock

NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.just(10**400)
SCALARS = st.none() | st.booleans() | NUMBERS | st.text(max_size=4) | st.just("\ud800")
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)


def parakeet(answer: httpx.Response | Exception) -> Parakeet:
    async def handle(request: httpx.Request) -> httpx.Response:
        await request.aread()
        if isinstance(answer, Exception):
            raise answer
        return answer

    client = httpx.AsyncClient(transport=httpx.MockTransport(handle))
    http = UpstreamHttp("parakeet", "the speech server", lambda: "http://speech", client)
    return Parakeet(http, SystemClock())


@pytest.fixture
def clip(tmp_path: Path) -> Clip:
    pcm = tmp_path / "a.pcm"
    pcm.write_bytes(bytes(range(256)) * 250)
    return Clip(pcm, 0, 32_000, "0" * 64)


@pytest.mark.parametrize(
    ("said", "idle"),
    [
        (httpx.Response(200, json={"status": "ready"}), True),
        (httpx.Response(200, json={"work": {"running_seconds": None}}), True),
        (httpx.Response(200, json={"work": {"running_seconds": 20.0}}), False),
        (httpx.Response(200, json={"work": {"running_seconds": 0.0}}), False),
        (httpx.Response(200, json={"work": {"running_seconds": 2.0}}), True),
        (httpx.Response(503, text="loading"), True),
        (httpx.ReadTimeout("blocked"), False),
        (httpx.ConnectTimeout("too many wait"), False),
        (httpx.ConnectError("nobody there"), True),
    ],
)
async def test_it_is_idle_when_it_cannot_be_at_a_call_of_ten_seconds_ago(
    said: httpx.Response | Exception, idle: bool
) -> None:
    assert await parakeet(said).idle(10.0) is idle


@pytest.mark.parametrize(
    ("answer", "code", "cuda", "suspicious"),
    [
        (httpx.Response(500, text="CUDA error: illegal"), "upstream_recovering", True, True),
        (httpx.Response(500, text="list index"), "upstream_recovering", False, True),
        (httpx.Response(503, json={"detail": "Model is still loading"}),
         "upstream_loading", False, False),
        (httpx.Response(503, json={"detail": "Model not loaded"}),
         "upstream_loading", False, False),
        (httpx.Response(503, json={"error": {"code": "diarizer_unavailable"}}),
         "diarization_unavailable", False, False),
        (httpx.Response(429, headers={"retry-after": "7"}), "queue_full", False, False),
        (httpx.Response(400, text="no"), "upstream_bad_response", False, False),
        (httpx.RemoteProtocolError("cut"), "upstream_recovering", False, True),
    ],
)  # fmt: skip
async def test_its_failures_have_names(
    clip: Clip, answer: httpx.Response | Exception, code: str, cuda: bool, suspicious: bool
) -> None:
    with pytest.raises(SpeechFaultError) as raised:
        await parakeet(answer).transcribe(clip, None)
    fault = raised.value
    assert (fault.code, fault.cuda, fault.suspicious) == (code, cuda, suspicious)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (httpx.Response(200, text="<html>"), "upstream_bad_response"),
        (httpx.Response(200, json=[1]), "upstream_bad_response"),
        (httpx.Response(200, text='{"text": "a", "duration": NaN}'), "upstream_bad_response"),
        (httpx.Response(200, text='{"text": "a", "duration": 1e999}'), "upstream_bad_response"),
        (httpx.Response(200, json={"text": "hello", "segments": []}), "empty_timestamps"),
        (httpx.ReadTimeout("late"), "upstream_timeout"),
        (httpx.ConnectError("nobody"), "upstream_down"),
    ],
)
async def test_answers_of_no_use_have_names(
    clip: Clip, answer: httpx.Response | Exception, code: str
) -> None:
    with pytest.raises(SpeechError) as raised:
        await parakeet(answer).transcribe(clip, None)
    assert raised.value.code == code


async def test_a_form_has_the_length_it_says_and_a_wave_inside(clip: Clip) -> None:
    form = Form.of(clip.part(0.5, 1.25), {"language": "auto"})
    body = b"".join([piece async for piece in form.pieces()])
    assert len(body) == int(form.headers["content-length"])
    wave = body.partition(b"audio/wav\r\n\r\n")[2]
    assert wave[:4] == b"RIFF"
    samples = int(0.75 * 16_000) * 2
    assert wave[44 : 44 + samples] == clip.pcm.read_bytes()[16_000 : 16_000 + samples]


class TestDiarizations:
    def test_come_in_order_whatever_they_look_like(self) -> None:
        found = read_diarization(
            {
                "segments": [
                    {"start": 5.0, "end": 6.0, "speaker": 1},
                    {"start_s": 0.0, "end_s": 2.0, "speaker": "Speaker_0", "confidence": 0.9},
                    {"start_ms": 2000, "end_ms": 3000, "speaker": "Speaker_1"},
                    {"start_s": 4.0, "end_s": 3.0, "speaker": "Speaker_1"},
                    {"speaker": "Speaker_1"},
                    "nonsense",
                ],
                "fingerprints": {"Speaker_0": [1, 2], "Speaker_1": None},
                "models": {"diarization": "x", "thresholds": 3},
            },
            9.0,
        )
        assert [(turn.start, turn.end, turn.speaker) for turn in found.segments] == [
            (0.0, 2.0, "Speaker_0"),
            (2.0, 3.0, "Speaker_1"),
            (5.0, 6.0, "Speaker_1"),
        ]
        assert found.fingerprints == {"Speaker_0": (1.0, 2.0)}
        assert found.models == {"diarization": "x"}

    def test_frames_belong_to_their_slots(self) -> None:
        values = np.zeros((10, 4), "<f2")
        values[:, 2] = 1
        said = {
            "segments": [{"start_s": 0, "end_s": 0.8, "speaker": "Speaker_2"}],
            "frames": {"rate": 12.5, "probs": base64.b64encode(values.tobytes()).decode()},
        }
        frames = read_diarization(said, 1.0).frames
        assert frames is not None
        assert frames.speakers == ("Speaker_2",)
        assert frames.values.min() == 1
        assert frames.frame_seconds == pytest.approx(0.08)
        said["frames"]["probs"] = "!"  # type: ignore[index]
        assert read_diarization(said, 1.0).frames is None

    @pytest.mark.parametrize("answer", [None, [], {"segments": None}, {"text": "x"}])
    def test_are_nothing_else(self, answer: object) -> None:
        with pytest.raises(SpeechError):
            read_diarization(answer, 1.0)

    def test_prints_that_are_no_numbers_are_left_out(self) -> None:
        odd = [["a"], [1, None], [True], [10**400], {"x": 1}, "text", []]
        said = {
            "segments": [{"start_s": 0, "end_s": 10**400, "speaker": "Speaker_0"},
                         {"start_s": 0, "end_s": 1, "speaker": ["Speaker_0"]},
                         {"start_s": 0, "end_s": 1, "speaker": "A\ud800", "confidence": "high"}],
            "fingerprints": {"A\ud800": [0.5], **{str(n): each for n, each in enumerate(odd)}},
            "duration": 10**400,
        }  # fmt: skip
        found = read_diarization(said, 2.0)
        assert [(turn.speaker, turn.confidence) for turn in found.segments] == [("A?", None)]
        assert found.fingerprints == {"A?": (0.5,)}
        assert found.duration == 2.0
        with pytest.raises(SpeechError):
            read_diarization({"segments": [], "fingerprints": {"a": [1], "b": [1, 2]}}, 1.0)

    @settings(max_examples=60, deadline=None)
    @given(st.fixed_dictionaries({
        "segments": st.lists(st.dictionaries(
            st.sampled_from(["start_s", "start", "end_s", "end_ms", "speaker", "confidence"]), JSON
        )),
        "fingerprints": st.dictionaries(st.text(max_size=3), JSON | st.lists(NUMBERS)),
        "duration": JSON,
        "models": JSON,
        "frames": st.fixed_dictionaries({"rate": JSON, "probs": st.just("AAAAAAAAAAA=") | JSON}),
    }))  # fmt: skip
    def test_whatever_is_said_can_be_merged_and_told_or_is_none(self, answer: object) -> None:
        try:
            found = read_diarization(answer, 5.0)
        except SpeechError:
            return
        attribute([Word("one", 0.0, 0.5), Word("two.", 0.5, 1.0)], found)
        told = document(found, 5.0)
        json.dumps(told, allow_nan=False, ensure_ascii=False).encode()


def test_of_what_it_says_of_itself_words_are_told_and_nothing_else() -> None:
    said = {"status": "loading", "model": "a\ud800", "device": ["cuda"]}
    assert told_of({**said, "diarizer": {"status": "ready", "x": 1}}) == {
        "status": "loading",
        "model": "a?",
        "device": None,
        "diarizer": {"status": "ready", "problem": None},
    }
    assert told_of({"diarizer": 5})["diarizer"] is None
