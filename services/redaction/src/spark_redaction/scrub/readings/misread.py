"""Numbers in which a scanner or a hand put letters for digits: ``4l5-555-O132``."""

import re
from typing import Final

from spark_redaction.scrub.kinds import Kind
from spark_redaction.scrub.readings.reading import Reading
from spark_redaction.scrub.view import folded_view

NUMBERS: Final = frozenset({Kind.PHONE, Kind.CARD, Kind.SSN, Kind.IBAN, Kind.ACCOUNT, Kind.IDENT})
"""What such a reading is believed for."""
_LETTERS: Final = str.maketrans("lIOo", "1100")
_RUN: Final = re.compile(
    r"(?<![^\W_])[+(]{0,2}[0-9lIOo](?:[ ().\-/]{0,2}[0-9lIOo]){6,21}(?![^\W_])"
)
_MIXED: Final = re.compile(r"\d[ ().\-/]{0,2}[lIOo]|[lIOo][ ().\-/]{0,2}\d")
_FEWEST_DIGITS: Final = 0.6
"""Share of real digits, from which the letters among them were meant as such."""


def misread(text: str) -> Reading | None:
    """Return the text with digits for the letters in its numbers; None when it has none such."""
    if not _MIXED.search(text):
        return None
    changed = list(text)
    changes: list[tuple[int, int]] = []
    for run in _RUN.finditer(text):
        signs = [sign for sign in run[0] if sign.isalnum()]
        digits = sum(map(str.isdigit, signs))
        if digits < len(signs) and digits >= _FEWEST_DIGITS * len(signs):
            changed[run.start() : run.end()] = run[0].translate(_LETTERS)
            changes.append(run.span())
    return Reading(folded_view("".join(changed)), tuple(changes)) if changes else None
