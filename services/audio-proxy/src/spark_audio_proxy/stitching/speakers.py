"""The diarizations of chunks become one: the same person has the same label everywhere."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from spark_audio_proxy.speakers.clustering import Clustered, ClusterRules, cluster_speakers
from spark_audio_proxy.speakers.voices import VoiceChunk
from spark_audio_proxy.speech import Diarization, FrameProbabilities, SpeakerSegment
from spark_audio_proxy.stitching.planning import Chunk


@dataclass(frozen=True, slots=True, eq=False)
class DiarizedChunk:
    """What the diarizer found from ``chunk.speakers_start`` on; its times count from there."""

    chunk: Chunk
    diarization: Diarization


@dataclass(frozen=True, slots=True, eq=False)
class StitchedSpeakers:
    """A diarization of the whole, and the labels in it that are nobody's."""

    diarization: Diarization
    names: Mapping[str, str | None]
    """None for each voice of which too little was heard; as the merge takes it."""


def stitch_speakers(
    chunks: Sequence[DiarizedChunk], rules: ClusterRules | None = None
) -> StitchedSpeakers:
    """Align speakers by what overlapping chunks both heard, then by voice print.

    Each chunk answers only for its own part, so nothing is counted twice; a missing chunk leaves
    a gap. Labels are ``S1``, ``S2``, ... in order of appearance; a single chunk stays as it is.
    """
    if len(chunks) == 1 and chunks[0].chunk.speakers_start == 0:
        return StitchedSpeakers(chunks[0].diarization, {})
    ordered = sorted(chunks, key=lambda each: each.chunk.start)
    shared = [
        before.chunk.speakers_end - after.chunk.speakers_start
        for before, after in pairwise(ordered)
    ]
    rules = replace(rules or ClusterRules(), overlap_s=max([0.0, *shared]))
    clustered = cluster_speakers([_voices(each) for each in ordered], rules)
    labels = [_labels(each, clustered) for each in ordered]
    segments = [
        turn
        for each, named in zip(ordered, labels, strict=True)
        for turn in _own_turns(each, named)
    ]
    diarization = Diarization(
        segments=tuple(sorted(segments, key=lambda turn: (turn.start, turn.end, turn.speaker))),
        duration=max((each.chunk.end for each in ordered), default=0.0),
        frames=_frames(ordered, labels),
        fingerprints={
            person.id: person.centroid
            for person in clustered.speakers
            if person.centroid is not None
        },
        models=ordered[0].diarization.models if ordered else {},
    )
    known = {person.id for person in clustered.speakers}
    strangers = {label for named in labels for label in named.values()} - known
    return StitchedSpeakers(diarization, dict.fromkeys(sorted(strangers)))


def _voices(each: DiarizedChunk) -> VoiceChunk:
    return VoiceChunk(
        id=str(each.chunk.index),
        offset_s=each.chunk.speakers_start,
        fingerprints=each.diarization.fingerprints,
        segments=each.diarization.segments,
    )


def _labels(each: DiarizedChunk, clustered: Clustered) -> dict[str, str]:
    """Return the label in the whole for each in the chunk; who is nobody keeps one of its own."""
    chunk = str(each.chunk.index)
    return {
        label: found if found is not None else f"unknown in {chunk}: {label}"
        for label, found in clustered.mapping[chunk].items()
    }


def _own_turns(each: DiarizedChunk, labels: Mapping[str, str]) -> Iterator[SpeakerSegment]:
    offset = each.chunk.speakers_start
    for turn in each.diarization.segments:
        start = max(turn.start + offset, each.chunk.start)
        end = min(turn.end + offset, each.chunk.end)
        if end > start:
            yield SpeakerSegment(start, end, labels[turn.speaker], turn.confidence)


def _frames(
    chunks: Sequence[DiarizedChunk], labels: Sequence[Mapping[str, str]]
) -> FrameProbabilities | None:
    """Return the frames of all chunks on one grid; None unless some of one width were given."""
    framed = [
        (each.chunk, frames, named)
        for each, named in zip(chunks, labels, strict=True)
        if (frames := each.diarization.frames) is not None
    ]
    widths = {frames.frame_seconds for _, frames, _ in framed}
    if len(widths) != 1:
        return None
    width = widths.pop()
    names = sorted({label for _, _, named in framed for label in named.values()})
    last = max(chunk.end for chunk, _, _ in framed)
    values = np.zeros((int(np.ceil(last / width)), len(names)), dtype=np.float32)
    for chunk, frames, named in framed:
        first = round((chunk.speakers_start + frames.start) / width)
        begin = max(round(chunk.start / width), first, 0)
        end = min(round(chunk.end / width), first + len(frames.values), len(values))
        for column, speaker in enumerate(frames.speakers):
            if speaker in named and end > begin:
                own = frames.values[begin - first : end - first, column]
                values[begin:end, names.index(named[speaker])] = own
    return FrameProbabilities(tuple(names), values, width)
