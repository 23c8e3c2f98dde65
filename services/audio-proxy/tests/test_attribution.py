"""Words meet speaker turns: the rules of the merge, one by one."""

import numpy as np
import pytest

from spark_audio_proxy.merging.attribution import NO_SPEAKERS, Attributed, attribute
from spark_audio_proxy.merging.rules import MergeRules
from spark_audio_proxy.speech import Diarization, FrameProbabilities, SpeakerSegment, Word

A, B = "Speaker_0", "Speaker_1"


def spoken(*words: tuple[str, float, float]) -> list[Word]:
    return [Word(text, start, end) for text, start, end in words]


def turns(
    *segments: tuple[str, float, float] | tuple[str, float, float, float | None],
) -> Diarization:
    return Diarization(
        tuple(SpeakerSegment(start, end, who, *rest) for who, start, end, *rest in segments), 100.0
    )


def who(result: Attributed) -> list[str | None]:
    return [word.speaker for word in result.words]


class TestEvidence:
    def test_who_spoke_goes_on_when_two_have_the_word_alike(self) -> None:
        """Though the other one's turn began earlier."""
        result = attribute(
            spoken(("one", 0.5, 1.0), ("two", 2.0, 3.0)),
            turns(("x", 0, 0.4), ("y", 0.5, 1.5), ("x", 1.6, 4), ("y", 1.8, 4)),
            MergeRules(flip_below=0.0, bridge_seconds=0.0),
        )
        assert who(result) == [A, A]

    def test_a_word_belongs_to_whoever_speaks_most_of_it(self) -> None:
        result = attribute(
            spoken(("one.", 0.0, 1.0), ("two.", 1.0, 2.0)), turns(("x", 0, 1.4), ("y", 1.4, 2))
        )
        assert who(result) == [A, B]
        assert result.words[0].confidence == 1.0
        # Six tenths of it are somebody else's: 0.6 of the speech, and it fills all of the word.
        assert result.words[1].confidence == pytest.approx(0.6)

    def test_speakers_are_numbered_by_their_first_word(self) -> None:
        result = attribute(
            spoken(("late.", 5.0, 5.5), ("early.", 1.0, 1.5)),
            turns(("z", 4.5, 6), ("silent", 0, 0.5), ("m", 0.9, 2)),
        )
        assert dict(result.labels) == {"m": A, "z": B, "silent": "Speaker_2"}
        assert [block.text for block in result.blocks] == ["early.", "late."]

    def test_known_names_stay(self) -> None:
        result = attribute(
            spoken(("hello.", 0.0, 1.0), ("hi.", 1.0, 2.0)),
            turns(("x", 0, 1), ("y", 1, 2)),
            names={"y": "Alice"},
        )
        assert who(result) == [A, "Alice"]

    @pytest.mark.parametrize(
        ("start", "expected"), [(1.9, A), (2.1, None), (9.0, None)], ids=["near", "far", "lost"]
    )
    def test_a_word_outside_of_all_turns_goes_to_the_nearest_edge_or_to_nobody(
        self, start: float, expected: str | None
    ) -> None:
        result = attribute(spoken(("word", start, start + 0.3)), turns(("x", 0, 1)))
        assert who(result) == [expected]
        assert result.unattributed == (expected is None)
        assert result.words[0].confidence == (0.0 if expected else None)

    def test_distance_is_to_the_edge_not_to_the_middle(self) -> None:
        result = attribute(
            spoken(("b.", 61.2, 61.4), ("mid.", 60.2, 60.4)),
            turns(("long", 0, 60), ("b", 61.1, 61.5)),
        )
        assert [word.speaker for word in result.words] == ["Speaker_0", "Speaker_1"]

    def test_of_equals_the_speaker_of_the_word_before_goes_on(self) -> None:
        result = attribute(
            spoken(("a.", 0.0, 1.0), ("tie.", 1.0, 2.0)), turns(("x", 0, 1.5), ("y", 1.5, 3))
        )
        assert who(result) == [A, A]

    def test_of_equals_without_a_word_before_the_earlier_turn_wins(self) -> None:
        result = attribute(spoken(("tie.", 1.0, 2.0)), turns(("y", 1.0, 3), ("x", 0.5, 3)))
        assert dict(result.labels)["x"] == A

    def test_nobody_found_is_said_and_nobody_is_made_up(self) -> None:
        result = attribute(spoken(("a", 0.0, 1.0)), Diarization(()))
        assert who(result) == [None]
        assert result.warnings == (NO_SPEAKERS,)
        assert result.blocks[0].confidence is None

    @pytest.mark.parametrize("confidence", [None, float("nan"), 7.0])
    def test_a_confidence_that_is_none_counts_as_certain(self, confidence: float | None) -> None:
        result = attribute(spoken(("a", 0.0, 1.0)), turns(("x", 0, 1, confidence)))
        assert result.words[0].confidence == 1.0

    def test_impossible_turns_are_left_out(self) -> None:
        nan = float("nan")
        result = attribute(
            spoken(("a", 0.0, 1.0)), turns(("x", 0, 1), ("y", nan, 2), ("z", 3, 2), ("v", 200, 300))
        )
        assert dict(result.labels) == {"x": A}

    def test_where_turns_of_a_speaker_overlap_the_least_sure_counts(self) -> None:
        result = attribute(
            spoken(("in", 2.0, 3.0), ("out", 5.0, 6.0)), turns(("x", 0, 9, 0.9), ("x", 1, 4, 0.3))
        )
        assert [word.confidence for word in result.words] == [0.3, 0.9]


class TestSentences:
    def test_a_doubtful_word_follows_its_sentence(self) -> None:
        result = attribute(
            spoken(("so", 0.0, 1.0), ("we", 1.0, 2.0), ("did", 2.0, 3.0), ("it.", 3.0, 4.0)),
            turns(("x", 0, 2, 0.9), ("y", 2, 3, 0.5), ("x", 3, 4, 0.9)),
        )
        assert who(result) == [A] * 4
        assert result.flips == 1
        assert result.words[2].confidence == 0.0

    def test_a_silence_ends_a_sentence_late_in_a_recording_too(self) -> None:
        result = attribute(
            spoken(("so", 50, 51), ("we", 51, 52), ("did", 54, 55), ("it.", 57, 58)),
            turns(("x", 50, 52, 0.9), ("y", 54, 55, 0.5), ("x", 57, 58, 0.9)),
        )
        assert who(result) == [A, A, B, A]

    def test_a_sure_word_stands_against_its_sentence(self) -> None:
        result = attribute(
            spoken(("so", 0.0, 1.0), ("we", 1.0, 2.0), ("no", 2.0, 3.0), ("did.", 3.0, 4.0)),
            turns(("x", 0, 2, 0.9), ("y", 2, 3, 0.8), ("x", 3, 4, 0.9)),
        )
        assert who(result) == [A, A, B, A]

    def test_a_whole_sentence_is_never_outvoted_by_others(self) -> None:
        result = attribute(
            spoken(("so", 0.0, 1.0), ("be.", 1.0, 2.0), ("Yes.", 2.0, 2.4), ("Fine.", 2.4, 3.0)),
            turns(("x", 0, 2, 0.9), ("y", 2, 2.4, 0.1), ("x", 2.4, 3, 0.9)),
        )
        assert who(result) == [A, A, B, A]

    def test_without_a_clear_majority_nothing_flips(self) -> None:
        result = attribute(
            spoken(("a", 0.0, 1.0), ("b", 1.0, 2.0)), turns(("x", 0, 1, 0.5), ("y", 1, 2, 0.5))
        )
        assert who(result) == [A, B]

    def test_a_quote_or_bracket_does_not_hide_the_end_of_a_sentence(self) -> None:
        result = attribute(
            spoken(("so", 0.0, 1.0), ("“it.”", 1.0, 2.0), ("we", 2.0, 2.4)),
            turns(("x", 0, 2), ("y", 2, 3, 0.1)),
        )
        assert who(result) == [A, A, B]


class TestFrames:
    def test_probabilities_decide_where_turns_overlap(self) -> None:
        values = np.zeros((25, 2), dtype=np.float32)
        values[:, 0], values[:, 1] = 0.55, 0.95
        frames = FrameProbabilities(("x", "y"), values)
        segments = turns(("x", 0, 2), ("y", 0, 2)).segments
        result = attribute(
            spoken(("hm.", 0.4, 0.8)), Diarization(segments, 2.0, frames), MergeRules()
        )
        assert result.labels["y"] == A
        assert result.words[0].overlap
        assert result.words[0].alt_speaker == result.labels["x"] == B
        assert result.words[0].confidence == pytest.approx(0.95 / 1.5, abs=1e-3)

    def test_outside_of_the_frames_and_where_they_hear_nobody_turns_decide(self) -> None:
        values = np.full((25, 1), 0.01, dtype=np.float32)
        frames = FrameProbabilities(("x",), values)
        result = attribute(
            spoken(("one", 0.4, 0.8), ("two", 7.0, 8.0)),
            Diarization(turns(("x", 0, 1), ("y", 7, 8)).segments, 9.0, frames),
        )
        assert who(result) == [A, B]

    def test_a_speaker_who_is_only_in_the_frames_is_found(self) -> None:
        frames = FrameProbabilities(("x",), np.ones((25, 1), dtype=np.float32))
        assert who(attribute(spoken(("a", 0.5, 1.0)), Diarization((), 2.0, frames))) == [A]

    @pytest.mark.parametrize("shape", [(0, 0), (0, 4), (4, 0)])
    def test_no_frames_at_all_are_no_frames(self, shape: tuple[int, int]) -> None:
        frames = FrameProbabilities(("x",) * shape[1], np.zeros(shape, dtype=np.float32))
        segments = turns(("x", 0, 1)).segments
        assert who(attribute(spoken(("a", 0.5, 1.0)), Diarization(segments, 2.0, frames))) == [A]


class TestOverlap:
    def test_a_word_under_two_speakers_is_said_once_and_names_the_other(self) -> None:
        result = attribute(spoken(("both.", 1.0, 2.0)), turns(("x", 0, 3), ("y", 1.4, 3)))
        assert [block.text for block in result.blocks] == ["both."]
        word = result.words[0]
        assert (word.speaker, word.overlap, word.alt_speaker) == (A, True, B)
        assert result.blocks[0].overlap

    def test_less_than_half_is_no_overlap(self) -> None:
        word = attribute(spoken(("a.", 1.0, 2.0)), turns(("x", 0, 3), ("y", 1.6, 3))).words[0]
        assert (word.overlap, word.alt_speaker) == (False, None)

    def test_a_word_its_sentence_moved_is_not_overlapped_by_whom_it_left(self) -> None:
        result = attribute(
            spoken(("so", 0.0, 1.0), ("we", 1.0, 2.0), ("did", 2.0, 3.0), ("it.", 3.0, 4.0)),
            turns(("x", 0, 2, 0.9), ("y", 2, 3, 0.5), ("x", 3, 4, 0.9)),
        )
        assert not any(word.overlap for word in result.words)


class TestBlocks:
    def test_a_block_ends_with_the_speaker_and_with_a_long_silence(self) -> None:
        result = attribute(
            spoken(("a.", 0.0, 1.0), ("b.", 2.4, 3.0), ("c.", 4.6, 5.0), ("d.", 5.0, 6.0)),
            turns(("x", 0, 5), ("y", 5, 6)),
        )
        assert [(b.text, b.speaker) for b in result.blocks] == [("a. b.", A), ("c.", A), ("d.", B)]
        assert [(b.start, b.end) for b in result.blocks] == [(0.0, 3.0), (4.6, 5.0), (5.0, 6.0)]

    def test_a_long_block_ends_with_a_sentence(self) -> None:
        words = spoken(
            *((f"w{i}" + "." * (i % 10 == 9), i * 0.4, i * 0.4 + 0.4) for i in range(200))
        )
        result = attribute(words, turns(("x", 0, 80)))
        assert [len(block.words) for block in result.blocks] == [80, 80, 40]

    def test_one_uncovered_word_does_not_split_a_block(self) -> None:
        result = attribute(
            spoken(("a", 0.0, 1.0), ("b", 1.2, 1.3), ("c", 1.6, 2.4)),
            turns(("x", 0, 1), ("y", 1.35, 1.40), ("x", 1.5, 2.5)),
            MergeRules(flip_below=0.0, bridge_seconds=0.0),
        )
        assert [(block.text, block.speaker) for block in result.blocks] == [("a b c", A)]

    def test_confidence_is_weighted_by_how_long_words_last(self) -> None:
        result = attribute(
            spoken(("a", 0.0, 3.0), ("b", 3.0, 4.0)), turns(("x", 0, 3, 1.0), ("x", 3, 4, 0.6))
        )
        assert result.blocks[0].confidence == pytest.approx(0.9)

    def test_a_short_block_has_its_confidence_too(self) -> None:
        result = attribute(spoken(("a", 0.0, 0.4)), turns(("x", 0, 1, 0.8)))
        assert result.blocks[0].confidence == pytest.approx(0.8)

    def test_a_silence_begins_when_the_last_word_of_all_is_over(self) -> None:
        """A word said into a longer one ends before it."""
        words = spoken(("long", 0.0, 10.0), ("short", 1.0, 2.0), ("then", 10.2, 11.0))
        result = attribute(words, turns(("x", 0, 11)))
        assert [block.text for block in result.blocks] == ["long short then"]

    def test_punctuation_is_tight(self) -> None:
        result = attribute(
            spoken((" Hello", 0.0, 0.4), (" ,", 0.4, 0.5), ("you\n", 0.5, 0.9), ("?!", 0.9, 1.0)),
            turns(("x", 0, 1)),
        )
        assert result.blocks[0].text == "Hello, you?!"

    @pytest.mark.parametrize(
        ("said", "text"),
        [
            ("今 日 は 東京 。 です", "今日は東京。です"),
            ("「 はい 」 と", "「はい」と"),
            ("ｶﾀ ｶﾅ", "ｶﾀｶﾅ"),
            ("我们 用 GPU 训练 模型", "我们用 GPU 训练模型"),
            ("สวัสดี ครับ", "สวัสดีครับ"),
            ("ສະບາຍ ດີ", "ສະບາຍດີ"),
            ("សួស្តី បង", "សួស្តីបង"),
            ("မင်္ဂ လာပါ", "မင်္ဂလာပါ"),
            ("안녕 하세요", "안녕 하세요"),
            ("and \u200b then \u200d go", "and then go"),
            ("می\u200cروم خانه", "می\u200cروم خانه"),
        ],
    )
    def test_scripts_without_spaces_have_none(self, said: str, text: str) -> None:
        given = spoken(*((word, at * 0.2, at * 0.2 + 0.2) for at, word in enumerate(said.split())))
        result = attribute(given, turns(("x", 0, 3)))
        assert [block.text for block in result.blocks] == [text]
        seen = [word for word in said.split() if word not in ("\u200b", "\u200d")]
        assert [word.text for word in result.words] == seen

    def test_empty_words_and_words_without_a_length(self) -> None:
        nan = float("nan")
        result = attribute(
            spoken(("  ", 0.0, 0.4), ("a", 1.0, 0.2), ("b", nan, nan), ("c", -3.0, 0.1)),
            turns(("x", 0, 2)),
        )
        assert [(w.text, w.start, round(w.end, 3)) for w in result.words] == [
            ("c", 0.0, 0.1),
            ("a", 1.0, 1.04),
            ("b", 1.04, 1.08),
        ]
