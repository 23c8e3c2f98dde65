"""Who speaks when, and how each voice sounds: Sortformer and TitaNet behind plain values.

Nothing here knows HTTP. Everything is called from the one thread that owns the GPU.
"""

from __future__ import annotations

import base64
import logging
import math
import struct
import wave
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RATE = 16_000
FRAME_SECONDS = 0.08
"""Eight steps of 10 ms; the length of a clip divided by its frames is a little off."""
PRINT_NUMBERS = 192
_WHOLE_RECORDINGS = {
    "chunk_len": 340,
    "chunk_right_context": 40,
    "fifo_len": 40,
    "spkcache_update_period": 300,
    "spkcache_len": 188,
}
"""Frames of the streaming models at their best: nobody waits for them live here."""
_LEAST_PRINT_SECONDS = 0.5
_MOST_PRINT_SECONDS = 30.0

_log = logging.getLogger("parakeet.diarizer")
Interval = tuple[float, float]
Probabilities = list[list[float]]


@dataclass(frozen=True)
class Turn:
    """One speaker from ``start`` to ``end``, in seconds. ``confidence`` is 0 to 1, if known."""

    start: float
    end: float
    slot: int
    confidence: float | None

    @property
    def label(self) -> str:
        """The name of the speaker within this recording."""
        return label_of(self.slot)


def label_of(slot: int) -> str:
    """Return the name of a slot; slots are numbered by first appearance."""
    return f"Speaker_{slot}"


class Diarizer:
    """The two models. Up to four speakers; more are folded into those four by Sortformer."""

    def __init__(self, sortformer: Any, titanet: Any, names: tuple[str, str]) -> None:
        """``names`` are those of the two models, as they are told."""
        self._sortformer = sortformer
        self._titanet = titanet
        self.names = names

    @classmethod
    def load(cls, sortformer: str, titanet: str, device: str) -> Diarizer:
        """Load both models by name or by path of a ``.nemo`` file."""
        from nemo.collections.asr.models import EncDecSpeakerLabelModel, SortformerEncLabelModel

        listener = load_model(SortformerEncLabelModel, sortformer, device)
        for name, frames in _WHOLE_RECORDINGS.items():
            if hasattr(listener.sortformer_modules, name):
                setattr(listener.sortformer_modules, name, frames)
        voices = load_model(EncDecSpeakerLabelModel, titanet, device)
        return cls(listener, voices, (sortformer, titanet))

    def diarize(self, audio: Path, *, frames: bool = False) -> dict[str, Any]:
        """Return turns and voice prints of a WAV file of 16 kHz, mono.

        ``frames`` adds the probability of every speaker in every frame, as base64 of
        little-endian half floats, four to a frame.
        """
        samples = read_samples(audio)
        duration = len(samples) / RATE
        lines, probabilities = self._look(audio)
        turns = read_turns(lines, probabilities, duration)
        slots = sorted({turn.slot for turn in turns})
        prints = {slot: self._print(turns, slot, samples, audio.parent) for slot in slots}
        said: dict[str, Any] = {
            "duration": round(duration, 3),
            "segments": [
                {
                    "start_s": round(turn.start, 3),
                    "end_s": round(turn.end, 3),
                    "speaker": turn.label,
                    "confidence": turn.confidence,
                }
                for turn in turns
            ],
            "speakers_detected": [label_of(slot) for slot in slots],
            "fingerprints": {label_of(slot): one for slot, one in prints.items() if one},
            "speech_s": {label_of(slot): round(spoken(turns, slot), 3) for slot in slots},
            "models": {
                "diarization": self.names[0],
                "embedding": self.names[1],
                "thresholds": "of the model",
            },
        }
        if frames:
            said["frames"] = {"rate": 1 / FRAME_SECONDS, "probs": packed(probabilities)}
        return said

    def _look(self, audio: Path) -> tuple[list[str], Probabilities]:
        answer = self._sortformer.diarize(
            audio=[str(audio)], batch_size=1, include_tensor_outputs=True, num_workers=0
        )
        found, tensors = answer if isinstance(answer, tuple) else (answer, [])
        lines = list(found[0]) if found else []
        return lines, frames_of(tensors[0]) if len(tensors) else []

    def _print(
        self, turns: Sequence[Turn], slot: int, samples: array[int], folder: Path
    ) -> list[float] | None:
        """Return the voice print of one speaker; None where too little was said for one."""
        chosen = best_speech(turns, slot)
        if sum(end - start for start, end in chosen) < _LEAST_PRINT_SECONDS:
            return None
        clip = folder / f"voice-{slot}.wav"
        pieces = array("h")
        for start, end in chosen:
            pieces.extend(samples[int(start * RATE) : int(end * RATE)])
        write_wav(clip, pieces)
        return unit(flat(self._titanet.get_embedding(str(clip))))


def load_model(kind: Any, name: str, device: str) -> Any:
    """Return a NeMo model, ready to be asked."""
    here = name.endswith(".nemo")
    model = (
        kind.restore_from(name, map_location=device)
        if here
        else kind.from_pretrained(name, map_location=device)
    )
    model.eval()
    return model


def read_turns(lines: Iterable[str], probabilities: Probabilities, duration: float) -> list[Turn]:
    """Read lines ``start end speaker_k``, which come speaker by speaker, into order of time.

    What lies outside of the recording is cut; a line that is none is left out.
    """
    turns = []
    for line in lines:
        words = str(line).split()
        try:
            start, end = max(0.0, float(words[0])), min(float(words[1]), duration)
            slot = int(words[2].rpartition("_")[2])
        except (ValueError, IndexError):
            _log.warning("a line of the diarizer could not be read")
            continue
        if slot >= 0 and end > start:
            confidence = confidence_of(probabilities, slot, start, end)
            turns.append(Turn(start, end, slot, confidence))
    return sorted(turns, key=lambda turn: (turn.start, turn.end, turn.slot))


def confidence_of(
    probabilities: Probabilities, slot: int, start: float, end: float
) -> float | None:
    """Return the mean probability of a speaker over the frames of a turn."""
    first = int(start / FRAME_SECONDS + 1e-6)
    last = max(first + 1, math.ceil(end / FRAME_SECONDS - 1e-6))
    heard = [row[slot] for row in probabilities[first:last] if slot < len(row)]
    heard = [value for value in heard if math.isfinite(value)]
    if not heard:
        return None
    return round(min(1.0, max(0.0, sum(heard) / len(heard))), 4)


def spoken(turns: Sequence[Turn], slot: int) -> float:
    """Return the seconds in which a speaker speaks."""
    return sum(end - start for start, end in _merged(_of(turns, slot)))


def best_speech(turns: Sequence[Turn], slot: int) -> list[Interval]:
    """Return what to know a speaker by: at most 30 seconds, without others where that is enough.

    The longest pieces come first.
    """
    own = _merged(_of(turns, slot))
    others = _merged([(turn.start, turn.end) for turn in turns if turn.slot != slot])
    alone = _without(own, others)
    enough = sum(end - start for start, end in alone) >= _LEAST_PRINT_SECONDS
    left, chosen = _MOST_PRINT_SECONDS, []
    for start, end in sorted(alone if enough else own, key=lambda one: one[0] - one[1]):
        if left <= 0:
            break
        chosen.append((start, min(end, start + left)))
        left -= end - start
    return chosen


def _of(turns: Sequence[Turn], slot: int) -> list[Interval]:
    return [(turn.start, turn.end) for turn in turns if turn.slot == slot]


def _merged(intervals: Sequence[Interval]) -> list[Interval]:
    merged: list[Interval] = []
    for start, end in sorted(intervals):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def _without(intervals: Sequence[Interval], others: Sequence[Interval]) -> list[Interval]:
    left = []
    for start, end in intervals:
        at = start
        for begins, ends in others:
            if ends <= at or begins >= end:
                continue
            if begins > at:
                left.append((at, begins))
            at = max(at, ends)
        if at < end:
            left.append((at, end))
    return left


def frames_of(tensor: Any) -> Probabilities:
    """Return the rows of a tensor [1, T, 4] or [T, 4], whatever its type and device."""
    rows = tensor.detach().float().cpu().tolist()
    while len(rows) == 1 and rows[0] and isinstance(rows[0][0], list):
        rows = rows[0]
    return rows if rows and isinstance(rows[0], list) else []


def packed(probabilities: Probabilities) -> str:
    """Return base64 of the probabilities as little-endian half floats."""
    numbers = [value if math.isfinite(value) else 0.0 for row in probabilities for value in row]
    return base64.b64encode(struct.pack(f"<{len(numbers)}e", *numbers)).decode()


def flat(tensor: Any) -> list[float]:
    """Return the numbers of a tensor [1, 192] or [192]."""
    numbers = tensor.detach().float().cpu().tolist()
    while numbers and isinstance(numbers[0], list):
        numbers = numbers[0]
    return numbers


def unit(numbers: Sequence[float]) -> list[float] | None:
    """Return a voice print of length 1; None for what is none."""
    size = math.sqrt(sum(value * value for value in numbers))
    if len(numbers) != PRINT_NUMBERS or not math.isfinite(size) or size == 0:
        return None
    return [round(value / size, 6) for value in numbers]


def read_samples(path: Path) -> array[int]:
    """Return the samples of a WAV file of 16 kHz, mono, 16 bit."""
    with wave.open(str(path)) as file:
        return array("h", file.readframes(file.getnframes()))


def write_wav(path: Path, samples: array[int]) -> None:
    """Write samples as a WAV file of 16 kHz, mono, 16 bit."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())
