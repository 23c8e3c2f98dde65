"""Local speakers of many chunks become the speakers of the whole recording."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from spark_audio_proxy.speakers.linkage import linked
from spark_audio_proxy.speakers.overlaps import Voice
from spark_audio_proxy.speakers.people import Person, centre_of, kept_apart, people_of
from spark_audio_proxy.speakers.voices import VoiceChunk, cosine
from spark_common.errors import InvalidRequestError

MOST_VOICES = 1000
"""Local speakers in one clustering: its time grows with the cube."""


@dataclass(frozen=True, slots=True)
class ClusterRules:
    """Distances are cosine distances: 1 minus the raw cosine, 0 to 2."""

    threshold: float = 0.7
    max_speakers: int | None = None
    overlap_s: float = 0.0
    """Seconds that neighbouring chunks have in common; 0 when they have none."""
    founding_s: float = 3.0
    """A print of less speech never makes a speaker; it only joins one."""


@dataclass(frozen=True, slots=True)
class GlobalSpeaker:
    """One person of the recording."""

    id: str
    """``S1``, ``S2``, ... in order of appearance."""
    centroid: tuple[float, ...] | None
    """Mean direction of the prints, weighted by speech; None when there is no print."""
    speech_s: float
    chunks: tuple[str, ...]

    def renamed(self, name: str) -> "GlobalSpeaker":
        """Return the same person by another id."""
        return replace(self, id=name)


@dataclass(frozen=True, slots=True)
class Clustered:
    """Who is who: by chunk and local label, None where it cannot be told."""

    mapping: Mapping[str, Mapping[str, str | None]]
    speakers: tuple[GlobalSpeaker, ...]


def cluster_speakers(chunks: Sequence[VoiceChunk], rules: ClusterRules | None = None) -> Clustered:
    """Cluster by voice print and by what overlapping chunks both heard; order means nothing.

    Two speakers of one chunk are never one. Raises InvalidRequestError for chunks with the same
    id, prints of different lengths, and more than ``MOST_VOICES`` voices.
    """
    rules = rules or ClusterRules()
    ordered = sorted(chunks, key=lambda chunk: (chunk.offset_s, chunk.id))
    _check(ordered)
    people = people_of(ordered, rules.overlap_s)
    named = sorted(
        ([people[index] for index in group] for group in _grouped(people, rules)),
        key=lambda group: _appearance(ordered, group),
    )
    ids = {
        voice: f"S{number}"
        for number, group in enumerate(named, start=1)
        for person in group
        for voice in person.voices
    }
    return Clustered(
        mapping={
            chunk.id: {label: ids.get((place, label)) for label in chunk.labels}
            for place, chunk in enumerate(ordered)
        },
        speakers=tuple(
            _speaker(f"S{number}", ordered, group) for number, group in enumerate(named, start=1)
        ),
    )


def _check(chunks: Sequence[VoiceChunk]) -> None:
    if len({chunk.id for chunk in chunks}) < len(chunks):
        raise InvalidRequestError("two chunks have the same id")
    voices = sum(len(chunk.labels) for chunk in chunks)
    if voices > MOST_VOICES:
        raise InvalidRequestError(
            f"at most {MOST_VOICES} voices can be clustered at once: send fewer chunks",
            voices=voices,
        )


def _grouped(people: Sequence[Person], rules: ClusterRules) -> list[list[int]]:
    """Return groups of people by place; those that belong to nobody are in none."""
    apart = kept_apart(people)
    founders, short, silent = [], [], []
    for index, person in enumerate(people):
        if person.centre is None:
            silent.append(index)
        elif person.seconds is None or person.seconds >= rules.founding_s:
            founders.append(index)
        else:
            short.append(index)
    centres = [people[index].centre for index in founders]
    groups = linked(
        [centre for centre in centres if centre is not None],
        [people[index].weight for index in founders],
        apart[np.ix_(founders, founders)],
        rules.threshold,
        rules.max_speakers,
    )
    clusters = [[founders[index] for index in group] for group in groups]
    _join_short(people, clusters, short, apart, rules)
    # Without a print there is nothing to compare: whoever is not linked by overlap stands alone.
    return [*clusters, *([index] for index in silent)]


def _join_short(
    people: Sequence[Person],
    clusters: list[list[int]],
    short: Sequence[int],
    apart: NDArray[np.bool_],
    rules: ClusterRules,
) -> None:
    """Give each short print to the nearest speaker that is near enough, the nearest first."""
    centres = [centre_of([people[index] for index in group]) for group in clusters]
    offers = []
    for index in short:
        own = people[index].centre
        for number, centre in enumerate(centres):
            if own is not None and centre is not None:
                offers.append((round(1.0 - cosine(own, centre), 12), index, number))
    homeless = set(short)
    for distance, index, number in sorted(offers):
        barred = any(apart[index, other] for other in clusters[number])
        if index in homeless and distance <= rules.threshold and not barred:
            clusters[number].append(index)
            homeless.discard(index)


def _appearance(chunks: Sequence[VoiceChunk], group: Sequence[Person]) -> tuple[float, int, str]:
    def first(voice: Voice) -> tuple[float, int, str]:
        place, label = voice
        starts = [turn.start for turn in chunks[place].segments if turn.speaker == label]
        return chunks[place].offset_s + min(starts, default=0.0), place, label

    return min(first(voice) for person in group for voice in person.voices)


def _speaker(name: str, chunks: Sequence[VoiceChunk], group: Sequence[Person]) -> GlobalSpeaker:
    centre = centre_of(group)
    places = sorted({place for person in group for place, _ in person.voices})
    return GlobalSpeaker(
        id=name,
        centroid=tuple(centre.tolist()) if centre is not None else None,
        speech_s=round(sum(person.seconds or 0.0 for person in group), 3),
        chunks=tuple(chunks[place].id for place in places),
    )
