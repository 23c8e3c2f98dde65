"""A long recording is cut where it is quiet, and no word is lost or doubled at a seam."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark_audio_proxy.loudness import Loudness, loudness_of, loudness_of_levels
from spark_audio_proxy.speech import FRAME_SECONDS, Word
from spark_audio_proxy.stitching.planning import Chunk, ChunkRules, plan_chunks
from spark_audio_proxy.stitching.words import HeardChunk, stitch_words

RATE = 16_000


class TestLoudness:
    def test_it_is_the_mean_square_of_ten_milliseconds(self) -> None:
        samples = np.zeros(RATE + 100, dtype=np.int16)
        samples[800:1600] = 16384
        loudness = loudness_of(samples, RATE)
        assert len(loudness.powers) == 100
        assert loudness.powers[5:10].tolist() == [0.25] * 5
        assert loudness.powers.sum() == 1.25
        assert loudness.between(0.05, 0.07).tolist() == [0.25, 0.25]

    def test_levels_of_another_width_will_do(self) -> None:
        loudness = loudness_of_levels(np.full(20, 0.5, dtype=np.float32), 0.05)
        assert loudness.between(0.5, 9.0).tolist() == [0.25] * 10

    def test_more_than_a_minute_is_measured_in_pieces(self) -> None:
        samples = np.full(RATE * 61, 8192, dtype=np.int16)
        assert set(loudness_of(samples, RATE).powers.tolist()) == {0.0625}


class TestPlan:
    def test_a_short_recording_is_one_chunk(self) -> None:
        [chunk] = plan_chunks(600.0, loud(600.0))
        assert chunk == Chunk(0, 0.0, 600.0, 0.0, 600.0, 0.0, 600.0)

    def test_a_cut_lies_in_the_quietest_moment_before_the_target(self) -> None:
        loudness = loud(1000.0, quiet=[(200.0, 201.0), (433.0, 433.2), (500.0, 510.0)])
        first, second, *_ = plan_chunks(1000.0, loudness)
        assert first.end == second.start == pytest.approx(433.1, abs=FRAME_SECONDS)
        assert second.words_start == pytest.approx(first.end - 4)
        assert first.words_end == pytest.approx(first.end + 4)
        assert first.speakers_end - second.speakers_start == pytest.approx(30, abs=0.2)

    @pytest.mark.parametrize("frame_seconds", [0.01, 0.05, 0.5])
    def test_any_measure_of_loudness_will_do(self, frame_seconds: float) -> None:
        powers = np.ones(round(1000 / frame_seconds), dtype=np.float32)
        first, *_ = plan_chunks(1000.0, Loudness(powers, frame_seconds))
        assert 420 <= first.end <= 480

    def test_without_any_measure_the_target_is_the_cut(self) -> None:
        chunks = plan_chunks(1300.0, Loudness(np.empty(0, dtype=np.float32)))
        assert [chunk.end for chunk in chunks] == [480.0, 960.0, 1300.0]

    def test_rules_that_fit_no_call_are_refused(self) -> None:
        with pytest.raises(ValueError, match="fit"):
            plan_chunks(9.0, loud(1.0), ChunkRules(target=590.0, longest=600.0))


@given(st.floats(0.0, 20_000.0), st.integers(0, 2**32 - 1))
@settings(max_examples=25)
def test_chunks_cover_everything_and_fit_a_call(duration: float, seed: int) -> None:
    rules = ChunkRules(target=100.0, longest=140.0, search=30.0)
    powers = np.random.default_rng(seed).random(round(duration)).astype(np.float32)
    chunks = plan_chunks(duration, Loudness(powers, 1.0), rules)
    assert (chunks[0].start, chunks[-1].end) == (0.0, duration)
    for before, after in pairwise(chunks):
        assert before.end == after.start
        assert after.words_start < before.end < before.words_end
    for chunk in chunks:
        assert 0 <= chunk.speakers_start <= chunk.words_start <= chunk.start <= chunk.end
        assert chunk.end <= chunk.words_end <= chunk.speakers_end <= duration
        assert chunk.speakers_end - chunk.speakers_start <= rules.longest
        for edge in (chunk.start, chunk.words_start, chunk.speakers_start):
            assert edge / FRAME_SECONDS == pytest.approx(round(edge / FRAME_SECONDS), abs=1e-4)


class TestSeams:
    def test_both_sides_agree_and_the_word_is_said_once(self) -> None:
        first = chunk(0, 10, ("we", 1.0), ("go", 7.0), ("home", 8.0), ("nou", 9.6))
        second = chunk(6, 16, ("gow", 6.9), ("Home,", 8.1), ("now.", 9.5), ("then", 14.0))
        assert texts(first, second) == ["we", "go", "home", "now.", "then"]

    def test_where_they_agree_on_nothing_the_middle_decides(self) -> None:
        first = chunk(0, 10, ("a", 6.5), ("b", 7.5), ("c", 9.0))
        second = chunk(6, 16, ("x", 6.5), ("y", 7.5), ("z", 9.0))
        assert texts(first, second) == ["a", "b", "z"]

    def test_a_word_on_the_middle_is_neither_lost_nor_said_twice(self) -> None:
        assert texts(chunk(0, 10, ("mis", 7.95)), chunk(6, 16, ("miss", 7.85))) == ["miss"]
        assert texts(chunk(0, 10, ("mis", 7.85)), chunk(6, 16, ("miss", 7.95))) == ["mis"]

    def test_a_word_said_over_and_over_is_counted_right(self) -> None:
        times = [6.4, 6.65, 6.9, 7.15, 7.4, 7.65, 7.9, 8.15, 8.4, 8.65, 8.9, 9.15]
        first = chunk(0, 10, *(("no", at) for at in times[:-1]))
        second = chunk(6, 16, *(("no", at + 0.03) for at in times[1:]))
        assert len(texts(first, second)) == len(times)

    def test_guessed_times_agree_less_closely(self) -> None:
        said = ["so", "we", "went", "home", "and", "had", "some", "tea"]
        line = [("we", 5.0), *((word, 6.2 + 0.4 * at) for at, word in enumerate(said))]
        late = [(word, 6.9 + 0.42 * at) for at, word in enumerate([*said, "then"])]
        guessed = [
            HeardChunk(0, 10, estimated(chunk(0, 10, *line))),
            HeardChunk(6, 16, estimated(chunk(6, 16, *late))),
        ]
        assert [word.text for word in stitch_words(guessed)] == ["we", *said, "then"]

    def test_a_missing_chunk_leaves_a_gap(self) -> None:
        assert texts(chunk(12, 22, ("c", 13.0)), chunk(0, 10, ("a", 1.0))) == ["a", "c"]

    def test_silence_on_one_side(self) -> None:
        assert texts(chunk(0, 10, ("a", 1.0), ("b", 7.0)), chunk(6, 16), chunk(12, 22)) == [
            "a",
            "b",
        ]
        assert texts(chunk(0, 10), chunk(6, 16, ("b", 9.0))) == ["b"]

    def test_nothing_at_all(self) -> None:
        assert stitch_words(()) == ()


@st.composite
def recordings(draw: st.DrawFn) -> tuple[list[Word], list[HeardChunk]]:
    """What was said, and what the chunks heard of it: whole words, on the grid, a little off."""
    said: list[Word] = []
    at = 0.0
    for text in draw(
        st.lists(st.sampled_from(["no", "yes", "well", "a", "the", "."]), max_size=70)
    ):
        at += draw(st.sampled_from([0.0, 0.08, 0.16, 0.4, 2.0]))
        length = draw(st.sampled_from([0.24, 0.32, 0.64]))
        said.append(Word(text, round(at, 2), round(at + length, 2)))
        at += length
    edges = [0.0]
    while edges[-1] < at:
        edges.append(edges[-1] + draw(st.floats(9.0, 15.0)))
    overlap = draw(st.sampled_from([4.0, 6.0, 8.0]))
    heard = []
    for start, end in pairwise(edges):
        start, end = max(start - overlap / 2, 0.0), end + overlap / 2
        words = []
        for word in said:
            off = draw(st.sampled_from([0.0, 0.0, 0.08, -0.08]))
            if word.start >= start and word.end <= end:
                words.append(Word(word.text, word.start + off - start, word.end + off - start))
            elif word.end > start and word.start < end and draw(st.booleans()):
                # Cut in two: what is left of it is heard as something else.
                left, right = max(word.start, start), min(word.end, end)
                words.append(Word("uh", left - start, right - start))
        heard.append(HeardChunk(start, end, tuple(words)))
    return said, heard


@given(recordings())
@settings(max_examples=80)
def test_no_cut_loses_or_doubles_a_word(recording: tuple[list[Word], list[HeardChunk]]) -> None:
    said, heard = recording
    assert [word.text for word in stitch_words(heard)] == [word.text for word in said]


def loud(duration: float, quiet: list[tuple[float, float]] | None = None) -> Loudness:
    powers = np.full(round(duration * 100), 0.1, dtype=np.float32)
    for start, end in quiet or []:
        powers[round(start * 100) : round(end * 100)] = 0.001
    return Loudness(powers)


def chunk(start: float, end: float, *words: tuple[str, float]) -> HeardChunk:
    return HeardChunk(
        start, end, tuple(Word(text, at - start, at - start + 0.2) for text, at in words)
    )


def texts(*chunks: HeardChunk) -> list[str]:
    return [word.text for word in stitch_words(chunks)]


def estimated(heard: HeardChunk) -> tuple[Word, ...]:
    return tuple(replace(word, estimated=True) for word in heard.words)
