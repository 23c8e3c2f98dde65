"""What counts as the expected words, and what counts as sound."""

import math
import struct
from array import array
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spark_health.deep.checks.speech_to_text import CLIP, SAID
from spark_health.deep.gpu_errors import gpu_error_in, gpu_errors_in
from spark_health.deep.sound import NoSoundError, decode_wav
from spark_health.deep.testing.waves import SILENCE, TONE, wav
from spark_health.deep.words import heard, words_of


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("This is a short test of the speech service.", 9),
        ("  this is A SHORT test, of the speech-service!! ", 9),
        ("\N{LEFT DOUBLE QUOTATION MARK}Thís is a short test of the Speech Service", 9),
        ("This is a short test of the search service", 8),
        ("is this a short test of the speech service", 8),
        ("", 0),
        ("Thank you for watching.", 0),
    ],
)
def test_words_are_found_whatever_their_spelling(text: str, count: int) -> None:
    assert heard(words_of(SAID), text) == count


@given(st.text(max_size=300))
def test_any_transcript_is_measured(text: str) -> None:
    assert 0 <= heard(words_of(SAID), text) <= 9


def test_the_clip_is_real_sound_of_the_rate_that_speech_wants() -> None:
    sound = decode_wav(CLIP.read_bytes())
    assert (sound.rate, sound.audible) == (16_000, True)
    assert 2.0 < sound.seconds < 3.0


def test_sound_is_heard_and_silence_is_not() -> None:
    sound = decode_wav(wav(TONE))
    assert sound.audible
    assert sound.seconds == pytest.approx(0.5)
    assert not decode_wav(wav(SILENCE)).audible


@pytest.mark.parametrize("size", [0xFFFFFFFF, 0x7FFFFFFF, 0x80000000])
def test_a_stream_with_placeholders_for_sizes_is_decoded(size: int) -> None:
    data = bytearray(wav(TONE))
    struct.pack_into("<I", data, 4, size)
    struct.pack_into("<I", data, 40, size)
    assert decode_wav(bytes(data)).audible


def test_floats_and_lists_before_the_samples_are_understood() -> None:
    samples = array("f", (math.sin(n / 9) / 3 for n in range(800)))
    form = struct.pack("<HHIIHH", 3, 1, 24_000, 96_000, 4, 32)
    body = b"fmt " + struct.pack("<I", 16) + form + b"LIST" + struct.pack("<I", 3) + b"abc\0"
    body += b"data" + struct.pack("<I", 3200) + samples.tobytes()
    assert decode_wav(b"RIFF" + struct.pack("<I", len(body)) + b"WAVE" + body).audible


@given(st.binary(max_size=400))
def test_junk_is_refused_in_words(junk: bytes) -> None:
    for data in (junk, b"RIFF\0\0\0\0WAVE" + junk, b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0" + junk):
        with suppress(NoSoundError):
            assert decode_wav(data).seconds > 0


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (
            "Transcription failed: CUDA error: an illegal memory access was encountered\nCUDA k",
            "CUDA error: an illegal memory access was encountered",
        ),
        ("RuntimeError: cuFFT error: CUFFT_INTERNAL_ERROR", "cuFFT error: CUFFT_INTERNAL_ERROR"),
        ("CUBLAS_STATUS_EXECUTION_FAILED when calling", "CUBLAS_STATUS_EXECUTION_FAILED"),
        ("cudaErrorIllegalAddress", "cudaErrorIllegalAddress"),
        ("NVRM: Xid (PCI:000f:01:00): 31, pid=77", "NVRM: Xid"),
        ("Failed to initialize NVML: Unknown Error", "Failed to initialize NVML: Unknown Error"),
        ("CUDA out of memory. Tried to allocate 2.00 GiB", None),
        ("CUDA error: out of memory", None),
        ("CUBLAS_STATUS_ALLOC_FAILED", None),
        ("cudaErrorMemoryAllocation", None),
        ("CUDA available: True, device 0", None),
        ("Recognized Text: the patient said cuda", None),
    ],
)
def test_faults_of_the_gpu_are_told_from_full_memory(line: str, fault: str | None) -> None:
    assert gpu_error_in(line) == fault


def test_only_the_words_of_the_fault_are_kept() -> None:
    lines = ["Recognized Text: my secret", "x misaligned address y", "x misaligned address z"]
    assert gpu_errors_in(lines) == ("misaligned address",)
