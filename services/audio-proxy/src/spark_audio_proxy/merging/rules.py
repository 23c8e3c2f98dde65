"""The numbers of the merge: measured on recordings with known speakers, one object to pass."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MergeRules:
    """Seconds, words and shares; the defaults are those that were measured."""

    gap_seconds: float = 1.5
    """A longer silence ends a block and a sentence."""
    flip_below: float = 0.72
    """A word whose own evidence reaches this keeps its speaker against its sentence."""
    majority: float = 0.6
    """A sentence outvotes its words only when one speaker holds more than this share."""
    sentence_words: int = 50
    nearest_seconds: float = 1.0
    """A word that no turn covers belongs to the nearest turn within this distance, else nobody."""
    bridge_seconds: float = 0.25
    """Turns of one speaker that lie closer than this are one turn."""
    long_block_seconds: float = 30.0
    long_block_words: int = 80
    """A block longer than either ends with its next sentence."""
    overlap_share: float = 0.5
    """A second speaker during this share of a word makes it overlapped."""
