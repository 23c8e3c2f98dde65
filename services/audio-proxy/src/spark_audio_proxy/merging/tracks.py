"""When one speaker speaks: disjoint turns that answer for many words at once."""

from collections.abc import Iterable
from dataclasses import dataclass
from heapq import heappop, heappush
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from spark_audio_proxy.speech import SpeakerSegment, is_time

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class SpeakerTrack:
    """The turns of one speaker, sorted and disjoint, with the confidence of each."""

    speaker: str
    starts: Floats
    ends: Floats
    confidences: Floats

    def overlap(self, starts: Floats, ends: Floats) -> Floats:
        """Return for how many seconds of each span the speaker speaks."""
        if not self.starts.size:
            return np.zeros(len(starts))
        edges = np.column_stack((self.starts, self.ends)).ravel()
        spoken = np.cumsum(self.ends - self.starts)
        levels = np.column_stack((np.concatenate(([0.0], spoken[:-1])), spoken)).ravel()
        shared = np.interp(ends, edges, levels) - np.interp(starts, edges, levels)
        # Differences of long sums leave dust behind where there is nothing.
        return np.where(shared > 1e-9, shared, 0.0)

    def distance(self, starts: Floats, ends: Floats) -> Floats:
        """Return how many seconds lie between each span and the nearest edge of a turn."""
        if not self.starts.size:
            return np.full(len(starts), np.inf)
        after = np.searchsorted(self.starts, starts, side="right")
        before = np.concatenate(([-np.inf], self.ends))[after]
        behind = np.concatenate((self.starts, [np.inf]))[after]
        return np.maximum(np.minimum(starts - before, behind - ends), 0.0)

    def confidence(self, starts: Floats, ends: Floats) -> Floats:
        """Return the lowest confidence of the turns that each span touches, 1 where none."""
        first = np.searchsorted(self.ends, starts, side="right")
        past = np.searchsorted(self.starts, ends, side="left")
        padded = np.append(self.confidences, 1.0)
        bounds = np.column_stack((first, np.maximum(past, first))).ravel()
        lowest = np.minimum.reduceat(padded, bounds)[::2] if bounds.size else np.empty(0)
        return np.where(past > first, lowest, 1.0)

    def began(self, start: float, end: float) -> float:
        """Return when the turn began that the span touches or that lies nearest to it."""
        touched = min(int(np.searchsorted(self.ends, start, side="right")), len(self.ends) - 1)
        return float(self.starts[touched]) if self.starts.size else end


def speaker_tracks(
    segments: Iterable[SpeakerSegment], duration: float, bridge_seconds: float
) -> list[SpeakerTrack]:
    """Return one track per speaker, in an order that depends on the times and on no name.

    Turns without a length or with impossible times are left out; a missing confidence counts as
    certain; ``duration`` 0 means unknown.
    """
    by_speaker: dict[str, list[tuple[float, float, float]]] = {}
    for segment in segments:
        if not (is_time(segment.start) and is_time(segment.end)):
            continue
        start = max(segment.start, 0.0)
        end = min(segment.end, duration) if duration > 0 else segment.end
        if end > start:
            turn = (start, end, _confidence(segment.confidence))
            by_speaker.setdefault(segment.speaker, []).append(turn)
    found = [(_disjoint(turns, bridge_seconds), name) for name, turns in by_speaker.items()]
    return [
        SpeakerTrack(name, *(np.array(column) for column in zip(*turns, strict=True)))
        for turns, name in sorted(found)
    ]


def _disjoint(
    turns: list[tuple[float, float, float]], bridge_seconds: float
) -> list[tuple[float, float, float]]:
    """Cut turns at each other's edges; where they overlap, the least confident one counts."""
    pieces: list[tuple[float, float, float]] = []
    active: list[tuple[float, float]] = []
    waiting = sorted(turns, reverse=True)
    now = 0.0
    while waiting or active:
        if not active:
            now = waiting[-1][0]
        while waiting and waiting[-1][0] <= now:
            _, end, confidence = waiting.pop()
            heappush(active, (confidence, end))
        until = active[0][1]
        if waiting:
            until = min(until, waiting[-1][0])
        if until > now:
            pieces.append((now, until, active[0][0]))
            now = until
        while active and active[0][1] <= now:
            heappop(active)
    for index in range(len(pieces) - 1):
        start, end, confidence = pieces[index]
        if pieces[index + 1][0] - end <= bridge_seconds:
            pieces[index] = (start, pieces[index + 1][0], confidence)
    return pieces


def _confidence(value: float | None) -> float:
    return min(max(value, 0.0), 1.0) if value is not None and isfinite(value) else 1.0
