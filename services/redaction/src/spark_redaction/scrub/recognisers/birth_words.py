"""Days of birth said in words: "geboren am dritten Februar neunzehnhundertfünfundachtzig"."""

import re
from collections.abc import Iterator
from typing import Final

from spark_redaction.scrub.kinds import Kind
from spark_redaction.scrub.patterns import Pattern
from spark_redaction.scrub.recogniser import Finding, Recogniser
from spark_redaction.scrub.recognisers.dates import MONTHS, TENS_IN_ORDER
from spark_redaction.scrub.spoken.words import DIGITS, TENS
from spark_redaction.scrub.view import View

_BORN: Final = Pattern(
    rb"\b(?:born|birthday|birth ?date|date of birth|dob|geboren|geb\.|geburtstag|geburtsdatum|nee?|date de naissance|anniversaire|nacid?[oa]?|naci|"
    rb"nacimiento|cumpleanos|nato|nata|compleanno|nascid[oa]|nasci|aniversario|verjaardag|geboortedatum|fodd|fodt)\b"
)
_NUMBERED: Final = Pattern(rb"\bam ([a-z]+(?:st|t)en [a-z]+(?:st|t)en(?: [a-z]+)?) geboren\b")
_MONTH: Final = re.compile(f"(?:{MONTHS.decode()})\\Z")
_ORDER: Final = re.compile(
    rf"(?:{TENS_IN_ORDER.decode()}"
    r"|[a-z]*(?:erst|zweit|dritt|viert|funft|sechst|siebt|siebent|acht|neunt|zehnt|elft|zwolft|zigst|dreissigst)e[nrs]?"
    r"|premier|primero|primo|primeiro|eerste|(?:neunzehnhundert|zweitausend)[a-z]*|(?:millenove|due)cento[a-z]*|duemila[a-z]*|(?:negentien|twee)[a-z]*)\Z"
)
_SCALES: Final = frozenset(
    "mil mille cent cents cento hundred thousand novecientos novecentos tausend mila deux dos dois two".split()
)
_JOINERS: Final = frozenset(
    "on the of am der den dem im jahr jahre in le la el il em o de del di d' do da y et e und and is was ist war est es au i op".split()
)
_TOKEN: Final = re.compile(r"[ \t,:'\-]{0,3}([^\W_]+)")
_LONGEST: Final = 16
"""Words from the one that says born to the end of the year."""


def _find(view: View) -> Iterator[Finding]:
    for match in _BORN.matches(view):
        said = None if match[0] == b"NATO" else _said(view.lower, match.end())
        if said is not None:
            yield *said, Kind.BIRTH, view.lower[said[0] : said[1]]
    for match in _NUMBERED.matches(view):
        if all(_ORDER.match(word) for word in view.lower[slice(*match.span(1))].split()[:2]):
            yield *match.span(1), Kind.BIRTH, ""


def _said(text: str, at: int) -> tuple[int, int] | None:
    """The range of a date in words that begins here; None when there is no month or no day in it."""
    start = end = None
    months = numbers = 0
    for _ in range(_LONGEST):
        token = _TOKEN.match(text, at)
        if token is None:
            break
        at, word = token.end(), token[1]
        month = _MONTH.match(word) is not None
        if month or _counts(word):
            months += month
            numbers += not month
            start, end = (token.start(1) if start is None else start), at
        elif word not in _JOINERS:
            break
    return (
        (start, end) if months == 1 and numbers and start is not None and end is not None else None
    )


def _counts(word: str) -> bool:
    if word.isdigit():
        return len(word) <= 2
    return word in DIGITS or word in TENS or word in _SCALES or _ORDER.match(word) is not None


BIRTH_WORDS = Recogniser("birth_words", _find, rank=62, gate=_BORN)
