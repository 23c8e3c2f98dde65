"""How much of each word each speaker speaks, looked up only near where the speaker is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spark_audio_proxy.merging.probabilities import FrameEvidence
from spark_audio_proxy.merging.tracks import Floats, SpeakerTrack


@dataclass(frozen=True, slots=True, eq=False)
class Share:
    """One speaker's part in the words of ``span``; with all other words there is none."""

    index: int
    track: SpeakerTrack
    span: slice
    seconds: Floats
    """One value per word of the span."""


def shares_of(
    tracks: Sequence[SpeakerTrack],
    frames: FrameEvidence | None,
    starts: Floats,
    ends: Floats,
    reach: float,
) -> list[Share]:
    """Return the share of each track in words sorted by start, up to ``reach`` seconds around it.

    A recording may have many speakers who are there for a moment only.
    """
    reached = np.maximum.accumulate(ends) if ends.size else ends
    found: list[Share] = []
    for index, track in enumerate(tracks):
        if frames is not None and frames.knows(track.speaker):
            span = slice(0, len(starts))
        elif track.starts.size:
            first = int(np.searchsorted(reached, track.starts[0] - reach, side="left"))
            past = int(np.searchsorted(starts, track.ends[-1] + reach, side="right"))
            span = slice(first, max(past, first))
        else:
            span = slice(0, 0)
        seconds = track.overlap(starts[span], ends[span])
        if frames is not None:
            likely = frames.seconds(track.speaker)[span]
            seconds = np.where(frames.usable[span], likely, seconds)
        found.append(Share(index, track, span, seconds))
    return found
