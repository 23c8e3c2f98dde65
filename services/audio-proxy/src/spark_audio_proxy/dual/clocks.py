"""The remote side on the microphone's clock, where the two do not run alike. Pure.

``pace``: seconds of the microphone's clock in one of the remote side's.
"""

from collections.abc import Iterable
from dataclasses import replace

from spark_audio_proxy.loudness import Loudness
from spark_audio_proxy.speech import Diarization, Word


def words_at_pace(words: Iterable[Word], pace: float) -> tuple[Word, ...]:
    """Return the words at the times at which the microphone's clock has them."""
    return tuple(replace(word, start=word.start * pace, end=word.end * pace) for word in words)


def turns_at_pace(diarization: Diarization, pace: float) -> Diarization:
    """Return the turns, and the frames beside them, at those times."""
    frames = diarization.frames
    return replace(
        diarization,
        segments=tuple(
            replace(turn, start=turn.start * pace, end=turn.end * pace)
            for turn in diarization.segments
        ),
        duration=diarization.duration * pace,
        frames=None
        if frames is None
        else replace(frames, frame_seconds=frames.frame_seconds * pace, start=frames.start * pace),
    )


def loudness_at_pace(loudness: Loudness, pace: float) -> Loudness:
    """Return the loudness at those times."""
    return replace(loudness, frame_seconds=loudness.frame_seconds * pace)
