"""Whole classes of values, made up anew at each run: what is said, dialled, carried, mistyped."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spark_redaction.scrub import Book, Detector, Dictionary, Entity, Kind, Rehydrator, Scrubber
from spark_redaction.scrub.spoken.numbers import spoken_digits
from spark_redaction.scrub.view import folded_view

NOBODY = Detector()
ALICE = Detector((Dictionary([Entity(Kind.PERSON, "Alice Hofmeister", id="1")]),))
FRENCH = [
    "zéro",
    "un",
    "deux",
    "trois",
    "quatre",
    "cinq",
    "six",
    "sept",
    "huit",
    "neuf",
    "dix",
    "onze",
    "douze",
    "treize",
    "quatorze",
    "quinze",
    "seize",
    "dix-sept",
    "dix-huit",
    "dix-neuf",
]
FRENCH_TENS = ["vingt", "trente", "quarante", "cinquante", "soixante"]
GERMAN = ["null", "ein", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn"]
GERMAN_TENS = [
    "zwanzig",
    "dreißig",
    "vierzig",
    "fünfzig",
    "sechzig",
    "siebzig",
    "achtzig",
    "neunzig",
]
SPANISH = ["cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve"]
SPANISH_TENS = ["treinta", "cuarenta", "cincuenta", "sesenta", "setenta", "ochenta", "noventa"]


def in_french(number: int) -> str:
    if number < 20:
        return FRENCH[number]
    if number >= 80:
        return "quatre-vingts" if number == 80 else f"quatre-vingt-{FRENCH[number - 80]}"
    tens, units = divmod(number, 10) if number < 60 else (6, number - 60)
    ten = FRENCH_TENS[tens - 2]
    if units in (1, 11):
        return f"{ten} et {FRENCH[units]}"
    return f"{ten}-{FRENCH[units]}" if units else ten


def in_german(number: int) -> str:
    tens, units = divmod(number, 10)
    return f"{GERMAN[units]}und{GERMAN_TENS[tens - 2]}" if units else GERMAN_TENS[tens - 2]


def in_spanish(number: int) -> str:
    tens, units = divmod(number, 10)
    return f"{SPANISH_TENS[tens - 3]} y {SPANISH[units]}" if units else SPANISH_TENS[tens - 3]


def left(text: str, detector: Detector = NOBODY) -> str:
    """What is let out; it has to come back whole."""
    book = Book()
    scrubbed = str(Scrubber(detector, book).text(text).value)
    assert Rehydrator(book).text(scrubbed)[0] == text
    return scrubbed


@pytest.mark.parametrize(
    ("say", "first"), [(in_french, 10), (in_german, 20), (in_spanish, 30)], ids=["fr", "de", "es"]
)
def test_every_pair_that_is_said_is_heard_as_the_number_it_is(say, first) -> None:
    for number in range(first, 100):
        said = f"{say(99)}, {say(number)}"
        assert "".join(spoken_digits(folded_view(said))) == f"99{number}", said


@given(st.lists(st.integers(20, 99), min_size=4, max_size=5))
def test_numbers_in_pairs_are_hidden_in_any_of_the_languages(pairs: list[int]) -> None:
    for say in (in_french, in_german):
        said = ", ".join(map(say, pairs))
        assert left(f"ok: {said}.") in {"ok: [[PHONE_1]].", "ok: [[NUMBER_1]].", "ok: [[SSN_1]]."}


LABELS = (
    "Tel. ",
    "Telefon: ",
    "phone: ",
    "fax ",
    "meine Nummer ist ",
    "mon numéro est le ",
    "<phone>",
    '"tel": "',
)
CALLS = ("ruf mich unter ", "call me at ", "appelez le ", "llama al ", "zadzwoń ", "ligue para ")


@given(
    st.sampled_from(LABELS + CALLS),
    st.integers(100_000, 999_999),
    st.sampled_from(["{}", "{:.2} {:.2} {:.2}"]),
)
def test_six_digits_are_a_telephone_where_words_say_so(label: str, number: int, shape: str) -> None:
    digits = str(number)
    written = shape.format(digits[:2], digits[2:4], digits[4:]) if " " in shape else digits
    assert left(f"{label}{written}, danke") == f"{label}[[PHONE_1]], danke"


@given(
    st.integers(100_000, 999_999),
    st.sampled_from(["times", "functions", "Zeilen", "users", "characters", "mal"]),
)
def test_six_digits_that_count_something_are_left(number: int, things: str) -> None:
    for text in (f"call {number} {things}", f"phone {number} {things}", f"the number is {number}"):
        assert left(text) == text


@given(
    st.integers(0, 99_999_999),
    st.sampled_from(["RR", "CP", "EA", "LX"]),
    st.sampled_from(["DE", "GB", "CN"]),
)
def test_parcels_of_every_post_are_known_by_their_check_digit(
    number: int, sort: str, land: str
) -> None:
    digits = f"{number:08}"
    rest = 11 - sum(int(d) * w for d, w in zip(digits, (8, 6, 4, 2, 3, 5, 9, 7), strict=True)) % 11
    parcel = f"{sort}{digits}{ {10: 0, 11: 5}.get(rest, rest) }{land}"
    assert left(f"see {parcel}") == "see [[IDENT_1]]"


NAMES = st.sampled_from(["Anger", "Eschenbach", "Alten Rathaus", "Birkenhain", "Weißen Stein"])


@given(
    st.sampled_from(["Am", "Im", "Zum", "Auf der", "Hinter dem", "Beim"]),
    NAMES,
    st.integers(1, 199),
)
def test_a_street_without_the_word_is_one_where_somebody_lives(
    at: str, name: str, house: int
) -> None:
    street = f"{at} {name} {house}"
    for frame in (
        "sie wohnt jetzt {}.",
        "unser Büro ist {} zu finden",
        "Bob, {}, kommt",
        "Bob\n{}\n07743 Jena",
    ):
        assert name not in left(frame.format(street)), frame


@given(
    st.sampled_from(["Tage", "Minuten", "Personen", "Euro", "Jahre lang"]),
    NAMES,
    st.integers(1, 199),
)
def test_a_count_behind_a_name_is_no_house(things: str, name: str, count: int) -> None:
    text = f"sie wohnt Am {name} {count} {things}"
    assert left(text) == text


@given(st.integers(1, 8), st.sampled_from(["swap", "drop", "double"]))
def test_a_mistyped_name_is_hidden_and_is_nobodys(place: int, slip: str) -> None:
    name = "Hofmeister"
    middle = {
        "swap": name[place + 1 : place - 1 : -1] if place > 1 else name[2:0:-1],
        "drop": "",
        "double": name[place] * 2,
    }[slip]
    end = place + (2 if slip == "swap" else 1)
    mistyped = name[:place] + middle + name[end:]
    text = f"gestern kam Alice {mistyped} an"
    assert mistyped not in left(text, ALICE)
    keys = {span.key for span in ALICE.spans(text) if text[span.start : span.end] == mistyped}
    assert mistyped == name or keys == {f"near:{mistyped.lower()}"}


def test_what_stands_in_a_list_is_of_the_key_of_the_list() -> None:
    document = {"phone": ["123456", "234567"], "rows": ["123456", 234567]}
    book = Book()
    hidden = Scrubber(NOBODY, book).document(document).value
    assert hidden["phone"] == ["[[PHONE_1]]", "[[PHONE_2]]"]
    assert hidden["rows"] == document["rows"]
