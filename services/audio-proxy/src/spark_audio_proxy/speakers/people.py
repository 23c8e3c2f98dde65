"""Local voices that are known to be one person before any print is compared."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spark_audio_proxy.speakers.overlaps import Voice, shared_voices
from spark_audio_proxy.speakers.voices import Vector, VoiceChunk, direction, same_size

_MOMENT = 1e-3
"""Seconds that any voice weighs at least."""


@dataclass(slots=True)
class Person:
    """Local voices that are known to be one: by the overlap of chunks, or a single one."""

    voices: list[Voice]
    seconds: float | None
    centre: Vector | None

    @property
    def weight(self) -> float:
        """Return what the voice counts: its seconds, 1 where nobody said."""
        return 1.0 if self.seconds is None else max(self.seconds, _MOMENT)


def people_of(chunks: Sequence[VoiceChunk], overlap_s: float) -> list[Person]:
    """Return everybody, with voices joined that overlapping chunks show to be one."""
    follows = dict(shared_voices(chunks, overlap_s)) if overlap_s > 0 else {}
    followers = set(follows.values())
    prints = {
        (place, label): direction(chunk.fingerprints[label])
        for place, chunk in enumerate(chunks)
        for label in chunk.labels
        if label in chunk.fingerprints
    }
    same_size(each for each in prints.values() if each is not None)
    people: list[Person] = []
    for place, chunk in enumerate(chunks):
        for label in chunk.labels:
            voice: Voice | None = (place, label)
            if voice in followers:
                continue
            chain: list[Voice] = []
            while voice is not None:
                chain.append(voice)
                voice = follows.get(voice)
            people.append(_person(chunks, chain, prints))
    return people


def _person(
    chunks: Sequence[VoiceChunk], chain: list[Voice], prints: Mapping[Voice, Vector | None]
) -> Person:
    known = [chunks[place].seconds(label) for place, label in chain]
    given = [seconds for seconds in known if seconds is not None]
    total: Vector | None = None
    for voice, seconds in zip(chain, known, strict=True):
        found = prints.get(voice)
        if found is not None:
            weighed = found * max(1.0 if seconds is None else seconds, _MOMENT)
            total = weighed if total is None else total + weighed
    centre = direction(total) if total is not None else None
    return Person(chain, sum(given) if given else None, centre)


def kept_apart(people: Sequence[Person]) -> NDArray[np.bool_]:
    """Return who speaks in the same chunk as whom, and so is somebody else."""
    members: defaultdict[int, list[int]] = defaultdict(list)
    for index, person in enumerate(people):
        for place, _ in person.voices:
            members[place].append(index)
    apart = np.zeros((len(people), len(people)), dtype=np.bool_)
    for together in members.values():
        apart[np.ix_(together, together)] = True
    return apart


def centre_of(group: Sequence[Person]) -> Vector | None:
    """Return the mean direction of a group, weighted by speech; None without any print."""
    total: Vector | None = None
    for person in group:
        if person.centre is not None:
            weighed = person.centre * person.weight
            total = weighed if total is None else total + weighed
    return direction(total) if total is not None else None
