"""What survives a scrub: long values anywhere, short ones as words, numbers also when said."""

import pytest

from spark_redaction.scrub import Book, Kind
from spark_redaction.scrub.verify import survivors

PERSON, PHONE, NUMBER = Kind.PERSON, Kind.PHONE, Kind.NUMBER


def survives(text: str, kind: Kind, value: str, key: str = "") -> bool:
    book = Book()
    book.token_for(kind, key or value.lower(), value)
    found = survivors(text, book.entries())
    assert found <= {kind}
    return bool(found)


@pytest.mark.parametrize(
    ("text", "value", "there"),
    [
        # From six letters and digits on it is found anywhere, however it is cut up.
        ("xalicesx", "Alices", True),
        ("A.L-I C.E\nS", "Alices", True),
        ("alice", "Alices", False),
        ("de la Straße 5", "Strasse", True),
        # A shorter one is looked for as a word, in any case.
        ("malice", "Alice", False),
        ("ask ALICE!", "Alice", True),
        ("to bob jo and", "Bob Jo", True),
        ("to jo bob and", "Bob Jo", False),
        ("b o b", "Bob", False),
        ("ask kai", "Kai", True),
        # A very short one, and one that is an ordinary word as well, as it was written.
        ("ask Qo", "Qo", True),
        ("ask qo", "Qo", False),
        ("a wolf came", "Wolf", False),
        ("Wolf came", "Wolf", True),
        ("all summer long", "Summer", False),
        ("midSummer", "Summer", False),
        ("ask Summer.", "Summer", True),
        # Nothing that says somebody.
        ("this and that", "and", False),
        ("... --", "...", False),
    ],
)
def test_a_name_survives_as_far_as_it_can_be_told_from_other_words(
    text: str, value: str, there: bool
) -> None:
    assert survives(text, PERSON, value) is there


@pytest.mark.parametrize(
    ("text", "kind", "value", "key", "there"),
    [
        ("my pin is one two three four", NUMBER, "1234", "", True),
        ("nine one two three four nine", NUMBER, "1234", "", True),
        ("one two three four", NUMBER, "1243", "", False),
        # Three digits are said by chance.
        ("one two three", NUMBER, "123", "", False),
        # What is no number is not looked for among numbers.
        ("one two three four", PERSON, "1234", "", False),
        # A number that was said is known by its key.
        ("four one five five five five oh one three two", PHONE, "four one five", "4155550132", True),
        ("three digits, four five six seven", PHONE, "none", "", False),
    ],
)  # fmt: skip
def test_a_number_survives_when_it_is_said(
    text: str, kind: Kind, value: str, key: str, there: bool
) -> None:
    assert survives(text, kind, value, key) is there


def test_placeholders_are_not_what_they_stand_for_and_literals_are_nobodys() -> None:
    book = Book()
    person = book.token_for(PERSON, "person", "Person")
    book.token_for(Kind.LITERAL, "[PERSON 9]", "[PERSON 9]")
    assert survivors(f"{person} and [PERSON 9]", book.entries()) == set()
    book.token_for(PHONE, "4155550132", "415-555-0132")
    book.token_for(Kind.EMAIL, "a@corp.internal", "a@corp.internal")
    both = "(415) 555 0132 or A at corp dot internal, a@CORP.internal"
    assert survivors(both, book.entries()) == {PHONE, Kind.EMAIL}
