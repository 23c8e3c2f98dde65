"""Two transcripts of one talk become one, in which every block says which side it comes from."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

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


@dataclass(frozen=True, slots=True, eq=False)
class SideTurns:
    """Who speaks when on one side, and how some of them are called."""

    diarization: Diarization
    names: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DualAttributed:
    """Both sides with their speakers, and what was left out as bleed."""

    blocks: tuple[Block, ...]
    suppressed: tuple[Suppressed, ...]
    lag: float | None
    labels: Mapping[str, str | None]
    """What each speaker of the diarizations is called."""
    flips: int
    warnings: tuple[str, ...]

    @property
    def words(self) -> tuple[Word, ...]:
        """All words in the order of their blocks."""
        return tuple(word for block in self.blocks for word in block.words)


def merge_sides(
    sides: Sides,
    channels: Channels | None = None,
    remote_turns: SideTurns | None = None,
    local_turns: SideTurns | None = None,
    dual_rules: DualRules | None = None,
    known_lag: float | None = None,
) -> DualAttributed:
    """Merge both sides; a pure function that takes no word from the remote side.

    Without turns a side is one person. Labels of both diarizations must differ.

    Blocks are made for each side alone, so that talking at once tears nobody's sentence apart,
    and sorted by their start.
    """
    rules = MergeRules()
    remote = _remote(sides, remote_turns)
    local = tidy_words(sides.local)
    cleaned = without_bleed(local, remote.words, channels, dual_rules, known_lag)
    taken = [label for label in remote.labels.values() if label is not None]
    own = _local(sides, cleaned.words, local_turns, taken)
    blocks = [
        *blocks_of(_beside(own.words, remote.words), rules, LOCAL),
        *blocks_of(_beside(remote.words, own.words), rules, REMOTE),
    ]
    return DualAttributed(
        blocks=tuple(sorted(blocks, key=lambda block: (block.start, block.end))),
        suppressed=cleaned.suppressed,
        lag=cleaned.lag,
        labels={**remote.labels, **own.labels},
        flips=remote.flips + own.flips,
        warnings=remote.warnings,
    )


def _remote(sides: Sides, turns: SideTurns | None) -> Attributed:
    if turns is not None:
        reserved = (sides.local_speaker,)
        return attribute(sides.remote, turns.diarization, names=turns.names, reserved=reserved)
    words = tuple(
        replace(word, speaker=sides.remote_speaker, confidence=1.0)
        for word in tidy_words(sides.remote)
    )
    return Attributed(words, (), {})


def _local(
    sides: Sides, words: Sequence[Word], turns: SideTurns | None, taken: Collection[str]
) -> Attributed:
    """Tell the people at the microphone apart; one alone has the name of the side."""
    alone = tuple(replace(word, speaker=sides.local_speaker) for word in words)
    if turns is None:
        return Attributed(alone, (), {})
    found = attribute(
        words, turns.diarization, names=turns.names, reserved=taken, prefix=sides.local_speaker
    )
    people = {word.speaker for word in found.words} - {None}
    if len(people) > 1 or people & set(turns.names.values()):
        return found
    labels = {
        label: sides.local_speaker if name in people else name
        for label, name in found.labels.items()
    }
    return replace(found, words=alone, labels=labels)


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
