"""Numbers of persons in the shape of the United States and Canada, whatever their check says."""

from collections.abc import Iterator
from typing import Final

from spark_redaction.scrub.checksums import digits_of, luhn
from spark_redaction.scrub.kinds import Kind
from spark_redaction.scrub.nearby import Cue, follows_word, precedes_word
from spark_redaction.scrub.patterns import Pattern, any_of
from spark_redaction.scrub.recogniser import Finding, Recogniser
from spark_redaction.scrub.view import View

_SHAPED: Final = Pattern(rb"\b\d{3}-\d{6}\b|\b\d{3}[ ]?[\-./ _][ ]?\d{2}[ ]?[\-./ _][ ]?\d{4}\b")
_CANADIAN: Final = Pattern(rb"\b\d{3}[ \-]\d{3}[ \-]\d{3}\b")
_BARE: Final = Pattern(
    rb"(?:\b|ssn)(?:\d[ \-.,]{0,3}){8}\d\b|\b(?:x{3}|\*{3})[- ]?(?:x{2}|\*{2})[- ]?\d{4}\b"
)
_LAST: Final = Pattern(
    rb"(?:last|final) (?:four|4)(?: digits)?(?: of)?(?: (?:my|your|his|her|their|the))?"
    rb"(?: (?:social|ssn|card|account))?(?: (?:security|number|no))*(?: (?:is|are|was|:))*[ :=]{1,3}(\d{4})\b"
)
_ENDING: Final = Pattern(
    rb"(?:card|account|visa|amex|mastercard|debit|credit|number|ssn|social)(?: (?:number|no))?,? (?:that )?(?:ending|ends)(?: in| with)? (\d{4})\b"
)
_ENDS_ELSEWHERE: Final = Pattern(
    rb"(?:karte|konto|kreditkarte|carte|compte|tarjeta|cuenta|carta|kaart|nummer|numero)(?: (?:nummer|nr))?,? (?:die |que |qui |che |met )?"
    rb"(?:endet|endend|endziffern?|(?:se )?termin\w{1,4}|finiss\w{2,4}|acaba\w{0,2}|eindig\w{1,3})(?: (?:mit|auf|par|en|in|con|op|ist|sind))?:? (\d{4})\b"
)
_CUE: Final = Cue(
    r"ssn|ss#|ss no|social(?: security)?|soc sec|sin|social insurance|itin|tin|ein|taxpayer|tax id|bsn|"
    r"burgerservicenummer|tfn|tax file|nif|nie|sozialversicherung\w*|steuer\w*|securite sociale|fiscal",
    before=44,
)


def _find(view: View) -> Iterator[Finding]:
    for match in _SHAPED.matches(view):
        start, end = match.span()
        if not (_joined(view, start, end) or _looks_dated(match[0])):
            yield start, end, Kind.SSN, digits_of(view.text[start:end])
    for match in _CANADIAN.matches(view):
        start, end = match.span()
        digits = digits_of(view.text[start:end])
        if not _joined(view, start, end) and (luhn(digits) or _CUE.near(view, start, end)):
            yield start, end, Kind.SSN, digits
    for match in _BARE.matches(view):
        start, end = match.span()
        if not _joined(view, start, end) and _CUE.near(view, start, end):
            yield start, end, Kind.SSN, digits_of(view.text[start:end])
    for pattern in (_LAST, _ENDING, _ENDS_ELSEWHERE):
        for match in pattern.matches(view):
            yield *match.span(1), Kind.SSN, match[1].decode()


def _joined(view: View, start: int, end: int) -> bool:
    """Whether it is a part of something longer."""
    before = view.text[max(0, start - 2) : start]
    after = view.text[end : end + 2]
    return (
        follows_word(view, start)
        or precedes_word(view, end)
        or (len(before) == 2 and before[1] in "-." and before[0].isalnum())
        or (len(after) == 2 and after[0] in "-." and after[1].isalnum())
    )


def _looks_dated(found: bytes) -> bool:
    # 365/24/2024 is nothing we know; with slashes or dots it has to look deliberate.
    return b"/" in found and b"-" in found


SSN = Recogniser(
    "ssn",
    _find,
    rank=62,
    needs_digits=True,
    gate=any_of(_SHAPED, _CANADIAN, _BARE, _LAST, _ENDING, _ENDS_ELSEWHERE),
)
