"""Local speakers of many chunks become global ones, by voice print and by overlap."""

from itertools import permutations
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark_audio_proxy.speakers.assignment import best_pairs
from spark_audio_proxy.speakers.clustering import (
    MOST_VOICES,
    Clustered,
    ClusterRules,
    cluster_speakers,
)
from spark_audio_proxy.speakers.voices import VoiceChunk
from spark_audio_proxy.speech import SpeakerSegment
from spark_common.errors import InvalidRequestError


def print_of(person: int, seconds: float, seed: int, size: int = 192) -> list[float]:
    """A voice as TitaNet sees it: a direction of its own, noisier the less was said."""
    own = np.random.default_rng(person).standard_normal(size)
    noise = np.random.default_rng([person, seed]).standard_normal(size)
    return (own + noise * (1.0 / np.sqrt(seconds))).tolist()


def partition(clustered: Clustered) -> set[frozenset[tuple[str, str]]]:
    groups: dict[str, set[tuple[str, str]]] = {}
    for chunk, labels in clustered.mapping.items():
        for label, speaker in labels.items():
            groups.setdefault(speaker or f"nobody {chunk} {label}", set()).add((chunk, label))
    return {frozenset(group) for group in groups.values()}


def meeting(
    people: int, chunks: int, seed: int, seconds: tuple[float, float] = (8.0, 90.0)
) -> tuple[list[VoiceChunk], dict[tuple[str, str], int]]:
    """Chunks of up to four of the people each, and who is who."""
    random = Random(seed)
    truth: dict[tuple[str, str], int] = {}
    found = []
    for index in range(chunks):
        present = random.sample(range(people), min(people, random.randint(2, 4)))
        spoken = {f"Speaker_{slot}": random.uniform(*seconds) for slot in range(len(present))}
        for slot, person in enumerate(present):
            truth[f"c{index:02}", f"Speaker_{slot}"] = person
        prints = {
            f"Speaker_{slot}": print_of(person, spoken[f"Speaker_{slot}"], index)
            for slot, person in enumerate(present)
        }
        found.append(VoiceChunk(f"c{index:02}", index * 480.0, prints, spoken))
    return found, truth


class TestPrints:
    @pytest.mark.parametrize("seed", range(4))
    def test_six_people_in_chunks_of_four_are_six(self, seed: int) -> None:
        chunks, truth = meeting(6, 12, seed)
        clustered = cluster_speakers(chunks)
        assert len(clustered.speakers) == len(set(truth.values()))
        for group in partition(clustered):
            assert len({truth[voice] for voice in group}) == 1

    def test_two_of_one_chunk_are_never_one_however_alike(self) -> None:
        twin = print_of(1, 60, 0)
        chunk = VoiceChunk("a", 0, {"x": twin, "y": twin}, {"x": 30, "y": 30})
        later = VoiceChunk("b", 480, {"z": twin}, {"z": 30})
        clustered = cluster_speakers([chunk, later])
        assert len(clustered.speakers) == 2
        assert clustered.mapping["a"]["x"] != clustered.mapping["a"]["y"]

    def test_little_speech_joins_a_speaker_and_never_makes_one(self) -> None:
        one = VoiceChunk("a", 0, {"x": print_of(1, 60, 0)}, {"x": 60})
        two = VoiceChunk(
            "b", 480, {"x": print_of(1, 2.9, 1), "y": print_of(2, 2.9, 1)}, {"x": 2.9, "y": 2.9}
        )
        clustered = cluster_speakers([one, two])
        assert clustered.mapping == {"a": {"x": "S1"}, "b": {"x": "S1", "y": None}}
        assert [(s.id, s.speech_s, s.chunks) for s in clustered.speakers] == [
            ("S1", 62.9, ("a", "b"))
        ]

    def test_without_a_length_of_speech_a_print_counts(self) -> None:
        clustered = cluster_speakers([VoiceChunk("a", 0, {"x": print_of(1, 9, 0)})])
        assert clustered.mapping["a"]["x"] == "S1"

    def test_a_centroid_leans_to_whoever_said_more(self) -> None:
        chunks = [
            VoiceChunk("a", 0, {"x": [1.0, 0.2]}, {"x": 90}),
            VoiceChunk("b", 9, {"x": [0.2, 1.0]}, {"x": 10}),
        ]
        [speaker] = cluster_speakers(chunks, ClusterRules(threshold=1.0)).speakers
        assert speaker.centroid is not None
        assert speaker.centroid[0] > 2 * speaker.centroid[1]
        assert np.linalg.norm(speaker.centroid) == pytest.approx(1.0)

    def test_no_more_speakers_than_asked_for(self) -> None:
        chunks = [
            VoiceChunk(f"c{index}", index, {"x": print_of(index, 9, 0)}) for index in range(6)
        ]
        assert len(cluster_speakers(chunks).speakers) == 6
        assert len(cluster_speakers(chunks, ClusterRules(max_speakers=2)).speakers) == 2

    def test_a_very_long_print_is_a_direction_too(self) -> None:
        chunks = [VoiceChunk("a", 0, {"x": [1e308, 1e308]}), VoiceChunk("b", 1, {"x": [1, 1]})]
        assert len(cluster_speakers(chunks).speakers) == 1

    @pytest.mark.parametrize("print_", [[0.0] * 4, [], [float("nan")] * 4, [1.0, float("inf")]])
    def test_a_print_that_points_nowhere_is_none(self, print_: list[float]) -> None:
        clustered = cluster_speakers([VoiceChunk("a", 0, {"x": print_}, {"x": 9})])
        assert clustered.speakers[0].centroid is None

    def test_prints_of_different_models_are_refused(self) -> None:
        with pytest.raises(InvalidRequestError, match="different lengths"):
            cluster_speakers([VoiceChunk("a", 0, {"x": [1.0, 0.0], "y": [1.0]})])

    def test_the_same_chunk_twice_is_refused(self) -> None:
        with pytest.raises(InvalidRequestError, match="same id"):
            cluster_speakers([VoiceChunk("a", 0), VoiceChunk("a", 9)])

    def test_more_than_can_be_compared_is_refused(self) -> None:
        voices = {f"v{index}": [1.0] for index in range(MOST_VOICES + 1)}
        with pytest.raises(InvalidRequestError, match=str(MOST_VOICES)):
            cluster_speakers([VoiceChunk("a", 0, voices)])

    def test_nobody_at_all(self) -> None:
        assert cluster_speakers([]).speakers == ()


class TestOverlap:
    def test_who_speaks_at_the_same_moments_is_one_without_any_print(self) -> None:
        first = VoiceChunk("a", 0, segments=turns(("p", 0, 80), ("q", 80, 110), ("p", 110, 120)))
        second = VoiceChunk("b", 90, segments=turns(("x", 20, 60), ("y", 0, 20), ("z", 70, 90)))
        clustered = cluster_speakers([second, first], ClusterRules(overlap_s=30))
        assert clustered.mapping == {
            "a": {"p": "S1", "q": "S2"},
            "b": {"x": "S1", "y": "S2", "z": "S3"},
        }

    def test_a_moment_in_common_says_nothing(self) -> None:
        first = VoiceChunk("a", 0, segments=turns(("p", 0, 90.5)))
        second = VoiceChunk("b", 90, segments=turns(("x", 0, 20)))
        clustered = cluster_speakers([first, second], ClusterRules(overlap_s=30))
        assert clustered.mapping["a"]["p"] != clustered.mapping["b"]["x"]

    def test_it_beats_prints_that_are_too_short_to_know(self) -> None:
        first = VoiceChunk("a", 0, {"p": print_of(1, 40, 0)}, segments=turns(("p", 0, 92)))
        second = VoiceChunk("b", 90, {"x": print_of(7, 1, 1)}, segments=turns(("x", 0, 2)))
        clustered = cluster_speakers([first, second], ClusterRules(overlap_s=30))
        assert clustered.mapping["b"]["x"] == "S1"


@given(st.integers(0, 10_000), st.integers(1, 6), st.integers(1, 7), st.randoms())
@settings(max_examples=40)
def test_the_order_of_chunks_and_labels_means_nothing(
    seed: int, people: int, count: int, random: Random
) -> None:
    chunks, _ = meeting(people, count, seed, seconds=(1.0, 12.0))
    shuffled = [
        VoiceChunk(
            chunk.id,
            chunk.offset_s,
            dict(random.sample(list(chunk.fingerprints.items()), len(chunk.fingerprints))),
            dict(random.sample(list(chunk.speech_s.items()), len(chunk.speech_s))),
        )
        for chunk in random.sample(chunks, len(chunks))
    ]
    assert cluster_speakers(shuffled) == cluster_speakers(chunks)


@given(st.integers(0, 10_000), st.integers(1, 6), st.integers(1, 7), st.floats(0.0, 2.0))
@settings(max_examples=40)
def test_nobody_is_two_people_of_one_chunk(
    seed: int, people: int, count: int, threshold: float
) -> None:
    chunks, _ = meeting(people, count, seed, seconds=(1.0, 12.0))
    clustered = cluster_speakers(chunks, ClusterRules(threshold=threshold, max_speakers=1))
    assert set(clustered.mapping) == {chunk.id for chunk in chunks}
    for chunk in chunks:
        found = [clustered.mapping[chunk.id][label] for label in chunk.labels]
        named = [speaker for speaker in found if speaker is not None]
        assert len(set(named)) == len(named)
    numbers = [speaker.id for speaker in clustered.speakers]
    assert numbers == [f"S{number}" for number in range(1, len(numbers) + 1)]


@given(
    st.integers(0, 5).flatmap(
        lambda width: st.lists(
            st.lists(st.integers(0, 9).map(float), min_size=width, max_size=width), max_size=5
        )
    )
)
@settings(max_examples=60)
def test_the_best_pairs_are_the_best(worth: list[list[float]]) -> None:
    pairs = best_pairs(worth)
    rows, columns = len(worth), len(worth[0]) if worth else 0
    assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs)
    reached = sum(worth[row][column] for row, column in pairs)
    size = max(rows, columns)
    best = max(
        sum(worth[r][c] for r, c in enumerate(order) if r < rows and c < columns)
        for order in permutations(range(size))
    )
    assert reached == best


def turns(*segments: tuple[str, float, float]) -> tuple[SpeakerSegment, ...]:
    return tuple(SpeakerSegment(start, end, who) for who, start, end in segments)
