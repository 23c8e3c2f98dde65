"""What a loudspeaker says is taken out of the microphone, and nothing else is."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from spark_audio_proxy.decoding.clearing import clear
from spark_audio_proxy.decoding.sound import RATE, ClearOrder

Floats = NDArray[np.float64]
SECONDS = 24
COUNT = SECONDS * RATE


def speech(seed: int, share: float) -> tuple[Floats, NDArray[np.bool_]]:
    """Return noise that comes and goes as speech does, and where it is there."""
    random = np.random.default_rng(seed)
    voice = np.convolve(random.standard_normal(COUNT), [1, 0.9, 0.7, 0.4, 0.2], "same")
    loud = np.repeat(np.abs(random.standard_normal(SECONDS * 10)), RATE // 10)
    there = np.repeat(random.random(SECONDS) < share, RATE)
    return 0.02 * voice * loud * there, there


FAR, FAR_SPEAKS = speech(1, 0.6)
NEAR, NEAR_SPEAKS = speech(2, 0.4)
ALONE, BOTH = FAR_SPEAKS & ~NEAR_SPEAKS, FAR_SPEAKS & NEAR_SPEAKS


def echo(lag: float, decibel: float, sound: Floats = FAR) -> Floats:
    """Return how a room gives the other side back."""
    random = np.random.default_rng(0)
    room = random.standard_normal(3000) * np.exp(-np.arange(3000) / 700)
    size = COUNT + len(room)
    way = np.fft.rfft(room / np.linalg.norm(room), size)
    back = np.fft.irfft(np.fft.rfft(sound, size) * way, size)[:COUNT]
    return np.roll(back, round(lag * RATE)) * 10 ** (decibel / 20)


def cleared(folder: Path, heard: Floats) -> tuple[Floats, float | None]:
    """Return what is left of what the microphone heard, and the lag that was found."""
    local, remote = folder / "local", folder / "remote"
    for path, samples in ((local, heard), (remote, FAR)):
        path.write_bytes(np.rint(samples * 32_767).astype("<i2").tobytes())
    order = ClearOrder(str(local), str(remote), str(folder / "out"), COUNT)
    told = clear(order, lambda seconds: None)
    rest = np.fromfile(folder / "out.pcm", "<i2") / 32_767
    assert len(rest) == COUNT
    assert told["measures"]["seconds"] == SECONDS
    return rest, told["lag"]


def decibel(samples: Floats, where: NDArray[np.bool_]) -> float:
    return float(10 * np.log10(np.mean(samples[where] ** 2) + 1e-12))


@pytest.mark.parametrize(
    ("heard", "lag", "less"),
    [
        (echo(0.05, -10), 0.05, 15),
        (echo(-0.1, -10), -0.1, 15),
        (echo(0.45, 4), 0.45, 12),
        (echo(0.1, 0, 0.05 * np.tanh(FAR / 0.05)), 0.1, 3),
    ],
    ids=["usual", "before the other channel", "far and loud", "distorted"],
)
def test_an_echo_is_quieter_and_whoever_speaks_over_it_is_not(
    tmp_path: Path, heard: Floats, lag: float, less: float
) -> None:
    noise = 3e-4 * np.random.default_rng(3).standard_normal(COUNT)
    rest, found = cleared(tmp_path, NEAR + heard + noise)
    assert found == pytest.approx(lag, abs=0.03)
    wrong = rest - NEAR
    assert decibel(heard, ALONE) - decibel(wrong, ALONE) > less
    assert decibel(heard, BOTH) - decibel(wrong, BOTH) > less / 2
    assert decibel(NEAR, NEAR_SPEAKS) - decibel(wrong, NEAR_SPEAKS & ~FAR_SPEAKS) > 20


@pytest.mark.parametrize("parts", [100, -100])
def test_clocks_may_run_apart(tmp_path: Path, parts: int) -> None:
    """By 100 parts in a million: 38 samples in this recording."""
    heard = slower(echo(0.05, -10), parts * 1e-6)
    noise = 3e-4 * np.random.default_rng(3).standard_normal(COUNT)
    rest, found = cleared(tmp_path, NEAR + heard + noise)
    assert found == pytest.approx(0.05, abs=0.03)
    wrong = rest - NEAR
    assert decibel(heard, ALONE) - decibel(wrong, ALONE) > 12
    assert decibel(NEAR, NEAR_SPEAKS) - decibel(wrong, NEAR_SPEAKS & ~FAR_SPEAKS) > 20


def slower(sound: Floats, drift: float) -> Floats:
    """Return a sound as a clock writes it down that runs slower: by its spectrum, in pieces."""
    size = 4096
    window = np.hanning(2 * size + 1)[:-1]
    padded = np.concatenate((np.zeros(size), sound, np.zeros(3 * size)))
    out = np.zeros(len(padded))
    turns = -2j * np.pi * np.fft.rfftfreq(2 * size)
    for start in range(0, len(padded) - 2 * size, size):
        piece = np.fft.rfft(padded[start : start + 2 * size] * window)
        out[start : start + 2 * size] += np.fft.irfft(piece * np.exp(turns * drift * start))
    return out[size : size + COUNT]


def test_without_an_echo_not_a_sample_changes(tmp_path: Path) -> None:
    heard = NEAR + 3e-4 * np.random.default_rng(3).standard_normal(COUNT)
    rest, found = cleared(tmp_path, heard)
    assert found is None
    assert np.array_equal(np.rint(rest * 32_767), np.rint(heard * 32_767))
