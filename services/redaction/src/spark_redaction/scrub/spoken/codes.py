"""Codes of letters and figures that are read out one by one: "the reference is A B four nine C"."""

import re
from collections.abc import Iterator
from typing import Final

from spark_redaction.scrub.kinds import Kind
from spark_redaction.scrub.patterns import Pattern
from spark_redaction.scrub.recogniser import Finding, Recogniser
from spark_redaction.scrub.spoken.spelled import RADIO
from spark_redaction.scrub.spoken.words import DIGITS
from spark_redaction.scrub.view import View

_CALLED: Final = Pattern(
    rb"\b(?:reference|confirmation|booking|locator|tracking|plate|licen[cs]e|passport|policy|serial|iban|code|number|id|postcode|zip|"
    rb"kennzeichen|nummer|referenz|ausweis|reisepass|sendungsnummer|kundennummer|codice|codigo|kod|plaque|passeport|matricula|pasaporte|targa)\b"
)
_WORD: Final = re.compile(r"[ ,.:\-]{0,3}([^\W_]+)")
_BETWEEN: Final = frozenset(
    "number is it's was ist lautet est es e the code so uh um okay ok right und and".split()
)
"""Words between what a code is called and the code."""
_FARTHEST: Final = 4
_FEWEST: Final = 5
_FEWEST_DIGITS: Final = 2


def _find(view: View) -> Iterator[Finding]:
    after = 0
    for match in _CALLED.matches(view):
        if match.end() < after:
            continue
        said = _said(view.lower, match.end())
        if said is not None:
            start, after, key = said
            yield start, after, Kind.IDENT, key


def _said(text: str, at: int) -> tuple[int, int, str] | None:
    """Range and signs of a code that is read out from here on; None when it is none."""
    signs: list[str] = []
    start = end = at
    skipped = 0
    while (word := _WORD.match(text, at)) is not None:
        sign = _sign(word[1])
        if sign is not None:
            start = start if signs else word.start(1)
            end = word.end()
            signs.append(sign)
        elif signs or word[1] not in _BETWEEN or (skipped := skipped + 1) > _FARTHEST:
            break
        at = word.end()
    letters = sum(map(str.isalpha, signs))
    if len(signs) < _FEWEST or not letters or len(signs) - letters < _FEWEST_DIGITS:
        return None
    return start, end, "".join(signs)


def _sign(word: str) -> str | None:
    """The letter or the figure that a word stands for."""
    if len(word) == 1 and word.isalnum():
        return word
    return word[0] if word in RADIO else DIGITS.get(word)


SPOKEN_CODE = Recogniser("spoken_code", _find, rank=59, gate=_CALLED)
