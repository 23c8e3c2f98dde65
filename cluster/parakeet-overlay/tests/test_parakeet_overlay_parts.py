"""The pure parts of the overlay: turns, voice prints, forms, cuts."""

import importlib.util
import math
import random
import sys
from array import array
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import httpx
import pytest

FOLDER = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def parts():
    """Both files, imported as ``uvicorn main:app`` in their folder would."""
    loaded: list[ModuleType] = []
    for name in ("diarizer", "main"):
        spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        loaded.append(module)
    yield loaded
    for name in ("diarizer", "main"):
        del sys.modules[name]


def test_lines_are_sorted_cut_and_junk_is_left_out(parts):
    diarizer, _ = parts
    text = """1.0 9.0 speaker_1
        0.5 0.9 speaker_0
        2 1 speaker_0
        x y z
        -1 0.1 speaker_3
        7.0 8.0 speaker_0
        nan nan speaker_0
        0 1 speaker_-1
        """
    lines = text.split("\n")
    turns = diarizer.read_turns(lines, [], 5.0)
    assert [(turn.start, turn.end, turn.label) for turn in turns] == [
        (0.0, 0.1, "Speaker_3"),
        (0.5, 0.9, "Speaker_0"),
        (1.0, 5.0, "Speaker_1"),
    ]
    assert {turn.confidence for turn in turns} == {None}


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (0.0, 0.08, 0.0),
        (0.08, 0.24, 0.5),
        (0.16, 0.2, 1.0),
        (0.24, 0.32, None),
        (9.0, 10.0, None),
    ],
)
def test_confidence_is_the_mean_over_frames_of_80_ms(parts, start, end, expected):
    rows = [[0.0] * 4, [0.0] * 4, [1.0] * 4, [math.nan] * 4]
    assert parts[0].confidence_of(rows, 2, start, end) == expected
    assert parts[0].confidence_of(rows, 4, start, end) is None


def test_a_voice_is_known_by_what_nobody_else_speaks_over(parts):
    diarizer, _ = parts
    turns = diarizer.read_turns(
        ["0 4 speaker_0", "1 2 speaker_1", "3.9 4.3 speaker_1", "10 60 speaker_2"], [], 60.0
    )
    assert diarizer.best_speech(turns, 0) == [(2.0, 3.9), (0.0, 1.0)]
    # Alone for 0.3 s only: better with somebody else than not at all.
    assert diarizer.best_speech(turns, 1) == [(1.0, 2.0), (3.9, 4.3)]
    assert diarizer.best_speech(turns, 2) == [(10.0, 40.0)]


@pytest.mark.parametrize("numbers", [[0.0] * 192, [math.nan] * 192, [1.0] * 191, []])
def test_what_is_no_voice_print_is_none(parts, numbers):
    assert parts[0].unit(numbers) is None


def test_any_file_comes_out_of_a_form_as_it_went_in(parts, tmp_path):
    _, main = parts
    chance = random.Random(7)
    pieces = [b"\r\n", b"--", b"\r\n--", b"\0", b"file", b"\r\n\r\n", b"x" * 50]
    for _ in range(60):
        content = b"".join(chance.choices(pieces, k=chance.randrange(20)))
        name = chance.choice(['a"b.wav', "a.wav", "\u00e4.webm", "x; name=evil"])
        request = httpx.Request(
            "POST", "http://there",
            data={"language": "de", "timestamp_granularities[]": ["a", "b"]},
            files={"file": (name, content, "audio/wav")},
        )  # fmt: skip
        raw = tmp_path / "body"
        raw.write_bytes(request.read())
        boundary = request.headers["content-type"].partition("boundary=")[2].encode()
        form = main.read_form(raw, boundary)
        assert form.fields == {"language": "de", "timestamp_granularities": "b"}
        assert raw.read_bytes()[form.upload[0] : form.upload[1]] == content


def test_every_cut_off_form_is_refused(parts, tmp_path):
    _, main = parts
    request = httpx.Request("POST", "http://there", files={"file": ("a", b"sound", "audio/wav")})
    whole, raw = request.read(), tmp_path / "body"
    boundary = request.headers["content-type"].partition("boundary=")[2].encode()
    for length in range(len(whole) - 4):
        raw.write_bytes(whole[:length])
        with pytest.raises(main.RefusalError):
            main.read_form(raw, boundary)


def test_a_recording_is_cut_without_a_gap_and_in_time(parts):
    _, main = parts
    loud = array("h", [2000, -2000] * 40_000)
    for samples, longest in ((loud, 1.0), (loud, 9.0), (loud[:1000], 1.0), (array("h"), 1.0)):
        cuts = list(main.runs(len(samples), lambda a, b, of=samples: of[a:b], longest))
        assert cuts[0][0] == 0
        assert cuts[-1][1] == len(samples)
        assert all(one[1] == other[0] for one, other in pairwise(cuts))
        assert all(end - start <= longest * main.RATE for start, end in cuts)


@pytest.mark.parametrize("given", ["", " ", "-3", "nan", "inf", "many", None])
def test_a_number_that_is_none_is_the_default(parts, given):
    _, main = parts
    environment = {} if given is None else {"MAX_UPLOAD_MB": given, "DIARIZER_MODEL": " "}
    settings = main.Settings.read(environment)
    assert settings.max_upload_mb == 200
    assert bool(settings.diarizer) is (given is None)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("CUDA error: an illegal memory access was encountered", "cuda_failure"),
        ("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling x", "cuda_failure"),
        ("in the decoder\nCUDA error: unspecified launch failure", "cuda_failure"),
        ("cuFFT error: CUFFT_INTERNAL_ERROR", "cuda_failure"),
        ("cuDNN error: CUDNN_STATUS_MAPPING_ERROR", "cuda_failure"),
        ("CUDA failure! 719=cudaErrorLaunchFailure", "cuda_failure"),
        ("CUDA out of memory. Tried to allocate 2 GiB", "gpu_out_of_memory"),
        ("CUDA error: out of memory", "gpu_out_of_memory"),
        (
            "Expected all tensors to be on the same device, but found cuda:0 and cpu",
            "inference_failed",
        ),
        ("", "inference_failed"),
        ("we spoke of CUDA", "inference_failed"),
    ],
)
def test_only_a_lost_gpu_is_one(parts, text, code):
    _, main = parts
    engine = main.Engine(main.Settings(), lambda: None)
    refusal = engine._judged(RuntimeError(text))
    assert refusal.code == code
    assert (engine.lost is not None) is (code == "cuda_failure")
    assert ("CUDA" in refusal.message) is (code == "cuda_failure")
