"""Numbers in which a scanner or a hand put letters for digits: ``4l5-555-O132``."""

import re
from typing import Final

from spark_redaction.scrub.kinds import Kind
from spark_redaction.scrub.nearby import follows_word, precedes_word
from spark_redaction.scrub.patterns import Pattern
from spark_redaction.scrub.readings.reading import Reading
from spark_redaction.scrub.view import View, folded_view

NUMBERS: Final = frozenset({Kind.PHONE, Kind.CARD, Kind.SSN, Kind.IBAN, Kind.ACCOUNT, Kind.IDENT})
"""What such a reading is believed for."""
_LETTERS: Final = str.maketrans("lIOo", "1100")
_RUN: Final = Pattern(
    rb"[+(]{0,2}[0-9lIOo](?:[ ().\-/]{0,2}[0-9lIOo]){6,28}",
    any_case=False,
)
_SIGN: Final = re.compile(r"[ ().\-/]+")
_FEWEST: Final = 7
_FEWEST_DIGITS: Final = 0.6
"""Share of real digits, from which the letters among them were meant as such."""


def misread(text: str, view: View) -> Reading | None:
    """Return the text with digits for the letters in its numbers; None when it has none such."""
    pieces: list[str] = []
    changes: list[tuple[int, int]] = []
    for match in _RUN.matches(view):
        if match[0].translate(None, b"lIOo") == match[0]:
            continue
        start, end = _whole_words(view, *match.span())
        signs = [sign for sign in view.text[start:end] if sign.isalnum()]
        digits = sum(map(str.isdigit, signs))
        if len(signs) >= _FEWEST and _FEWEST_DIGITS * len(signs) <= digits < len(signs):
            start, end = view.raw(start, end)
            after = changes[-1][1] if changes else 0
            pieces += (text[after:start], text[start:end].translate(_LETTERS))
            changes.append((start, end))
    if not changes:
        return None
    pieces.append(text[changes[-1][1] :])
    return Reading(folded_view("".join(pieces)), tuple(changes))


def _whole_words(view: View, start: int, end: int) -> tuple[int, int]:
    """Leave out what belongs to a word on either side: "hello 4l5", "O132 of"."""
    if follows_word(view, start):
        sign = _SIGN.search(view.text, start, end)
        start = sign.end() if sign else end
    if precedes_word(view, end):
        signs = list(_SIGN.finditer(view.text, start, end))
        end = signs[-1].start() if signs else start
    return start, end
