"""Speakers while a recording still goes on: each chunk is compared with what was heard so far."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from spark_audio_proxy.speakers.assignment import best_pairs
from spark_audio_proxy.speakers.clustering import Clustered, ClusterRules, cluster_speakers
from spark_audio_proxy.speakers.voices import Vector, VoiceChunk, cosine, direction, same_size

Labels = Mapping[str, str | None]


@dataclass(slots=True)
class _Known:
    total: Vector
    """Sum of the directions heard, each by its seconds."""


def labelled_online(
    chunks: Sequence[VoiceChunk], rules: ClusterRules | None = None
) -> dict[str, Labels]:
    """Return who is who in each chunk, in order of arrival, by the chunks before it alone.

    Labels given once never change by what comes later; ``revised`` looks at everything. A chunk
    that comes again is the chunk it was.
    """
    rules = rules or ClusterRules()
    known: list[_Known] = []
    labels: dict[str, Labels] = {}
    same_size(
        found
        for chunk in chunks
        for print_ in chunk.fingerprints.values()
        if (found := direction(print_)) is not None
    )
    for chunk in chunks:
        if chunk.id not in labels:
            labels[chunk.id] = _label(chunk, known, rules)
    return labels


def _label(chunk: VoiceChunk, known: list[_Known], rules: ClusterRules) -> Labels:
    heard = {label: direction(chunk.fingerprints.get(label, ())) for label in chunk.labels}
    order = list(heard)
    worth = [
        [_closeness(heard[label], person, rules.threshold) for person in known] for label in order
    ]
    pairs = {order[row]: column for row, column in best_pairs(worth)}
    named: dict[str, str | None] = {}
    for label in order:
        own, seconds = heard[label], chunk.seconds(label)
        weight = 1.0 if seconds is None else max(seconds, 1e-3)
        if own is None:
            named[label] = None
            continue
        place = pairs.get(label)
        if place is not None:
            known[place].total = known[place].total + own * weight
        elif seconds is None or seconds >= rules.founding_s:
            place = len(known)
            known.append(_Known(own * weight))
        named[label] = f"S{place + 1}" if place is not None else None
    return named


def _closeness(own: Vector | None, person: _Known, threshold: float) -> float:
    centre = direction(person.total)
    if own is None or centre is None:
        return 0.0
    distance = 1.0 - cosine(own, centre)
    # Worth something at the very threshold, and more the closer.
    return 2.0 + 1e-9 - distance if distance <= threshold else 0.0


def revised(
    chunks: Sequence[VoiceChunk], online: Mapping[str, Labels], rules: ClusterRules | None = None
) -> Clustered:
    """Cluster everything that was heard, and keep the names given online where they still fit."""
    first = {chunk.id: chunk for chunk in reversed(chunks)}
    clustered = cluster_speakers(list(first.values()), rules)
    names = _kept_names(first, clustered, online)
    return Clustered(
        mapping={
            chunk: {label: names[speaker] if speaker else None for label, speaker in row.items()}
            for chunk, row in clustered.mapping.items()
        },
        speakers=tuple(speaker.renamed(names[speaker.id]) for speaker in clustered.speakers),
    )


def _kept_names(
    chunks: Mapping[str, VoiceChunk], clustered: Clustered, online: Mapping[str, Labels]
) -> dict[str, str]:
    """Give each speaker the online name under which most of it was heard, one to one."""
    shared: dict[tuple[str, str], float] = {}
    for chunk_id, row in clustered.mapping.items():
        for label, speaker in row.items():
            before = online.get(chunk_id, {}).get(label)
            if speaker is not None and before is not None:
                seconds = chunks[chunk_id].seconds(label)
                pair = (speaker, before)
                shared[pair] = shared.get(pair, 0.0) + (1.0 if seconds is None else seconds + 1e-3)
    speakers = [speaker.id for speaker in clustered.speakers]
    before_names = sorted({name for _, name in shared}, key=_number)
    worth = [[shared.get((speaker, name), 0.0) for name in before_names] for speaker in speakers]
    names = {speakers[row]: before_names[column] for row, column in best_pairs(worth)}
    given = {name for row in online.values() for name in row.values() if name is not None}
    fresh = max((_number(name) for name in given), default=0)
    for speaker in speakers:
        if speaker not in names:
            fresh += 1
            names[speaker] = f"S{fresh}"
    return names


def _number(name: str) -> int:
    return int(name[1:])
