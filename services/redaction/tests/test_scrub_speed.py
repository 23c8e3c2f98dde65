"""What is left out to be fast is what would find nothing: shortcuts beside the long way."""

from collections.abc import Iterable

import re2
from hypothesis import given
from hypothesis import strategies as st

from spark_redaction.scrub import patterns
from spark_redaction.scrub.checksums import digits_of, luhn
from spark_redaction.scrub.folding import folded
from spark_redaction.scrub.kinds import NAMES, Kind
from spark_redaction.scrub.patterns import Pattern
from spark_redaction.scrub.recognisers import national, phone
from spark_redaction.scrub.tokens.grammar import bent_tokens, exact_tokens
from spark_redaction.scrub.tokens.rehydrate import views
from spark_redaction.scrub.view import folded_view


def _shaped(found: Iterable[Pattern]) -> st.SearchStrategy[str]:
    """Texts in which the patterns occur, among digits and signs."""
    shapes = [st.from_regex(pattern.source).map(lambda b: b.decode("latin-1")) for pattern in found]
    return st.lists(st.one_of(*shapes, st.text("0123 -./", max_size=4)), max_size=4).map(" ".join)


_BENT = st.lists(
    st.one_of(
        st.sampled_from(
            [*"[](){}<>_-: \\'sSaB,/@1\n", "[[PERSON_1]]", "PHONE", "person", "_2", "'s"]
        ),
        st.sampled_from(NAMES).map(lambda name: f"[[{name}_12B]]"),
        st.characters(),
    ),
    max_size=24,
).map("".join)
_WRITTEN = (
    ("", "so ", "["),
    ("", "[", "[[", "[ [ ", "\\[\\[ ", "(", "{ {\n"),
    ("PERSON_1", "person 12", "Card~3B", "EMAIL-4s"),
    ("", "'s"),
    ("", "]", "]]", " ] ]", " \\]\\ ]", ")", " } }"),
    ("", ",", " so", "["),
)
_SOURCES = (rb"(a)|b+", rb"\b(\d{2})(-\d)?", rb"x*", rb"(?:^|[^a-z])tel(?:[^a-z]|$)")


@given(st.sampled_from(_SOURCES), st.text("aAbBx-12 telé", max_size=30), st.integers(0, 40))
def test_matches_are_those_of_the_public_wrapper(source: bytes, text: str, start: int) -> None:
    view = folded_view(text)
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.case_sensitive = False
    public = re2.compile(source, options)
    groups = range(public.groups + 1)
    ours, theirs = Pattern(source).matches(view), public.finditer(view.octets)
    assert [[(m.span(group), m[group]) for group in groups] for m in ours] == [
        [(m.span(group), m[group] or b"") for group in groups] for m in theirs
    ]
    first, expected = Pattern(source).first(view, start), public.search(view.octets, start)
    assert (first and first.span()) == (expected and expected.span())
    assert patterns.any_of(Pattern(source)).is_in(view.octets) == bool(public.search(view.octets))


@given(_shaped(phone._PATTERNS))
def test_rare_telephones_are_gated_by_what_they_need(text: str) -> None:
    view = folded_view(text)
    every = {
        (*match.span(), Kind.PHONE, digits_of(view.text[match.start() : match.end()]))
        for pattern in phone._PATTERNS
        for match in pattern.matches(view)
        if phone._is_number(view, *match.span(), needs_words=pattern is phone._ONLY_WITH_WORDS)
    }
    glued = {found for found in phone._find(view) if found[0] and view.text[found[0] - 1].isalpha()}
    assert set(phone._find(view)) - glued == every - glued


@given(_shaped(pattern for family in national._FAMILIES for pattern, _ in family))
def test_families_of_numbers_are_gated_by_what_they_need(text: str) -> None:
    view = folded_view(text)
    there = [pattern for pattern, _ in national._there(view)]
    for family in national._FAMILIES:
        for pattern, _ in family:
            assert pattern in there or not list(pattern.matches(view))


@given(_BENT)
def test_exact_placeholders_need_not_be_looked_at_as_bent_ones(text: str) -> None:
    exact = list(exact_tokens(text))
    starts = {token.start for token in exact}
    for view in views(text):
        left_out = set(bent_tokens(view, "lenient")) - set(bent_tokens(view, "lenient", starts))
        assert all(any(t.start < e.end and e.start < t.end for e in exact) for t in left_out)


def test_exact_placeholders_are_left_out() -> None:
    text = "[[PERSON_1]] and person_2"
    assert [t.number for t in bent_tokens(folded_view(text), "lenient", {0})] == [2]


@given(st.tuples(*map(st.sampled_from, _WRITTEN)).map("".join))
def test_whatever_has_brackets_is_seen_without_being_lenient(text: str) -> None:
    view = folded_view(text)
    missing = set(bent_tokens(view, "lenient")) - set(bent_tokens(view, "standard"))
    assert all(set("[{<()>}]").isdisjoint(folded(text[t.start : t.end])) for t in missing)


@given(st.text())
def test_digits_are_the_ascii_ones(text: str) -> None:
    assert digits_of(text) == "".join(sign for sign in text if sign in "0123456789")


@given(st.text("0123456789", min_size=1, max_size=20))
def test_luhn_doubles_every_second_digit_from_the_right(digits: str) -> None:
    values = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    valid = sum(sum(map(int, str(value))) for value in values) % 10 == 0
    assert luhn(digits) == (valid and set(digits) != {"0"})
