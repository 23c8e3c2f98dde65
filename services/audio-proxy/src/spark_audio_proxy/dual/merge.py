"""Two transcripts of one talk become one, in which every block says which side it comes from."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from spark_audio_proxy.dual.bleed import Suppressed, without_bleed
from spark_audio_proxy.dual.levels import Channels
from spark_audio_proxy.dual.rules import DualRules
from spark_audio_proxy.merging.attribution import Attributed, attribute
from spark_audio_proxy.merging.blocks import blocks_of
from spark_audio_proxy.merging.rules import MergeRules
from spark_audio_proxy.merging.tidying import tidy_words
from spark_audio_proxy.merging.tracks import speaker_tracks
from spark_audio_proxy.speech import Block, Diarization, SpeakerSegment, Word

LOCAL, REMOTE = "local", "remote"


@dataclass(frozen=True, slots=True)
class Sides:
    """What each channel was heard to say."""

    local: Sequence[Word]
    remote: Sequence[Word]
    local_speaker: str = "Local"
    remote_speaker: str = "Remote"
    """Who the remote side is without a diarization of it."""


@dataclass(frozen=True, slots=True)
class DualAttributed:
    """Both sides with their speakers, and what was left out as bleed."""

    blocks: tuple[Block, ...]
    suppressed: tuple[Suppressed, ...]
    lag: float | None
    labels: Mapping[str, str | None]
    """What each speaker of the remote diarization is called."""
    flips: int
    warnings: tuple[str, ...]

    @property
    def words(self) -> tuple[Word, ...]:
        """All words in the order of their blocks."""
        return tuple(word for block in self.blocks for word in block.words)


def merge_sides(
    sides: Sides,
    channels: Channels | None = None,
    remote_diarization: Diarization | None = None,
    names: Mapping[str, str | None] | None = None,
    dual_rules: DualRules | None = None,
) -> DualAttributed:
    """Merge both sides; a pure function that takes no word from the remote side.

    Blocks are made for each side alone, so that talking at once tears nobody's sentence apart,
    and sorted by their start.
    """
    rules = MergeRules()
    remote = _remote(sides, remote_diarization, names)
    cleaned = without_bleed(tidy_words(sides.local), remote.words, channels, dual_rules)
    own = [replace(word, speaker=sides.local_speaker) for word in cleaned.words]
    blocks = [
        *blocks_of(_beside(own, remote.words), rules, LOCAL),
        *blocks_of(_beside(remote.words, own), rules, REMOTE),
    ]
    return DualAttributed(
        blocks=tuple(sorted(blocks, key=lambda block: (block.start, block.end))),
        suppressed=cleaned.suppressed,
        lag=cleaned.lag,
        labels=remote.labels,
        flips=remote.flips,
        warnings=remote.warnings,
    )


def _remote(
    sides: Sides, diarization: Diarization | None, names: Mapping[str, str | None] | None
) -> Attributed:
    if diarization is not None:
        return attribute(sides.remote, diarization, names=names, reserved=(sides.local_speaker,))
    words = tuple(
        replace(word, speaker=sides.remote_speaker, confidence=1.0)
        for word in tidy_words(sides.remote)
    )
    return Attributed(words, (), {})


def _beside(words: Sequence[Word], others: Iterable[Word]) -> list[Word]:
    """Return the words with those marked during which the other side speaks."""
    turns = [
        SpeakerSegment(word.start, word.end, word.speaker)
        for word in others
        if word.speaker is not None
    ]
    starts = np.array([word.start for word in words])
    ends = np.array([word.end for word in words])
    marked = list(words)
    for track in speaker_tracks(turns, 0.0, 0.0):
        shared = track.overlap(starts, ends)
        much = shared >= MergeRules().overlap_share * (ends - starts)
        for index in np.flatnonzero(much).tolist():
            marked[index] = replace(words[index], overlap=True, alt_speaker=track.speaker)
    return marked
