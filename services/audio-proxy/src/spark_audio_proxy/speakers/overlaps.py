"""Neighbouring chunks hear some seconds twice: who speaks at the same moments is one person."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from spark_audio_proxy.speakers.assignment import best_pairs
from spark_audio_proxy.speakers.voices import VoiceChunk
from spark_audio_proxy.speech import SpeakerSegment

_LEAST_SECONDS = 1.0
"""So much must be heard on both sides before it says anything."""
_LEAST_SHARE = 0.5
"""And so much of what either side heard of the speaker."""

Voice = tuple[int, str]
"""The place of a chunk in the sequence, and a label in it."""


def shared_voices(chunks: Sequence[VoiceChunk], overlap_s: float) -> list[tuple[Voice, Voice]]:
    """Return pairs of voices of neighbours that are one person; chunks sorted by offset.

    Each voice has at most one partner on either side.
    """
    found: list[tuple[Voice, Voice]] = []
    for place, (before, after) in enumerate(pairwise(chunks)):
        window = (after.offset_s, after.offset_s + overlap_s)
        old, new = _turns(before, window), _turns(after, window)
        worth = [[_agreement(mine, theirs) for theirs in new.values()] for mine in old.values()]
        for row, column in best_pairs(worth):
            found.append(((place, list(old)[row]), (place + 1, list(new)[column])))
    return found


Spans = list[tuple[float, float]]


def _turns(chunk: VoiceChunk, window: tuple[float, float]) -> dict[str, Spans]:
    """Return what each label says within the window, on the recording's clock."""
    found: dict[str, Spans] = {}
    for turn in sorted(chunk.segments, key=lambda turn: (turn.speaker, turn.start, turn.end)):
        start, end = _within(turn, chunk.offset_s, window)
        spans = found.setdefault(turn.speaker, [])
        if end <= start:
            continue
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    return found


def _within(
    turn: SpeakerSegment, offset: float, window: tuple[float, float]
) -> tuple[float, float]:
    return max(turn.start + offset, window[0]), min(turn.end + offset, window[1])


def _agreement(mine: Spans, theirs: Spans) -> float:
    """Return the seconds that both speak, or 0 when that is too little to mean anything."""
    together = sum(_shared(mine, theirs))
    least = max(_LEAST_SECONDS, _LEAST_SHARE * max(_length(mine), _length(theirs)))
    return together if together >= least else 0.0


def _shared(mine: Spans, theirs: Spans) -> Iterator[float]:
    for start, end in mine:
        for other_start, other_end in theirs:
            yield max(min(end, other_end) - max(start, other_start), 0.0)


def _length(spans: Spans) -> float:
    return sum(end - start for start, end in spans)
