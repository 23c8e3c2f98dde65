"""Who speaks when, out of what the diarizers of the speech container answer."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

import numpy as np

from spark_audio_proxy.problems import SpeechError
from spark_audio_proxy.speech import Diarization, FrameProbabilities, SpeakerSegment

_SLOTS = 4


def read_diarization(answer: object, duration: float) -> Diarization:
    """Return it in order of time; segments come grouped by speaker, and in several shapes.

    Raises SpeechError ``upstream_bad_response`` when it is none.
    """
    if not isinstance(answer, Mapping) or not isinstance(answer.get("segments"), list):
        raise SpeechError("upstream_bad_response", "the speech server told no turns of speakers")
    segments = sorted(
        (found for item in answer["segments"] if (found := _segment(item)) is not None),
        key=lambda segment: (segment.start, segment.end, segment.speaker),
    )
    prints = {
        str(label): tuple(float(number) for number in vector)
        for label, vector in _mapping(answer.get("fingerprints")).items()
        if isinstance(vector, list) and vector
    }
    models = {
        str(name): value
        for name, value in _mapping(answer.get("models")).items()
        if isinstance(value, str)
    }
    said = answer.get("duration")
    return Diarization(
        tuple(segments),
        float(said) if isinstance(said, int | float) and said > 0 else duration,
        _frames(answer.get("frames"), tuple(dict.fromkeys(one.speaker for one in segments))),
        prints,
        models,
    )


def _segment(item: object) -> SpeakerSegment | None:
    if not isinstance(item, Mapping):
        return None
    start, end = _time(item, "start"), _time(item, "end")
    speaker = item.get("speaker")
    if start is None or end is None or end <= start or speaker is None:
        return None
    confidence = item.get("confidence")
    sure = confidence if isinstance(confidence, int | float) else None
    return SpeakerSegment(start, end, _label(speaker), None if sure is None else float(sure))


def _label(speaker: object) -> str:
    return f"Speaker_{speaker}" if isinstance(speaker, int) else str(speaker)


def _time(item: Mapping[str, Any], edge: str) -> float | None:
    for name, unit in ((f"{edge}_s", 1.0), (edge, 1.0), (f"{edge}_ms", 1000.0)):
        value = item.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
            return float(value) / unit
    return None


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
    rate = frames.get("rate")
    known = isinstance(rate, int | float) and rate > 0
    seconds = 1.0 / float(rate) if known and isinstance(rate, int | float) else 0.08
    return FrameProbabilities(labels, values, seconds)


def _mapping(value: object) -> Mapping[Any, Any]:
    return value if isinstance(value, Mapping) else {}
