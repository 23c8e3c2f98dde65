"""Real speech that is recognised: clips whose course of loudness is known.

The clip of the deep health check is real speech, because tones and silence skip the paths of a
decoder in which crashes live. It is known again after any codec, and a little earlier or later.
"""

import base64
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_STEP = 320
"""Samples over which loudness is taken: 20 ms."""
_ALIKE = 0.96
_SHIFT = 50
"""Steps by which a clip may begin earlier or later: a second."""


@dataclass(frozen=True)
class _Clip:
    words: tuple[str, ...]
    shape: str
    """Base64 of the loudness of each step, the loudest being 255."""


_CLIPS = (
    _Clip(
        ("This", "is", "a", "short", "test", "of", "the", "speech", "service."),
        "DREURZ13GyYyNE2hbx0jKV17MQkgLjlBK17/97CCZ1ZMHwADExIHAAQUGVWl0Zp1SBEdHhIKGil3gEAL"
        "DA8UFS5wTgsZHRwBEi5poI1oRSMAAA8YHRkREiEsNSs7X29gXFhQPSgQDhUwca9WLxcWFhURAAAAAA==",
    ),
)


def words_of_clip(samples: npt.NDArray[np.int16]) -> tuple[str, ...]:
    """Return the words of the clip that these samples (16 kHz) are; none where they are none."""
    shape = np.frombuffer(shape_of(samples), np.uint8).astype(np.float64)
    for clip in _CLIPS:
        known = np.frombuffer(base64.b64decode(clip.shape), np.uint8).astype(np.float64)
        if abs(len(shape) - len(known)) <= 2 * _SHIFT and _likeness(shape, known) > _ALIKE:
            return clip.words
    return ()


def shape_of(samples: npt.NDArray[np.int16]) -> bytes:
    """Return how loud each step is: one byte, 255 for the loudest."""
    count = len(samples) // _STEP
    steps = samples[: count * _STEP].astype(np.float64).reshape(count, _STEP)
    loudness = np.sqrt((steps**2).mean(axis=1))
    shape = 255 * loudness / max(loudness.max(initial=0.0), 1.0)
    return bytes(shape.astype(np.uint8))


def _likeness(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> float:
    """Return the best correlation over all shifts, 1 at most."""
    length = max(len(one), len(other))
    padded = [np.pad(shape, (_SHIFT, length - len(shape) + _SHIFT)) for shape in (one, other)]
    best = 0.0
    for shift in range(-_SHIFT, _SHIFT + 1):
        moved = np.roll(padded[0], shift) - padded[0].mean()
        still = padded[1] - padded[1].mean()
        size = float(np.sqrt((moved**2).sum() * (still**2).sum()))
        best = max(best, float((moved * still).sum()) / size if size else 0.0)
    return best
