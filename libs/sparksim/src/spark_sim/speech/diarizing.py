"""Who speaks when, as Sortformer tells it: four slots by arrival, 80 ms, grouped by speaker."""

import base64
import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from spark_sim.speakclock.listener import HeardWord
from spark_sim.speech.hearing import Heard
from spark_sim.speech.voices import print_of

FRAME_SECONDS = 0.08
SLOTS = 4
MODELS = {
    "diarization": "nvidia/diar_sortformer_4spk-v1",
    "embedding": "nvidia/speakerverification_en_titanet_large",
}
_ONSET = 0.64
_BRIDGED_FRAMES = 5
"""Pauses within a turn that the model does not hear."""
_PAD_SECONDS = 0.06
_LEAST_ON_SECONDS = 0.1
_ALONE, _TOGETHER, _PAUSE, _EDGE, _NOBODY = 0.96, 0.86, 0.8, 0.7, 0.02

Frames = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Turn:
    """One speaker from ``start`` to ``end`` in seconds."""

    start: float
    end: float
    slot: int
    confidence: float


@dataclass(frozen=True)
class Diarization:
    """What the two models say about a recording."""

    turns: tuple[Turn, ...]
    """Slot by slot."""
    frames: Frames
    """Probability of each slot in each frame."""
    prints: dict[int, list[float]]


def diarize(heard: Heard) -> Diarization:
    """Return who speaks when."""
    count = int(np.ceil(heard.seconds / FRAME_SECONDS))
    slots = _slots(heard.words)
    seed = int(heard.sha256[:12], 16)
    active = np.zeros((count, SLOTS), bool)
    frames = np.full((count, SLOTS), _NOBODY, np.float32)
    for slot in range(SLOTS):
        words = [word for word in heard.words if slots[word.band] == slot]
        _write(frames[:, slot], active[:, slot], words)
    frames[(active.sum(1) > 1)[:, None] & (frames > _TOGETHER)] = _TOGETHER
    jitter = np.random.default_rng(seed).normal(0, 0.01, frames.shape)
    frames = np.clip(frames + jitter, 0.001, 0.999).astype(np.float32)
    turns = [turn for slot in range(SLOTS) for turn in _turns(frames[:, slot], slot, heard.seconds)]
    return Diarization(tuple(turns), frames, _prints(heard.words, slots, seed))


def as_json(
    found: Diarization, heard: Heard, *, confidences: bool, shuffled: bool, frames: bool
) -> dict[str, Any]:
    """Return the answer of the patched routes."""
    turns = list(found.turns)
    if shuffled:
        random.Random(heard.sha256).shuffle(turns)  # noqa: S311 - no secret
    slots = sorted({turn.slot for turn in turns})
    said: dict[str, Any] = {
        "duration": round(heard.seconds, 3),
        "segments": [
            {
                "start_s": turn.start,
                "end_s": turn.end,
                "speaker": f"Speaker_{turn.slot}",
                "confidence": turn.confidence if confidences else None,
            }
            for turn in turns
        ],
        "speakers_detected": [f"Speaker_{slot}" for slot in slots],
        "fingerprints": {
            f"Speaker_{slot}": found.prints[slot] for slot in slots if slot in found.prints
        },
        "models": dict(MODELS),
    }
    if frames:
        probabilities = base64.b64encode(found.frames.astype("<f2").tobytes()).decode()
        said["frames"] = {"rate": 1 / FRAME_SECONDS, "probs": probabilities}
    return said


def as_public_json(found: Diarization, heard: Heard, names: Sequence[str]) -> dict[str, Any]:
    """Return the answer of the public route: text in it, a word in every turn it lies in."""
    labels = [*names, *(f"Speaker {number + 1}" for number in range(len(names), SLOTS))]
    words = heard.transcript()
    turns = sorted(found.turns, key=lambda turn: turn.start)
    return {
        "duration": round(heard.seconds, 3),
        "text": " ".join(word.text for word in words),
        "speakers": [labels[slot] for slot in sorted({turn.slot for turn in turns})],
        "segments": [
            {
                "start": turn.start,
                "end": turn.end,
                "speaker": labels[turn.slot],
                "text": " ".join(
                    word.text
                    for word in words
                    if turn.start <= (word.start + word.end) / 2 < turn.end
                ),
            }
            for turn in turns
        ],
    }


def _slots(words: Sequence[HeardWord]) -> dict[int, int]:
    """Return the slot of each band: by arrival, and who comes fifth has that of a similar voice."""
    slots: dict[int, int] = {}
    for word in words:
        if word.band in slots:
            continue
        if len(set(slots.values())) < SLOTS:
            slots[word.band] = len(slots)
        else:
            nearest = min(list(slots)[:SLOTS], key=lambda band: abs(band - word.band))
            slots[word.band] = slots[nearest]
    return slots


def _write(column: Frames, active: npt.NDArray[np.bool_], words: Sequence[HeardWord]) -> None:
    """Write how sure the model is of one speaker, frame by frame."""
    for word in words:
        first = round(word.start / FRAME_SECONDS)
        active[first : max(first + 1, round(word.end / FRAME_SECONDS))] = True
    spoken = np.flatnonzero(active)
    column[active] = _ALONE
    for before, after in pairwise(spoken.tolist()):
        if 1 < after - before <= _BRIDGED_FRAMES:
            column[before + 1 : after] = _PAUSE
        elif after - before > _BRIDGED_FRAMES:
            column[[before, after]] = _EDGE
    if len(spoken):
        column[[spoken[0], spoken[-1]]] = _EDGE


def _turns(column: Frames, slot: int, seconds: float) -> list[Turn]:
    """Return the turns of one slot: the usual threshold, and a little air around them."""
    turns: list[Turn] = []
    first: int | None = None
    for at, value in enumerate([*column.tolist(), 0.0]):
        if first is None and value >= _ONSET:
            first = at
        elif first is not None and value < _ONSET:
            start = max(0.0, first * FRAME_SECONDS - _PAD_SECONDS)
            end = min(seconds, at * FRAME_SECONDS + _PAD_SECONDS)
            sure = round(float(column[first:at].mean()), 4)
            if end - start >= _LEAST_ON_SECONDS:
                turns.append(Turn(round(start, 2), round(end, 2), slot, sure))
            first = None
    return turns


def _prints(words: Sequence[HeardWord], slots: dict[int, int], seed: int) -> dict[int, list[float]]:
    """Return the prints of the slots, from what each says alone."""
    seconds: dict[int, dict[int, float]] = {}
    for at, word in enumerate(words):
        others = words[max(0, at - 20) : at + 20]
        over = any(
            slots[other.band] != slots[word.band]
            and other.start < word.end
            and other.end > word.start
            for other in others
        )
        share = 0.0 if over else word.end - word.start
        bands = seconds.setdefault(slots[word.band], {})
        bands[word.band] = bands.get(word.band, 0.0) + share
    prints = {slot: print_of(bands, seed + slot) for slot, bands in seconds.items()}
    return {
        slot: [round(float(number), 6) for number in one]
        for slot, one in prints.items()
        if one is not None
    }
