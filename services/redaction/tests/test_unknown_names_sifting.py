"""What of a model's answer is believed, and where it is found: pure."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spark_common.testing.clock import FakeClock
from spark_redaction.scrub import Kind
from spark_redaction.unknown.memory import Memory
from spark_redaction.unknown.pieces import OVERLAP, PIECE, halves, pieces
from spark_redaction.unknown.places import own_server
from spark_redaction.unknown.ports import CutShortError, Name, NoAnswerError, Said
from spark_redaction.unknown.prompt import answer, question
from spark_redaction.unknown.sifting import KINDS, MOST_OF_A_PIECE, sifted
from spark_redaction.work.located import Located
from spark_sim.vllm_http.names import names_reply

TEXT = "[00:06] Speaker_0: Will met Zoë O'Brien of Kestrel Labs, Inc. at 12 Elm Row. 田中さん too. Dr. J. R. Roe left. Nobody else came."


@pytest.mark.parametrize(
    ("type_", "text", "kind"),
    [
        ("PERSON", "Zoë O'Brien", "PERSON"), ("person", " Will ", "PERSON"), ("company", "Kestrel Labs, Inc.", "ORG"),
        ("Street Address", "12 Elm Row", "ADDRESS"), ("PERSON", "田中", "PERSON"), ("PERSON", "Dr. J. R. Roe", "PERSON"),
        ("PERSON", "Alice Smith", None), ("PERSON", "zoë o'brien", None), ("PERSON", "Speaker_0", None), ("PERSON", "", None),
        ("PERSON", "12", None), ("PERSON", "Dr. J. R. Roe left. Nobody else came.", None), ("PERSON", TEXT, None), ("PERSON", "at", None),
        ("DATE", "00:06", None), ("PLACE", "Elm Row", None), ("EMAIL", "Elm Row", None), ("LITERAL", "Elm Row", None), ("x" * 9999, "Will", None),
    ],
)  # fmt: skip
def test_only_what_stands_there_and_looks_like_a_name_is_believed(type_, text, kind) -> None:
    assert [name.kind for name in sifted(TEXT, [Said(type_, text)], strict=False)] == (
        [kind] if kind else []
    )
    assert sifted(TEXT, [Said("PLACE", "Elm Row")], strict=True) == [Name("PLACE", "Elm Row")]


def test_a_flood_is_cut() -> None:
    text = " ".join(f"Name{number}x" for number in range(3_000))
    assert len(sifted(text, [Said("PERSON", w) for w in text.split()], strict=False)) == (
        MOST_OF_A_PIECE
    )


@given(st.text(st.sampled_from("ab \n.é田"), max_size=400), st.integers(8, 60))
def test_pieces_cover_a_text_and_overlap(text: str, size: int) -> None:
    cut = list(pieces(text, size, size // 4))
    assert all(piece in text and len(piece) <= size for piece in cut)
    # Whatever is shorter than the overlap stands whole in one of them.
    short = max(1, size // 4 - 2)
    for at in range(len(text) - short + 1):
        word = text[at : at + short]
        assert not any(map(str.isalpha, word)) or any(word in piece for piece in cut)


def test_pieces_are_bounded_in_number_and_halve() -> None:
    text = "x" * 1_000_000
    assert len(list(pieces(text))) < 1.2 * len(text) / (PIECE - OVERLAP)
    long = "word " * 600
    assert all(len(half) < len(long) for half in halves(long))
    assert halves("short") == ["short"]


def chat(content: object, finish: str = "stop") -> bytes:
    return json.dumps(
        {"choices": [{"message": {"content": content}, "finish_reason": finish}]}
    ).encode()


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (chat('{"names": [{"type": "PERSON", "text": "Bob"}]}'), [Said("PERSON", "Bob")]),
        (chat('<think>is {x} one?</think>```json\n[{"type": "PERSON", "text": "Bob"}]\n``` Done.'), [Said("PERSON", "Bob")]),
        (chat('{"names": ["Bob", 7, null, {"text": "Bob"}, {"type": 1, "text": "Bob"}, [[]]]}'), []),
        (chat("I refuse."), NoAnswerError), (chat('{"names": [{"type'), NoAnswerError), (chat("[" * 100_000), NoAnswerError),
        (chat('{"people": []}'), NoAnswerError), (chat('"names"'), NoAnswerError), (chat(None), NoAnswerError), (chat([1]), NoAnswerError),
        (b"<html>", NoAnswerError), (b'{"choices": []}', NoAnswerError), (b"[" * 100_000, NoAnswerError), (b"\xff", NoAnswerError),
        (b'{"choices": ["x"]}', NoAnswerError), (chat('{"names": [', "length"), CutShortError),
    ],
)  # fmt: skip
def test_an_answer_is_read_or_is_none(raw: bytes, said) -> None:
    if isinstance(said, list):
        assert answer(raw) == said
    else:
        with pytest.raises(said):
            answer(raw)


def test_strings_are_found_letter_by_letter_as_whole_words() -> None:
    names = [("PERSON", "Al"), ("PERSON", "Al Roe"), ("ORG", "@acme"), ("PERSON", "田中")]
    text = "Also Al, Al Roe's al AL Al_Roe @acme @acmes 田中さん Al"
    found = [(text[s.start : s.end], s.kind) for s in sorted(Located(names)(text))]
    assert found == [
        ("Al", Kind.PERSON), ("Al Roe", Kind.PERSON), ("Al", Kind.PERSON), ("@acme", Kind.ORG), ("田中", Kind.PERSON), ("Al", Kind.PERSON),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("http://203.0.113.2:8890/v1", "http://203.0.113.2:8890"), ("http://SPARK-1:80", "http://spark-1:80"), ("http://[fd00::1]:8", "http://[fd00::1]:8"),
        ("http://203.0.113.3:8890", None), ("https://203.0.113.2", None), ("http://203.0.113.2@evil.example", None), ("http://203.0.113.2.evil.example", None),
        ("http://x@203.0.113.2", None), ("http://203.0.113.2:99999", None), ("http:///v1", None), ("http://[", None), ("file://203.0.113.2/x", None),
    ],
)  # fmt: skip
def test_only_a_spark_is_asked(url: str, own: str | None) -> None:
    assert own_server(url, ("203.0.113.2", "spark-1", "fd00::1")) == own


async def test_what_was_read_is_remembered_without_its_text_and_for_its_tenant_alone() -> None:
    clock = FakeClock()
    memory = Memory(clock)
    memory.keep(("a", "m"), "met Zoë Roe", [Name("PERSON", "Zoë Roe")])
    assert memory.recall(("a", "m"), "met Zoë Roe") == [Name("PERSON", "Zoë Roe")]
    assert memory.recall(("b", "m"), "met Zoë Roe") is None
    assert "Roe" not in repr(vars(memory))
    await clock.advance(901)
    assert memory.recall(("a", "m"), "met Zoë Roe") is None


def test_the_simulated_model_finds_names_where_it_is_asked_for_them() -> None:
    text = "Dear Zora Quill, Ludwig van Stein of Kestrel Works GmbH called. The end is near."
    messages = question("m", text, KINDS, plain=False)["messages"]
    reply = names_reply(messages)
    assert reply is not None
    names = sifted(text, answer(chat(reply)), strict=False)
    assert set(names) == {
        ("PERSON", "Zora Quill"),
        ("PERSON", "Ludwig van Stein"),
        ("ORG", "Kestrel Works GmbH"),
    }
    assert names_reply([{"role": "user", "content": text}]) is None
    assert names_reply([{"role": "system", "content": "Be kind."}, messages[1]]) is None
