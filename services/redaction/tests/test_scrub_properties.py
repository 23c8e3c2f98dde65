"""What holds for any text at all: it comes back whole, and nothing else is touched."""

import json
from base64 import b64encode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spark_redaction.scrub import Book, Detector, Dictionary, Entity, Kind, Rehydrator, Scrubber
from spark_redaction.scrub.documents.putting_back import rehydrated_text, rehydrated_tree
from spark_redaction.scrub.tokens.rehydrate import Report
from spark_redaction.scrub.verify import survivors

PEOPLE = Dictionary(
    [Entity(Kind.PERSON, "Alice Smith", ("Ali",)), Entity(Kind.ORG, "Acme Widgets GmbH")]
)
DETECTOR = Detector((PEOPLE,))
FRAGMENTS = st.sampled_from(
    """
    Alice|SMITH|alice.smith@corp.internal|415-555-0132|4111 1111 1111 1111|[[PERSON_1]]|PERSON_1|
    person_2|[[|]]|_1|PERSON|[PERSON 1]|%5B%5BPERSON_1%5D%5D|&#91;PERSON_1&#93;|https://a.test/|?q=|
    four one five five five five oh one three two|a dot smith at corp dot com|\\u0041lice|\\|"|'|(|)|
    <|>|{|}|\n| |\t|\u200b|\u00e9|\ufb01|\U0001f600|\u0301|王小明|Ａｌｉｃｅ|\u0410lice|password: x9$|
    DE89370400440532013000|203.0.113.9|0|7|-|.|,|:|=40|%40|&amp;|born 1.2.1984|LITERAL_1|[[X_1]]
    """.replace("\n    ", "").split("|")
)
TEXTS = st.lists(st.one_of(FRAGMENTS, st.text(max_size=6)), max_size=10).map("".join)
CHEAP = settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


@CHEAP
@given(TEXTS)
def test_any_text_comes_back_whole_and_only_what_was_found_is_replaced(text: str) -> None:
    book = Book()
    scrubbed = Scrubber(DETECTOR, book).text(text)
    restored, report = Rehydrator(book).text(scrubbed.value)
    assert restored == text
    assert report.unresolved == [] or "[[" in text
    exact, _ = Rehydrator(book, "exact").text(scrubbed.value)
    assert exact == text


@CHEAP
@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(-(10**18), 10**18), TEXTS),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)
        ),
        max_leaves=6,
    )
)
def test_any_document_stays_json_and_comes_back_equal(document: object) -> None:
    book = Book()
    source = json.dumps(document)
    scrubbed = Scrubber(DETECTOR, book).text(source, "auto")
    if source[0] in "[{":
        json.loads(scrubbed.value)
    assert rehydrated_text(scrubbed.value, Rehydrator(book))[0] == source
    tree = Scrubber(DETECTOR, book).document(document)
    assert rehydrated_tree(tree.value, Rehydrator(book), Report()) == document


@pytest.mark.parametrize(
    "text", ["", " ", "\0", "[[", "]]", "\ud800", "a" * 3000, "[[PERSON_1]]" * 9]
)
def test_edges_come_back_too(text: str) -> None:
    book = Book()
    assert Rehydrator(book).text(Scrubber(DETECTOR, book).text(text).value)[0] == text


WALLET = "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2"


def test_what_looks_like_a_wallet_is_one_outside_of_pictures_alone() -> None:
    picture = f"data:image/png;base64,{WALLET}/{WALLET}"
    text = f"{WALLET} {picture} then {WALLET} and {picture}\n{WALLET}"
    wallets = [span for span in Detector().spans(text) if span.kind is Kind.CRYPTO]
    assert [span.start for span in wallets] == [0, text.index("then ") + 5, len(text) - len(WALLET)]


@pytest.mark.parametrize("deep", [0, 1, 2, 3])
def test_what_is_encoded_as_deep_as_is_looked_is_seen_to_survive(deep: int) -> None:
    book = Book()
    book.token_for(Kind.EMAIL, "alice.smith@corp.internal", "alice.smith@corp.internal")
    text = "alice.smith@corp.internal"
    for _ in range(deep):
        text = b64encode(text.encode()).decode()
    assert survivors(f"so: {text} it is", book.entries()) == {Kind.EMAIL}
