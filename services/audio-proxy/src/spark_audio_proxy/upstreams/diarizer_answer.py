"""Who speaks when, out of what the diarizers of the speech container answer."""

import base64
import binascii
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from spark_audio_proxy.problems import SpeechError
from spark_audio_proxy.speech import (
    FRAME_SECONDS,
    LATEST_SECONDS,
    Diarization,
    FrameProbabilities,
    SpeakerSegment,
)

_SLOTS = 4
_MOST_FRAMES_A_SECOND = 1000.0


def read_diarization(answer: object, duration: float) -> Diarization:
    """Return it in order of time; segments come grouped by speaker, and in several shapes.

    Turns without possible times and prints that are no numbers are left out.
    Raises SpeechError ``upstream_bad_response`` when it is none.
    """
    if not isinstance(answer, Mapping) or not isinstance(answer.get("segments"), list):
        raise SpeechError("upstream_bad_response", "the speech server told no turns of speakers")
    segments = sorted(
        (found for item in answer["segments"] if (found := _segment(item)) is not None),
        key=lambda segment: (segment.start, segment.end, segment.speaker),
    )
    prints = {
        _shown(str(label)): vector
        for label, said in _mapping(answer.get("fingerprints")).items()
        if (vector := _print(said)) is not None
    }
    if len({len(vector) for vector in prints.values()}) > 1:
        raise SpeechError("upstream_bad_response", "the speech server told odd voice prints")
    models = {
        str(name): _shown(value)
        for name, value in _mapping(answer.get("models")).items()
        if isinstance(value, str)
    }
    return Diarization(
        tuple(segments),
        _number(answer.get("duration")) or duration,
        _frames(answer.get("frames"), tuple(dict.fromkeys(one.speaker for one in segments))),
        prints,
        models,
    )


def _segment(item: object) -> SpeakerSegment | None:
    if not isinstance(item, Mapping):
        return None
    start, end, speaker = _time(item, "start"), _time(item, "end"), _label(item.get("speaker"))
    if start is None or end is None or end <= start or speaker is None:
        return None
    return SpeakerSegment(start, end, speaker, _number(item.get("confidence")))


def _label(speaker: object) -> str | None:
    if isinstance(speaker, int) and not isinstance(speaker, bool):
        return f"Speaker_{speaker}"
    return _shown(speaker) if isinstance(speaker, str) and speaker else None


def _print(said: object) -> tuple[float, ...] | None:
    if not isinstance(said, list) or not said:
        return None
    vector = [_real(number) for number in said]
    known = tuple(number for number in vector if number is not None)
    return known if len(known) == len(vector) else None


def _time(item: Mapping[str, Any], edge: str) -> float | None:
    for name, unit in ((f"{edge}_s", 1.0), (edge, 1.0), (f"{edge}_ms", 1000.0)):
        value = _number(item.get(name), LATEST_SECONDS * unit)
        if value is not None:
            return value / unit
    return None


def _number(value: object, most: float = LATEST_SECONDS) -> float | None:
    """Return a number from 0 on that is no more than it can be."""
    number = _real(value)
    return number if number is not None and 0 <= number <= most else None


def _real(value: object) -> float | None:
    """Return what is a number and has an end: JSON knows integers that are no floats."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return float(value) if abs(value) <= sys.float_info.max else None


def _shown(text: str) -> str:
    """Return text that can be written into an answer: without halves of pairs of surrogates."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _frames(frames: object, labels: tuple[str, ...]) -> FrameProbabilities | None:
    """Return the probabilities of the four slots; only labels that name a slot can be used."""
    if not isinstance(frames, Mapping) or not isinstance(frames.get("probs"), str):
        return None
    slots = [int(label[8:]) if label[:8] == "Speaker_" and label[8:].isdigit() else -1
             for label in labels]  # fmt: skip
    if not slots or any(not 0 <= slot < _SLOTS for slot in slots):
        return None
    try:
        flat = np.frombuffer(base64.b64decode(frames["probs"]), dtype="<f2")
    except (binascii.Error, ValueError):
        return None
    if not len(flat) or len(flat) % _SLOTS:
        return None
    values = flat.reshape(-1, _SLOTS).astype(np.float32)[:, slots]
    rate = _number(frames.get("rate"), _MOST_FRAMES_A_SECOND)
    return FrameProbabilities(labels, values, 1.0 / rate if rate and rate >= 1 else FRAME_SECONDS)


def _mapping(value: object) -> Mapping[Any, Any]:
    return value if isinstance(value, Mapping) else {}
