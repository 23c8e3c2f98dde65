"""What holds of every merge, whatever the words and turns are."""

from collections import Counter
from itertools import pairwise
from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from spark_audio_proxy.merging.attribution import Attributed, attribute
from spark_audio_proxy.merging.rules import MergeRules
from spark_audio_proxy.merging.sentences import ends_sentence
from spark_audio_proxy.speech import Diarization, FrameProbabilities, SpeakerSegment, Word
from spark_audio_proxy.words.joining import tidied

RULES = MergeRules()
# Coarse times on purpose: ties and touching edges are where mergers go wrong.
times = st.integers(0, 400).map(lambda tick: tick * 0.08)
texts = st.sampled_from(
    ["yes", "no.", "well", "really?", ",", "100", "%", "a b", "«Oui.»", " x ", "東", "京。", "ครับ"]
)
labels = st.sampled_from(["a", "b", "c", "d", "e"])


@st.composite
def words(draw: st.DrawFn) -> list[Word]:
    found = []
    for text in draw(st.lists(texts, max_size=30)):
        start = draw(times)
        found.append(Word(text, start, start + draw(st.sampled_from([-1.0, 0.0, 0.24, 0.8, 4.0]))))
    return found


@st.composite
def segments(draw: st.DrawFn) -> list[SpeakerSegment]:
    found = []
    for who in draw(st.lists(labels, max_size=14)):
        start = draw(times)
        length = draw(st.sampled_from([0.0, 0.16, 0.8, 4.0, 20.0]))
        confidence = draw(st.sampled_from([None, 0.2, 0.5, 0.71, 0.73, 1.0]))
        found.append(SpeakerSegment(start, start + length, who, confidence))
    return found


def diarized(turns: list[SpeakerSegment]) -> Diarization:
    return Diarization(tuple(turns), 0.0)


def shown(result: Attributed) -> list[tuple[object, ...]]:
    return [(b.start, b.end, b.speaker, b.text, b.confidence, b.words) for b in result.blocks]


@given(words(), segments())
@settings(max_examples=60)
def test_every_word_comes_out_once_and_in_order(
    said: list[Word], turns: list[SpeakerSegment]
) -> None:
    result = attribute(said, diarized(turns))
    inside = [word for block in result.blocks for word in block.words]
    assert inside == list(result.words)
    assert Counter(word.text for word in inside) == Counter(word.text.strip() for word in said)
    assert [(w.start, w.text) for w in inside] == [
        (w.start, w.text.strip())
        for w in sorted(said, key=lambda word: (word.start, max(word.end, word.start + 0.04)))
    ]


@given(words(), segments())
@settings(max_examples=60)
def test_blocks_are_sorted_have_a_length_and_do_not_touch_their_like(
    said: list[Word], turns: list[SpeakerSegment]
) -> None:
    result = attribute(said, diarized(turns))
    for block in result.blocks:
        assert block.start <= block.end
        assert {word.speaker for word in block.words} == {block.speaker}
        assert block.confidence is None or 0 <= block.confidence <= 1
        assert (block.confidence is None) == (block.speaker is None)
    for before, after in pairwise(result.blocks):
        assert before.start <= after.start
        if before.speaker == after.speaker and after.start - before.end <= RULES.gap_seconds:
            long = before.end - before.start > 30 or len(before.words) >= 80
            assert long
            assert ends_sentence(before.words[-1].text)


@given(words(), segments(), st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_the_order_and_the_names_of_turns_mean_nothing(
    said: list[Word], turns: list[SpeakerSegment], random: Random
) -> None:
    shuffled = list(turns)
    random.shuffle(shuffled)
    renamed = {"a": "zoe", "b": "Speaker_9", "c": "b", "d": "", "e": "a"}
    others = [SpeakerSegment(t.start, t.end, renamed[t.speaker], t.confidence) for t in shuffled]
    assert shown(attribute(said, diarized(turns))) == shown(attribute(said, diarized(others)))


@given(words(), segments())
@settings(max_examples=60)
def test_a_speaker_is_given_only_where_one_is_near(
    said: list[Word], turns: list[SpeakerSegment]
) -> None:
    result = attribute(said, diarized(turns))
    real = [turn for turn in turns if turn.end > turn.start]
    spoken_by = {result.labels[turn.speaker] for turn in real}
    for word in result.words:
        near = any(t.start - word.end <= 1.0001 and word.start - t.end <= 1.0001 for t in real)
        if near:
            assert word.speaker in spoken_by
        if word.overlap:
            assert word.alt_speaker in spoken_by - {word.speaker}
        else:
            assert word.alt_speaker is None
    if not real:
        assert all(word.speaker is None for word in result.words)


@given(words(), segments())
@settings(max_examples=30)
def test_frames_that_say_what_the_turns_say_change_no_speaker_of_a_clear_word(
    said: list[Word], turns: list[SpeakerSegment]
) -> None:
    names = ("a", "b", "c", "d", "e")
    values = np.zeros((800, len(names)), dtype=np.float32)
    for turn in turns:
        first, past = round(turn.start / 0.08), round(turn.end / 0.08)
        values[first:past, names.index(turn.speaker)] = 1.0
    plain = [SpeakerSegment(turn.start, turn.end, turn.speaker) for turn in turns]
    rules = MergeRules(bridge_seconds=0.0)
    by_turns = attribute(said, diarized(plain), rules)
    framed = Diarization(tuple(plain), 0.0, FrameProbabilities(names, values))
    by_frames = attribute(said, framed, rules)
    for one, other in zip(by_turns.words, by_frames.words, strict=True):
        if one.confidence == 1.0 and other.confidence == 1.0 and not one.overlap:
            assert one.speaker == other.speaker


numbers = st.floats() | st.floats(-1, 50)


@given(
    st.lists(st.builds(Word, st.text(max_size=4), numbers, numbers), max_size=12),
    st.lists(st.builds(SpeakerSegment, numbers, numbers, labels, st.none() | numbers), max_size=8),
    st.lists(st.floats(width=32), max_size=40),
    numbers,
)
@settings(max_examples=50)
def test_no_number_is_too_strange(
    said: list[Word], turns: list[SpeakerSegment], likely: list[float], duration: float
) -> None:
    values = np.array(likely[: len(likely) // 2 * 2], dtype=np.float32).reshape(-1, 2)
    frames = FrameProbabilities(("a", "b"), values)
    result = attribute(said, Diarization(tuple(turns), duration, frames))
    assert len(result.words) == sum(bool(tidied(word.text)) for word in said)
    for block in result.blocks:
        assert 0 <= block.start <= block.end <= 1.1e7
        assert block.confidence is None or 0 <= block.confidence <= 1
