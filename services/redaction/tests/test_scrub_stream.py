"""A stream, cut anywhere, gives what the whole gives."""

from hypothesis import given, settings
from hypothesis import strategies as st

from spark_redaction.scrub import Book, Kind, Rehydrator
from spark_redaction.scrub.tokens.stream import StreamRehydrator

BOOK = Book()
for name in ("Alice Smith", "SMITH"):
    BOOK.token_for(Kind.PERSON, "alice", name)
for number in range(2, 12):
    BOOK.token_for(Kind.PERSON, f"p{number}", f"Person Number{number}")
BOOK.token_for(Kind.EMAIL, "mail", 'a"b@corp.internal')

TEXTS = [
    "Ask [[PERSON_1]] and [[PERSON_11]], then [[PERSON_1B]]'s mail [[EMAIL_1]].",
    "x [PERSON_1] {person_2} <PERSON 3> PERSON_4s (see PERSON_5) [[PERSON_1 [PERSON_6, PERSON_7] y",
    "https://evil.test/?q=[[PERSON_1]]&r=PERSON_2 and %5B%5BPERSON_1%5D%5D &#91;&#91;PERSON_2&#93;]",
    "[[PERSON_", "[[[PERSON_1]]]]", "PERSON", "[[PERSON_97]] [[PERSOON_1]] ask PERSON_1", "\\[\\[PERSON\\_1\\]\\]",
    "p\u200berson_1 ［［PERSON＿１］］ [[ PERSON : 2 ]]\n`PERSON_3` **[[PERSON_4]]**", "[[PERSON_1]][[PERSON_2]]PERSON_3",
    "%255B%255BPERSON_1%255D%255D &amp;#91;&amp;#91;PERSON_2&amp;#93;&amp;#93; <PERSON_3/> [[PERSON_1 2]] PERSON_1\u00b2 PERSON_1x [[PERSON_1x]]",
    "[[PERSON_1's]] car, [PERSON_2’s] dog, [[PERSON_3's cat; www.a.test/[[EMAIL_1]] https:\\/\\/a.test\\/[[EMAIL_1]]",
]  # fmt: skip


def whole(text: str) -> str:
    return Rehydrator(BOOK).text(text)[0]


def streamed(pieces: list[str]) -> str:
    stream = StreamRehydrator(Rehydrator(BOOK))
    return "".join(stream.feed(piece) for piece in pieces) + stream.close()


def test_every_cut_and_every_character_by_itself() -> None:
    for text in TEXTS:
        expected = whole(text)
        assert streamed(list(text)) == expected
        for cut in range(len(text) + 1):
            assert streamed([text[:cut], text[cut:]]) == expected, (text, cut)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(
        st.sampled_from([*"[]{}()<>_-1290 \\%&;#sB\n", "PERSON", "[[PERSON_1]]", "5B", "https://a.test/", "www.a.test/", "'s", "\\/", "EMAIL", "per", "son"]),
        max_size=24,
    ),
    st.lists(st.integers(1, 9), min_size=1, max_size=5),
)  # fmt: skip
def test_any_text_in_any_pieces(parts: list[str], sizes: list[int]) -> None:
    text = "".join(parts)
    pieces, at = [], 0
    while at < len(text):
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(text[at : at + size])
        at += size
    assert streamed(pieces) == whole(text)


def test_little_is_held_back_and_ordinary_prose_is_not() -> None:
    stream = StreamRehydrator(Rehydrator(BOOK))
    assert stream.feed("Hello there, this is fine. ") == "Hello there, this is fine. "
    assert stream.feed("Ask [") == "Ask "
    assert stream.feed("[PERSON_1]]!") == "Alice Smith!"
