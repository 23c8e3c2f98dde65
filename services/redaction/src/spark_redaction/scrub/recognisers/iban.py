"""International bank account numbers, with or without spaces, in either case."""

from collections.abc import Iterator
from typing import Final

from spark_redaction.scrub.checksums import mod97
from spark_redaction.scrub.kinds import Kind
from spark_redaction.scrub.nearby import Cue
from spark_redaction.scrub.patterns import Pattern
from spark_redaction.scrub.recogniser import Finding, Recogniser
from spark_redaction.scrub.view import View

_SHAPE: Final = Pattern(rb"\b[a-z]{2}[ ._/\-]?\d{2}(?:[ ._/\-]{0,2}[a-z0-9]){10,34}")
_LENGTHS: Final = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22,
    "BI": 27, "BR": 29, "BY": 28, "CH": 21, "CR": 22, "CY": 24, "CZ": 24, "DE": 22, "DJ": 27,
    "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27,
    "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22,
    "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32,
    "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19,
    "MN": 20, "MR": 27, "MT": 31, "MU": 30, "NI": 28, "NL": 18, "NO": 15, "OM": 23, "PK": 24,
    "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "RU": 33, "SA": 24, "SC": 31,
    "SD": 18, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "SO": 23, "ST": 25, "SV": 28, "TL": 23,
    "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20,
}  # fmt: skip
_CUE: Final = Cue(r"iban|account|konto|compte|cuenta|conto|rekening|bank(?:verbindung)?", before=32)


def _find(view: View) -> Iterator[Finding]:
    match = _SHAPE.first(view, 0)
    while match is not None:
        start, stop = match.span()
        end = _end(view, start, stop)
        if end:
            key = "".join(c for c in view.lower[start:end] if c.isalnum())
            yield start, end, Kind.IBAN, key
        # What looked like more of one may be the next one.
        match = _SHAPE.first(view, end or start + 2)


def _end(view: View, start: int, stop: int) -> int:
    """Where it ends: words after it may look like more of it. 0 when there is none."""
    text = view.text[start:stop].upper()
    length = _LENGTHS.get(text[:2])
    cued = _CUE.near(view, start, stop)
    places = [at for at, character in enumerate(text) if character.isalnum()]
    whole = "".join(text[at] for at in places)
    if length is not None and len(places) >= length:
        end = places[length - 1] + 1
        cut = text[end : end + 1].isalnum()
        if mod97(whole[:length]) or (not cut and _numeric(whole[:length])):
            return start + end
    if length is None:
        for count in range(len(places), 14, -1):
            if (
                _numeric(whole[:count])
                and mod97(whole[:count])
                and not text[places[count - 1] + 1 : places[count - 1] + 2].isalnum()
            ):
                return start + places[count - 1] + 1
    if cued and length is not None and _numeric(whole):
        # A digit too few or too many.
        last = max(at for at in places if text[at].isdigit())
        return start + last + 1
    return 0


def is_proved(account: str) -> bool:
    """Whether it has the length of its country, and its check digits."""
    return _LENGTHS.get(account[:2]) == len(account) and mod97(account)


def _numeric(account: str) -> bool:
    return sum(character.isdigit() for character in account) >= len(account) * 0.5


IBAN = Recogniser("iban", _find, rank=72, needs_digits=True)
