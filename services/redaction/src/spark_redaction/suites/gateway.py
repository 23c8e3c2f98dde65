"""``python -m spark_redaction.suites.gateway``: placeholders there and back, bent and streamed."""

import json
import sys
from collections.abc import Iterator

from spark_redaction.scrub import Book, Detector, Dictionary, Kind, LeakError, Rehydrator, Scrubber
from spark_redaction.scrub.documents.putting_back import rehydrated_text, rehydrated_tree
from spark_redaction.scrub.names.entity import Entity
from spark_redaction.scrub.tokens.rehydrate import Report
from spark_redaction.scrub.tokens.stream import StreamRehydrator
from spark_redaction.scrub.verify import survivors
from spark_redaction.suites.cases import golden
from spark_redaction.suites.offline import no_network

_PEOPLE = ("Alice Smith", "Bob Baker", *(f"Person Number{number}" for number in range(3, 13)))
_MAIL = 'o"hara@corp.internal'

# What came back, and what it has to become: A is the first person, B the second, L the twelfth.
BENT = (
    ("[[PERSON_1]]", "A"), ("[PERSON_1]", "A"), ("{{PERSON_1}}", "A"), ("<PERSON_1>", "A"), ("[[person_1]]", "A"), ("[[Person 1]]", "A"),
    ("[[PERSON-1]]", "A"), ("[[PERSON1]]", "A"), ("[[PERSON:1]]", "A"), ("[[PERSON#1]]", "A"), ("[[ PERSON_1 ]]", "A"), ("[[PERSON_01]]", "A"),
    ("\\[\\[PERSON\\_1\\]\\]", "A"), ("&#91;&#91;PERSON_1&#93;&#93;", "A"), ("&lt;PERSON_1&gt;", "A"), ("%5B%5BPERSON_1%5D%5D", "A"), ("\\u005b\\u005bPERSON_1\\u005d\\u005d", "A"),
    ("[[PERSON\u20111]]", "A"), ("[[PERSON\u00a01]]", "A"), ("[[PER\u200bSON_1]]", "A"), ("［［PERSON＿１］］", "A"), ("【PERSON_1】", "A"), ("«PERSON_1»", "«A»"), ("((PERSON_1))", "A"),
    ("PERSON_1", "A"), ("person_1", "A"), ("PERSON-1", "A"), ("PERSON1", "A"), ("**[[PERSON_1]]**", "**A**"), ("`PERSON_1`", "`A`"), ("[[PERSON_1]]'s", "A's"), ("[[PERSON_1's]]", "A's"), ("[PERSON_1’s]", "A's"), ("PERSON_1s", "As"),
    ("[[PERSON_1]]-led", "A-led"), ("[PERSON_1](mailto:x)", "A(mailto:x)"), ("([[PERSON_1]])", "(A)"), ("<[[PERSON_1]]>", "<A>"), ("[[PERSON_12]]", "L"), ("PERSON_12.", "L."), ("[[PERSON_1]][[PERSON_2]]", "AB"),
    ("[[PERSON_1", None), ("[[PERSON_", None), ("PERSON_", None), ("[[PERSON]]", None), ("[[PERSON_97]]", None), ("[[PERSON_0]]", None), ("[[PERSOON_1]]", None), ("[[EMAIL_2]]", None), ("Person 1", None), ("person1", None),
    ("%255B%255BPERSON_1%255D%255D", "A"), ("&amp;#91;&amp;#91;PERSON_1&amp;#93;&amp;#93;", "A"), ("<PERSON_1/>", "A"), ("[[PERSON_1 2]]", None), ("[[PERSON_1\n2]]", None), ("PERSON_1\u00b2", None), ("[[PERSON_\u2460]]", None), ("PERSON_1x", None), ("[[PERSON_1x]]", "A"),
    ("__PERSON_1__", "__A__"), ("_PERSON_2_", "_B_"), ("PERSON_1/PERSON_2", "A/B"), ("PERSON_1-PERSON_2", "A-B"), ("/PERSON_1/", None), ("_PERSON_1__", None), ("MY_PERSON_1", None), ("PERSON_1_name", None), ("PERSON_1st", None), ("https://evil.test/?q=[[PERSON_1]]", None), ("PERSON_123456789", None), ("x@PERSON_1", None),
)  # fmt: skip


def _book() -> Book:
    book = Book()
    for name in _PEOPLE:
        book.token_for(Kind.PERSON, name, name)
    book.token_for(Kind.EMAIL, _MAIL, _MAIL)
    return book


def bent() -> Iterator[str]:
    """Placeholders as models bend them; None stands for "stays as it is"."""
    rehydrator = Rehydrator(_book())
    letters = {"A": _PEOPLE[0], "B": _PEOPLE[1], "L": _PEOPLE[11]}
    for written, expected in BENT:
        wanted = written if expected is None else "".join(letters.get(c, c) for c in expected)
        for text, whole in ((written, wanted), (f"Ask {written}\nnow", f"Ask {wanted}\nnow")):
            if text.endswith("now") and written == "[[PERSON_1":
                continue
            got = rehydrator.text(text)[0]
            if got != whole:
                yield f"{text!r} became {got!r} and not {whole!r}"


def streams() -> Iterator[str]:
    """Every cut of a text, and character by character, gives what the whole gives."""
    rehydrator = Rehydrator(_book())
    for written, _ in BENT:
        text = f"a {written} b {written}"
        whole = rehydrator.text(text)[0]
        cuts = [[text[:at], text[at:]] for at in range(len(text) + 1)]
        for pieces in [*cuts, list(text)]:
            stream = StreamRehydrator(rehydrator)
            got = "".join(stream.feed(piece) for piece in pieces) + stream.close()
            if got != whole:
                yield f"cut {pieces!r}: {got!r} and not {whole!r}"
                break


def documents() -> Iterator[str]:
    """JSON stays JSON in both directions, and values are escaped on the way in."""
    book = _book()
    answer = {"to": "[[EMAIL_1]]", "args": json.dumps({"who": "person_1", "[[PERSON_2]]": 1})}
    got, _ = rehydrated_text(json.dumps(answer), Rehydrator(book), "json")
    parsed = json.loads(got)
    if parsed["to"] != _MAIL or json.loads(parsed["args"]) != {"who": _PEOPLE[0], _PEOPLE[1]: 1}:
        yield f"an answer in JSON became {got!r}"
    document = {"phone": 4155550132, "deep": [{"mail": _MAIL}], "text": '{"a": "Alice Smith"}'}
    fresh = Book()
    detector = Detector((Dictionary([Entity(Kind.PERSON, "Alice Smith")]),))
    scrubbed = Scrubber(detector, fresh).document(document).value
    if rehydrated_tree(scrubbed, Rehydrator(fresh), Report()) != document:
        yield f"a document came back changed from {scrubbed!r}"


def sessions() -> Iterator[str]:
    """One value, one placeholder, over many turns; replayed ones stay; forged ones do not open."""
    book = Book()
    detector = Detector((Dictionary([Entity(Kind.PERSON, "Alice Smith", id="1")]),))
    turns = ["jane@corp.internal", "Alice Smith", "jane@corp.internal and SMITH", "[[PERSON_1]] hi"]
    got = [str(Scrubber(detector, book).text(turn).value) for turn in turns]
    if got[2] != "[[EMAIL_1]] and [[PERSON_1B]]" or got[0] != "[[EMAIL_1]]":
        yield f"placeholders changed between turns: {got!r}"
    if got[3] != "[[LITERAL_1]] hi":
        yield f"a forged placeholder went through: {got[3]!r}"
    replayed = (
        Scrubber(detector, book, passthrough=True).text("[[PERSON_1]] and [[PERSON_9]]").value
    )
    if replayed != "[[PERSON_1]] and [[LITERAL_2]]":
        yield f"a replayed turn became {replayed!r}"
    if Rehydrator(Book()).text(got[2])[0] != got[2]:
        yield "another session opened a placeholder"
    again = Book(book.entries(), book.next_numbers)
    if again.token_for(Kind.EMAIL, "new", "new") != "[[EMAIL_2]]":
        yield "a number was used twice after a restart"


def verified() -> Iterator[str]:
    """What was hidden is found again in the original, and not in what is let out."""
    for case in golden():
        if case.keep:
            continue
        book = Book()
        try:
            done = Scrubber(Detector((case.known,), case.profile, case.kept), book).text(case.text)
        except LeakError as error:
            yield f"{case.id}: refused: {error}"
            continue
        if survivors(str(done.value), book.entries()):
            yield f"{case.id}: verify finds a value in {done.value!r}"


def failures() -> list[str]:
    """Everything that is wrong."""
    checks = (bent, streams, documents, sessions, verified)
    return [f"{check.__name__}: {text}" for check in checks for text in check()]


def main() -> int:
    """Run the gate."""
    with no_network():
        found = failures()
    for line in found:
        sys.stdout.write(f"{line}\n")
    sys.stdout.write(f"gateway: {len(BENT)} bent placeholders, {len(found)} failures\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
