"""Words out of every shape in which a speech server answers."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spark_audio_proxy.speech import Word
from spark_audio_proxy.words.languages import language_code
from spark_audio_proxy.words.reading import TIMES_ESTIMATED, UnusableAnswerError, read_answer

HELLO = (Word("Hello,", 0.0, 0.48), Word("world.", 0.56, 1.04))
SHAPES = {
    "words": {"text": "", "words": [["word", "Hello,", 0, 0.48], ["word", "world.", 0.56, 1.04]]},
    "words called text": {"words": [["text", "Hello,", 0, 0.48], ["text", "world.", 0.56, 1.04]]},
    "leading spaces": {"words": [["word", " Hello,", 0, 0.48], ["word", " world.", 0.56, 1.04]]},
    "a segment per word": {
        "segments": [["text", "Hello,", 0, 0.48], ["text", "world.", 0.56, 1.04]]
    },
    "both": {
        "words": [["word", "Hello,", 0, 0.48], ["word", "world.", 0.56, 1.04]],
        "segments": [["text", "Hello, world.", 0, 1.04]],
    },
    "empty words beside segments": {
        "words": [],
        "segments": [["text", "Hello,", 0, 0.48], ["text", "world.", 0.56, 1.04]],
    },
    "empty ones between": {
        "words": [
            ["word", "Hello,", 0, 0.48],
            ["word", " ", 0.5, 0.5],
            ["word", "world.", 0.56, 1.04],
        ]
    },
}


def answer(shape: dict[str, object]) -> dict[str, object]:
    listed = {
        key: [dict(zip((row[0], "start", "end"), row[1:], strict=True)) for row in value]
        for key, value in shape.items()
        if isinstance(value, list)
    }
    return {"text": "Hello, world.", **listed}


class TestShapes:
    @pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
    def test_words_come_out_with_their_times(self, shape: dict[str, object]) -> None:
        transcript = read_answer(answer(shape), 2.0)
        assert transcript.words == HELLO
        assert transcript.warnings == ()

    def test_words_within_segments(self) -> None:
        inner = [{"word": w.text, "start": w.start, "end": w.end} for w in HELLO]
        segments = [{"text": "Hello, world.", "start": 0, "end": 1.04, "words": inner}]
        assert read_answer({"text": "x", "segments": segments}, 2.0).words == HELLO

    def test_segments_of_several_words_are_spread_and_flagged(self) -> None:
        segments = [{"text": " abc d efgh", "start": 2.0, "end": 4.0}]
        transcript = read_answer({"text": "abc d efgh", "segments": segments}, 5.0)
        assert transcript.words == (
            Word("abc", 2.0, 2.75, estimated=True),
            Word("d", 2.75, 3.0, estimated=True),
            Word("efgh", 3.0, 4.0, estimated=True),
        )
        assert transcript.warnings == (TIMES_ESTIMATED,)

    def test_words_that_stop_early_do_not_hide_what_segments_have(self) -> None:
        segments = [{"text": "one two three", "start": 0, "end": 3}]
        words = [{"word": "one", "start": 0, "end": 1}]
        heard = read_answer({"text": "one two three", "words": words, "segments": segments}, 3.0)
        assert [word.text for word in heard.words] == ["one", "two", "three"]

    def test_a_dash_between_words_is_no_reason_to_guess_times(self) -> None:
        segments = [{"text": "Hello, - world.", "start": 0, "end": 1.04}]
        words = [{"word": word.text, "start": word.start, "end": word.end} for word in HELLO]
        assert read_answer({"words": words, "segments": segments}, 2.0).words == HELLO

    def test_a_word_without_a_time_gets_the_one_between_its_neighbours(self) -> None:
        words = [
            {"word": "a", "start": 0.0, "end": 1.0},
            {"word": "b", "start": None},
            {"word": "c", "start": 2.0, "end": "2.5"},
            {"word": "d", "start": 3.0},
        ]
        heard = read_answer({"text": "a b c d", "words": words}, 4.0).words
        assert [(word.start, word.end, word.estimated) for word in heard] == [
            (0.0, 1.0, False),
            (1.0, 1.0, True),
            (2.0, 2.5, False),
            (3.0, 4.0, True),
        ]

    def test_milliseconds_are_seconds_too(self) -> None:
        words = [{"word": "a", "start_ms": 500, "end_ms": 750}]
        assert read_answer({"words": words}, 1.0).words == (Word("a", 0.5, 0.75),)
        words = [{"word": "a", "start_ms": 13_000_000, "end_ms": 13_000_500}]
        assert read_answer({"words": words}, 14_000.0).words == (Word("a", 13_000.0, 13_000.5),)

    def test_an_absurd_time_is_no_time(self) -> None:
        words = [{"word": "a", "start": 0, "end": 1}, {"word": "b", "start": 10**400, "end": 1e300}]
        assert read_answer({"words": words}, 2.0).words == (
            Word("a", 0.0, 1.0),
            Word("b", 1.0, 1.0, estimated=True),
        )

    def test_a_small_slip_keeps_the_order_of_what_was_said(self) -> None:
        words = [["word", "a", 1.0, 1.4], ["word", "b", 0.8, 1.5], ["word", "c", 1.6, 1.7]]
        heard = read_answer(answer({"words": words}), 3.0).words
        assert [(word.text, word.start) for word in heard] == [("a", 1.0), ("b", 1.0), ("c", 1.6)]

    def test_a_mess_is_sorted(self) -> None:
        words = [["word", "b", 9.0, 9.4], ["word", "a", 0.8, 1.5], ["word", "c", 11.6, 11.7]]
        heard = read_answer(answer({"words": words}), 12.0).words
        assert [word.text for word in heard] == ["a", "b", "c"]

    def test_half_a_surrogate_does_not_break_what_is_written(self) -> None:
        words = json.loads('[{"word": "a\\ud800b\\u0000", "start": 0, "end": 1}]')
        assert read_answer({"words": words}, 1.0).words[0].text.encode() == b"a?b"

    def test_silence_is_an_empty_transcript(self) -> None:
        assert read_answer({"text": "", "segments": []}, 1.0).words == ()
        unseen = {"text": "\u200b", "words": [{"word": "\u200b", "start": 0, "end": 1}]}
        assert read_answer(unseen, 1.0).words == ()


class TestNothingUsable:
    @pytest.mark.parametrize(
        "given_answer",
        [
            {"text": "hello world", "segments": []},
            {"text": "hello world"},
            "hello world",
            {"text": "", "segments": [{"text": "hello"}]},
            {"text": "a b", "words": [{"word": "a", "start": 0, "end": 0}] * 2},
            {"text": "a b", "words": [{"word": "a", "start": "x", "end": True}]},
            {"words": [{"word": "hello", "start": None, "end": None}]},
        ],
        ids=[
            "empty segments",
            "no lists",
            "quoted",
            "no times",
            "all at once",
            "no numbers",
            "words alone",
        ],
    )
    def test_text_without_times_is_an_error_and_no_silence(self, given_answer: object) -> None:
        with pytest.raises(UnusableAnswerError) as caught:
            read_answer(given_answer, 2.0)
        assert caught.value.code == "empty_timestamps"
        assert "hello" not in str(caught.value)

    @pytest.mark.parametrize("given_answer", [None, 7, [], [{"text": "a"}], {}, {"detail": "no"}])
    def test_what_is_no_transcript_is_an_error(self, given_answer: object) -> None:
        with pytest.raises(UnusableAnswerError) as caught:
            read_answer(given_answer, 2.0)
        assert caught.value.code == "upstream_bad_response"


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["text", "word", "words", "segments", "start", "end", "language"]),
            inner,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_no_answer_does_worse_than_a_named_error(given_answer: object) -> None:
    try:
        transcript = read_answer(given_answer, 2.0)
    except UnusableAnswerError:
        return
    starts = [word.start for word in transcript.words]
    assert starts == sorted(starts)
    assert all(word.text and word.start <= word.end for word in transcript.words)


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("en", "en"), ("en-US", "en"), ("DE_at", "de"), (" English ", "en"), ("auto", None),
        ("", None), (None, None), ("und", None), ("zh-Hant-TW", "zh"), ("klingon", None), (7, None),
    ],
)  # fmt: skip
def test_languages(written: object, code: str | None) -> None:
    assert language_code(written) == code
