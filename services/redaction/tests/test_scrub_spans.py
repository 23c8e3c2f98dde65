"""Overlapping finds become one: which kind it gets, which value it is, and nothing is left out."""

import re

import pytest

from spark_redaction.scrub import Book, Detector, Dictionary, Entity, Kind, Scrubber
from spark_redaction.scrub.scrubber import LeakError
from spark_redaction.scrub.spans import Span, united
from spark_redaction.scrub.view import View, folded_view, mapped_view

P, E, N = Kind.PERSON, Kind.EMAIL, Kind.NUMBER


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([], []),
        ([Span(3, 3, P, "x"), Span(5, 4, P, "x")], []),
        # Neighbours stay two.
        ([Span(4, 8, E, "b"), Span(0, 4, P, "a")], [Span(0, 4, P, "a"), Span(4, 8, E, "b")]),
        # Alike in rank, the longer one wins, wherever it begins.
        ([Span(0, 4, P, "a"), Span(3, 9, E, "b")], [Span(0, 9, E, "")]),
        ([Span(0, 6, P, "a"), Span(5, 9, E, "b")], [Span(0, 9, P, "")]),
        # Alike in length as well, the first one does.
        ([Span(10, 14, P, "a"), Span(12, 16, E, "b")], [Span(10, 16, P, "")]),
        # A higher rank wins however short it is, and its value is the union's, which nobody named.
        ([Span(0, 9, P, "a", 50), Span(2, 4, E, "b", 60)], [Span(0, 9, E, "", 60)]),
        ([Span(0, 9, P, "a", 50), Span(2, 4, E, "b", 40)], [Span(0, 9, P, "a", 50)]),
        # The same place: the winner keeps its value.
        ([Span(2, 7, P, "a", 50), Span(2, 7, E, "b", 60)], [Span(2, 7, E, "b", 60)]),
        # The length that counts is the winner's own, not that of the union.
        (
            [Span(0, 4, P, "a"), Span(3, 9, E, "b"), Span(8, 15, N, "c")],
            [Span(0, 15, N, "")],
        ),
        (
            [Span(0, 8, P, "a"), Span(7, 12, E, "b"), Span(11, 18, N, "c")],
            [Span(0, 18, P, "")],
        ),
    ],
)
def test_overlaps_become_one(spans: list[Span], expected: list[Span]) -> None:
    assert united(spans) == expected
    assert united(reversed(spans)) == expected


ALICE = Dictionary([Entity(P, "Alice Smith")])
WALLET = "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2"


@pytest.mark.parametrize(
    ("before", "found", "kind", "key"),
    [
        ("see ", "https://a.test/alice.smith@corp.internal/x", Kind.LINK, ""),
        # A name that goes on behind an address belongs to it.
        ("", "https://a.test/Alice Smith", Kind.LINK, ""),
        ("", "Alice Smith://a.test/", Kind.LINK, ""),
        ("to ", f"https://a.test/{WALLET}/x", Kind.CRYPTO, ""),
        ("to ", "https://a.test/?token=sk-abcdEFGH12345678abcdEFGH12345678x&z=1", Kind.SECRET, ""),
        ("", "https://a.test/[[PERSON_1]]", Kind.LINK, ""),
        ("", "Alice Smith", P, "alice smith"),
        ("", WALLET, Kind.CRYPTO, WALLET),
    ],
)
def test_an_address_with_something_in_it_is_hidden_whole(
    before: str, found: str, kind: Kind, key: str
) -> None:
    text = f"{before}{found} now"
    (span,) = Detector((ALICE,)).spans(text)
    assert (text[span.start : span.end], span.kind, span.key) == (found, kind, key)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Alice Smith and Bob Jones", "[[PERSON_1]] and Bob Jones"),
        ("Bob Jones Alice Smith", "Bob Jones [[PERSON_1]]"),
        # What is kept is kept for itself, not for what it is a part of.
        ("bob.jones@corp.internal", "[[EMAIL_1]]"),
        ("password: x9$kk", "password: [[SECRET_1]]"),
    ],
)
def test_what_is_to_be_kept_stays_but_for_secrets(text: str, shown: str) -> None:
    people = Dictionary([Entity(P, "Alice Smith"), Entity(P, "Bob Jones")])
    keep = Dictionary([Entity(P, "Bob Jones"), Entity(Kind.OTHER, "x9$kk")])
    assert Scrubber(Detector((people,), keep=keep), Book()).text(text).value == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[[PERSON_1]], [[PERSON_9]]", "[[PERSON_1]], [[LITERAL_1]]"),
        ("[[PERSON_1]] Alice Smith [[PERSON_1]]", "[[PERSON_1]] [[PERSON_1]] [[PERSON_1]]"),
        # What is said in two ways stays one.
        ("415-555-0132 or (415) 555-0132", "[[PHONE_1]] or [[PHONE_1B]]"),
        # An address around it is hidden on both sides, and it stays.
        ("https://a.test/[[PERSON_1]]/alice@corp.internal", "[[LINK_1]][[PERSON_1]][[LINK_2]]"),
        ("https://a.test/[[PERSON_1]]", "[[LINK_1]][[PERSON_1]]"),
        (
            "https://a.test/?token=sk-abcdEFGH12345678abcdEFGH12345678x&p=[[PERSON_1]]&q=2 now",
            "[[SECRET_1]][[PERSON_1]][[SECRET_2]] now",
        ),
    ],
)
def test_placeholders_of_the_same_book_may_stay(text: str, shown: str) -> None:
    book = Book()
    assert book.token_for(P, "alice smith", "Alice Smith") == "[[PERSON_1]]"
    assert Scrubber(Detector((ALICE,)), book).text("[[PERSON_1]]").value == "[[LITERAL_1]]"
    book = Book(book.entries()[:1])
    assert Scrubber(Detector((ALICE,)), book, passthrough=True).text(text).value == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("x Alice SmithPERSON_3 and more", "x [[PERSON_1]][[LITERAL_1]] and more"),
        ("\U0001f600Alice Smith\u0301PERSON_2 more", "\U0001f600[[PERSON_1]][[LITERAL_1]] more"),
        (
            "4111 1111 1111 1111PERSON_2, 415-555-0132PERSON_3 more",
            "[[CARD_1]][[LITERAL_1]], [[PHONE_1]][[LITERAL_2]] more",
        ),
    ],
)
def test_what_stands_free_only_beside_a_placeholder_is_found_in_its_place(
    text: str, shown: str
) -> None:
    assert Scrubber(Detector((ALICE,)), Book()).text(text).value == shown


def test_a_text_in_which_there_is_always_more_to_find_is_refused() -> None:
    def first_letter(text: str) -> list[Span]:
        found = re.search("[a-z]", text)
        return [] if found is None else [Span(*found.span(), Kind.OTHER, "")]

    scrubber = Scrubber(Detector(more=first_letter), Book())
    assert scrubber.text("a, b, c").value == "[[OTHER_1]], [[OTHER_2]], [[OTHER_3]]"
    with pytest.raises(LeakError, match="still holds something personal"):
        scrubber.text("a, b, c, d")


@pytest.mark.parametrize(
    ("raw", "seen", "within", "range_"),
    [
        ("Alice", "Alice", (1, 3), (1, 3)),
        ("\u0410lic\u00e9", "Alice", (0, 5), (0, 5)),
        # One character becomes two; half of it is the whole of it.
        ("\u00df\u00df", "ssss", (0, 2), (0, 1)),
        ("x\u00dfy", "xssy", (1, 2), (1, 2)),
        ("x\u00dfy", "xssy", (2, 4), (1, 3)),
        # A mark goes with its letter, what cannot be seen does not.
        ("e\u0301x", "ex", (0, 1), (0, 2)),
        ("\u0301ex", "ex", (0, 1), (1, 2)),
        ("a\u200bb", "ab", (0, 1), (0, 1)),
        ("a\u200bb", "ab", (0, 2), (0, 3)),
    ],
)
def test_a_find_in_the_folded_text_is_one_in_the_raw_text(
    raw: str, seen: str, within: tuple[int, int], range_: tuple[int, int]
) -> None:
    view = folded_view(raw)
    assert view.text == seen
    assert view.raw(*within) == range_
    mapped = mapped_view(raw, range(10, 10 + len(raw)), range(11, 11 + len(raw)))
    assert mapped.text == seen
    assert mapped.raw(*within) == (range_[0] + 10, range_[1] + 10)


def test_a_view_knows_what_is_in_it() -> None:
    assert View("\u0130x").lower == "\u0130x"
    assert View("Ab \u00c4").lower == "ab \u00e4"
    assert View("A\u00e9\u2026").octets == b"A\xff\xa4"
    assert View("A\u00c9").low_octets == b"a\xff"
    assert (View("a 1").has_digits, View("a b").has_digits) == (True, False)
    assert (View("all small").cased, View("One").cased, View("1 2").cased) == (False, True, True)
    assert View("it's 2 O'Brien-x").words == {"it", "s", "2", "o", "brien", "x"}
    assert View("d\u00e9j\u00e0_vu").words == {"d\u00e9j\u00e0", "vu"}
    assert (View("a\u738b").other_scripts, View("a\u00e9").other_scripts) == (True, False)
