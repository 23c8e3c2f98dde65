"""Text before it is spoken: cleaned, cut into pieces, measured against its sound."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark_audio_proxy.problems import SpeechError
from spark_audio_proxy.speaking.captions import Caption, Lines, left_out
from spark_audio_proxy.speaking.cleaning import cleaned
from spark_audio_proxy.speaking.complete import Paces, letters
from spark_audio_proxy.speaking.pieces import MOST_CHARACTERS, pieces


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("This is **very** *nice* and _so_ __on__.", "This is very nice and so on."),
        ("***both*** ~~gone~~ **a *b* c**", "both gone a b c"),
        ("keep snake_case and 2 * 3 * 4", "keep snake_case and 2 * 3 * 4"),
        ("# Title\ntext goes\non here", "Title\ntext goes on here"),
        ("- one\n- two\n1. three", "one\ntwo\n1. three"),
        ("> quoted\n> twice", "quoted twice"),
        ("see [the docs](http://x.example/a_b) and ![a cat](cat.png)", "see the docs and a cat"),
        ("[Kokoro](/k0k0ro/) speaks", "[Kokoro](/k0k0ro/) speaks"),
        ("run `make test` now", "run make test now"),
        ("before\n```sh\nls\n```\nafter", "before\nls\nafter"),
        ("great \U0001f389\U0001f1e9\U0001f1ea work \u2728.", "great work."),
        ("5\ufe0f\u20e3 stars", "5 stars"),
        ("a\r\n\r\n\tb   c\u00a0d", "a\nb c d"),
        ("---\n***\n!!!", ""),
        ("\U0001f389 \U0001f389", ""),
        ("", ""),
    ],
)
def test_what_is_no_speech_is_not_spoken(written: str, spoken: str) -> None:
    assert cleaned(written) == spoken


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("One. Two! Three?", ["One.", "Two! Three?"]),
        ("Dr. Smith paid 3.5 dollars. He left.", ["Dr. Smith paid 3.5 dollars.", "He left."]),
        ("Am 5. Mai z.B. um drei.", ["Am 5. Mai z.B. um drei."]),
        ("他说好。我走了。", ["他说好。", "我走了。"]),
        ("Wait... what?", ["Wait...", "what?"]),
        ("... and so on.", ["... and so on."]),
    ],
)
def test_pieces_of_a_long_text_end_where_sentences_do(text: str, cut: list[str]) -> None:
    assert pieces(f"{text}\n{'word ' * 90}")[: len(cut)] == cut


def test_a_short_text_is_one_piece_and_every_paragraph_its_own() -> None:
    assert pieces("One. Two! Three?") == ["One. Two! Three?"]
    assert pieces("One\nTwo") == ["One", "Two"]


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="ab1 .,!?…\n。-'", max_size=1500), st.integers(0, 3))
def test_every_word_is_in_one_piece_in_order(text: str, more: int) -> None:
    clean = cleaned(text * (more + 1))
    cut = pieces(clean)
    said = [each for piece in cut for each in piece if each.isalnum()]
    assert said == [each for each in clean if each.isalnum()]
    assert all(0 < len(piece) <= MOST_CHARACTERS for piece in cut)
    assert all(any(map(str.isalnum, piece)) for piece in cut)


def test_a_word_without_end_is_cut_all_the_same() -> None:
    assert [len(piece) for piece in pieces("x" * 1000)] == [400, 400, 200]


def test_a_long_sentence_is_cut_at_a_comma() -> None:
    first, second = pieces(f"{'word ' * 50}here, {'more ' * 40}end.")
    assert first.endswith("here,")
    assert second.startswith("more")


@pytest.mark.parametrize("attack", ["*", "*a ", "_ ", "[a](", "#", "- ", "> ", "~~a", "`a", "a. "])
def test_no_text_takes_long(attack: str) -> None:
    """Twenty times what a real one takes would be far beyond the time of a test."""
    assert pieces(cleaned(attack * (200_000 // len(attack)))) is not None


SAID = [
    Caption(word, at / 3, at / 3 + 0.3)
    for at, word in enumerate(
        [
            "So",
            "do",
            "n't",
            "you",
            "know",
            "that",
            "she",
            "was",
            "there",
            ",",
            "or",
            "was",
            "she",
            "?",
        ]
    )
]
WROTE = "So don\u2019t you know that she was there, or was she?"


@pytest.mark.parametrize(
    ("text", "captions", "seconds", "proof"),
    [
        (WROTE, SAID, 5.0, False),
        (f"{WROTE} Nobody else came home before midnight.", SAID, 5.0, True),
        (f"Nobody else came home before. {WROTE}", SAID, 5.0, True),
        # What is told in other words is no proof.
        (f"{WROTE} It cost 5 km.", [*SAID, Caption("It", 4.7, 4.8), Caption("cost", 4.8, 5.0),
                                    Caption("five", 5.0, 5.3), Caption("kilometers", 5.3, 6.0)],
         6.0, False),
        # Captions with a hole are worth nothing: the words may have been spoken in it.
        (f"{WROTE} Nobody else came home before midnight.", SAID, 8.0, False),
        (f"Nobody else came home. {WROTE}",
         [Caption(each.word, each.start + 3, each.end + 3) for each in SAID], 8.0, False),
        (WROTE, [], 5.0, False),
        ("No. 5", [Caption("No", 0, 1)], 1.0, False),
    ],
)  # fmt: skip
def test_captions_prove_what_was_left_out(
    text: str, captions: list[Caption], seconds: float, proof: bool
) -> None:
    assert left_out(text, captions, seconds) is proof


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"[]",
        b"{}",
        b'{"audio": "!"}',
        b'{"audio": 5}',
        b'{"audio": "", "timestamps": [{}]}',
        b'{"audio": "", "timestamps": [{"word": "a", "start_time": 1%b, "end_time": 2}]}'
        % (b"0" * 400),
        b"[" * 100_000,
    ],
)
def test_half_a_line_is_no_end(line: bytes) -> None:
    lines = Lines()
    with pytest.raises(SpeechError):
        assert lines.of(line) == lines.last() == []


def test_lines_are_cut_wherever_they_come_apart() -> None:
    row = b'{"audio": "AAA=", "timestamps": null}\n'
    lines = Lines()
    found = [line for at in range(len(row) * 2) for line in lines.of((row * 2)[at : at + 1])]
    assert [line.samples for line in [*found, *lines.last()]] == [b"\0\0"] * 2


TEXT = "forty letters that are said at some pace."


def test_a_piece_that_is_much_too_short_was_not_spoken_to_its_end() -> None:
    paces = Paces()
    assert not paces.is_whole(TEXT, "af_heart", 1.0, letters(TEXT) * 0.01)
    assert not paces.is_whole(TEXT, "af_heart", 1.0, 0.0)
    assert paces.is_whole(TEXT, "af_heart", 1.0, letters(TEXT) * 0.07)
    # It was heard how fast the voice is.
    assert not paces.is_whole(TEXT, "af_heart", 1.0, letters(TEXT) * 0.04)
    assert paces.is_whole(TEXT, "af_heart", 1.0, letters(TEXT) * 0.05)
    assert paces.is_whole(TEXT, "af_heart", 2.0, letters(TEXT) * 0.035)
    assert not paces.is_whole(TEXT, "af_heart", 0.5, letters(TEXT) * 0.05)
    assert paces.is_whole(TEXT, "af_sky", 1.0, letters(TEXT) * 0.04)


@pytest.mark.parametrize(
    ("text", "voice", "seconds"),
    [
        ("No.", "af_heart", 0.2),
        ("N" + "o" * 300 + "!", "af_heart", 0.8),
        ("Здравствуйте, как ваши дела сегодня вечером", "af_heart", 0.3),
        ("今天天气很好我们去公园散步吧好不好呀朋友们大家一起来", "zf_xiaobei", 4.0),
    ],
)
def test_short_and_foreign_pieces_are_not_judged_hard(
    text: str, voice: str, seconds: float
) -> None:
    assert Paces().is_whole(text, voice, 1.0, seconds)
