"""The merge: every word gets at most one speaker, and the words become blocks."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from spark_audio_proxy.merging.blocks import blocks_of
from spark_audio_proxy.merging.evidence import NOBODY, Evidence, Indices
from spark_audio_proxy.merging.probabilities import FrameEvidence
from spark_audio_proxy.merging.rules import MergeRules
from spark_audio_proxy.merging.sentences import absorbed, sentences, voted
from spark_audio_proxy.merging.tidying import tidy_words
from spark_audio_proxy.merging.tracks import SpeakerTrack, speaker_tracks
from spark_audio_proxy.speech import Block, Diarization, FrameProbabilities, Word

NO_SPEAKERS = "no_speakers_found"


@dataclass(frozen=True, slots=True)
class Attributed:
    """Words with speakers, and what was done to get there."""

    words: tuple[Word, ...]
    blocks: tuple[Block, ...]
    labels: Mapping[str, str | None]
    """What each of the diarizer's speakers is called here, also those who say nothing."""
    flips: int = 0
    """Words that their sentence gave to another speaker."""
    warnings: tuple[str, ...] = ()

    @property
    def unattributed(self) -> int:
        """Words that nobody was found for."""
        return sum(word.speaker is None for word in self.words)


def attribute(
    words: Iterable[Word],
    diarization: Diarization,
    rules: MergeRules | None = None,
    names: Mapping[str, str | None] | None = None,
    reserved: Collection[str] = (),
    prefix: str = "Speaker",
) -> Attributed:
    """Merge words with speaker turns; a pure function of its arguments, whatever their order.

    Speakers become ``Speaker_0``, ``Speaker_1``, ... by their first word; ``names`` keeps a name
    of its own for some of the diarizer's speakers, such as an enrolled person, and None for
    somebody of whom too little was heard to tell who it is; ``reserved`` names are given to nobody;
    ``prefix`` is what they are called instead of ``Speaker``.
    No word is lost, doubled or moved; empty words are dropped.
    """
    rules = rules or MergeRules()
    spoken = tidy_words(words)
    frames = _frames(diarization)
    tracks = _tracks(diarization, frames, rules)
    warnings = () if tracks or not spoken else (NO_SPEAKERS,)
    if not spoken or not tracks:
        heard = tuple(replace(word, speaker=None, confidence=None) for word in spoken)
        labels = _labels(tracks, [], names or {}, reserved, prefix)
        return Attributed(heard, blocks_of(heard, rules), labels, warnings=warnings)
    starts = np.array([word.start for word in spoken])
    ends = np.array([word.end for word in spoken])
    likely = FrameEvidence(frames, starts, ends) if frames is not None else None
    evidence = Evidence(tracks, likely, starts, ends, rules)
    winners = evidence.winners()
    voters = voted(
        sentences(spoken, rules), winners.tolist(), evidence.strength(winners).tolist(), rules
    )
    flips = int(np.count_nonzero(np.array(voters) != winners))
    settled = np.array(
        absorbed(spoken, voters, (evidence.seconds() > 0).tolist(), rules), dtype=np.int64
    )
    labels = _labels(tracks, settled.tolist(), names or {}, reserved, prefix)
    said = _said(spoken, evidence, settled, [labels[track.speaker] for track in tracks], rules)
    return Attributed(said, blocks_of(said, rules), labels, flips)


def _frames(diarization: Diarization) -> FrameProbabilities | None:
    frames = diarization.frames
    if frames is None or frames.values.ndim != 2 or not frames.values.size:
        return None
    return frames


def _tracks(
    diarization: Diarization, frames: FrameProbabilities | None, rules: MergeRules
) -> list[SpeakerTrack]:
    tracks = speaker_tracks(diarization.segments, diarization.duration, rules.bridge_seconds)
    nothing = np.empty(0)
    known = {track.speaker for track in tracks}
    silent = [name for name in (frames.speakers if frames else ()) if name not in known]
    return tracks + [SpeakerTrack(name, nothing, nothing, nothing) for name in silent]


def _said(
    words: Sequence[Word],
    evidence: Evidence,
    speakers: Indices,
    names: Sequence[str | None],
    rules: MergeRules,
) -> tuple[Word, ...]:
    others, seconds = evidence.seconds_beside(speakers)
    lengths = np.array([word.end - word.start for word in words])
    shared = (evidence.seconds_of(speakers) > 0) & (seconds >= rules.overlap_share * lengths)
    facts = zip(
        words,
        speakers.tolist(),
        evidence.strength(speakers).round(4).tolist(),
        shared.tolist(),
        others.tolist(),
        strict=True,
    )
    return tuple(
        _word(
            word,
            names[speaker] if speaker != NOBODY else None,
            strength,
            names[other] if beside else None,
            beside,
        )
        for word, speaker, strength, beside, other in facts
    )


def _word(
    word: Word, speaker: str | None, strength: float, alt_speaker: str | None, overlap: bool
) -> Word:
    # Not `replace`, which takes most of the time of a merge.
    return Word(
        text=word.text,
        start=word.start,
        end=word.end,
        speaker=speaker,
        confidence=strength if speaker is not None else None,
        overlap=overlap,
        alt_speaker=alt_speaker,
        estimated=word.estimated,
    )


def _labels(
    tracks: Sequence[SpeakerTrack],
    order: Sequence[int],
    names: Mapping[str, str | None],
    reserved: Collection[str],
    prefix: str,
) -> dict[str, str | None]:
    """Number the speakers by their first word, then those who say none by their first turn."""
    heard = [index for index in dict.fromkeys(order) if index != NOBODY]
    rest = [index for index in range(len(tracks)) if index not in set(heard)]
    labels: dict[str, str | None] = {}
    taken = {*names.values(), *reserved}
    number = 0
    for index in [*heard, *rest]:
        speaker = tracks[index].speaker
        if speaker in names:
            labels[speaker] = names[speaker]
            continue
        while f"{prefix}_{number}" in taken:
            number += 1
        labels[speaker] = f"{prefix}_{number}"
        number += 1
    return labels
