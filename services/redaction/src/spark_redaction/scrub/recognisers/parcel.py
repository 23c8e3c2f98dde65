"""Numbers of parcels: with them anybody sees where a person lives and when something comes."""

import re
from collections.abc import Iterator
from typing import Final

from spark_redaction.scrub.checksums import digits_of
from spark_redaction.scrub.kinds import Kind
from spark_redaction.scrub.nearby import Cue, follows_word, precedes_word
from spark_redaction.scrub.patterns import Pattern, any_of
from spark_redaction.scrub.recogniser import Finding, Recogniser
from spark_redaction.scrub.view import View

_SHAPED: Final = Pattern(
    rb"\b(?:1Z ?[0-9A-Z]{3} ?[0-9A-Z]{3} ?[0-9A-Z]{2} ?\d{4} ?\d{3} ?\d|JJD(?: ?\d){16,18}|JVGL\d{10,18}|TBA\d{12}|"
    rb"3S[A-Z]{4,6}\d{7,9}|PB[A-Z]{2}\d{10})\b"
)
"""UPS, DHL, Amazon, PostNL, Parcelforce: nothing else looks like these."""
_POSTAL: Final = Pattern(rb"\b[A-Z]{2} ?\d{3} ?\d{3} ?\d{3} ?[A-Z]{2}\b", any_case=False)
"""Of every national post (UPU S10), with a check digit."""
_WEIGHTS: Final = (8, 6, 4, 2, 3, 5, 9, 7)
_ANY: Final = Pattern(
    rb"\b(?:[a-z]{1,4}\d[a-z0-9]{8,28}|\d{1,3}[a-z]{1,6}\d{7,24}|\d{9,34}(?:[a-z]{1,4})?|\d{2,5}(?:[ \-]\d{2,10}){1,7})\b"
)
_FEWEST: Final = 9
_CUE: Final = Cue(
    r"track(?:ing)?[ _-]?(?:number|no|nr|codes?|ids?|nummer|link)|track(?:ing)?:|track(?:-| and | & )trace|"
    r"sendungs?[ -]?(?:nummer|nr|verfolgung|id|code)|sendung|paket(?:[ -]?(?:nummer|nr|schein))|paket|parcel|consignment|"
    r"way ?bill|awb|shipments?|numero de suivi|suivi|colis|seguimiento|envio|guia|spedizione|tracciamento|przesylki|przesylka|paczki|"
    r"sparningsnummer|kolli(?:nummer)?|rastreio|rastreamento|zending(?:snummer)?|pakke(?:nummer)?|zasilky|csomagszam|kargo takip|takip no|"
    r"dhl|ups|usps|fedex|hermes|dpd|gls|tnt|evri|yodel|postnl|bpost|colissimo|chronopost|mondial relay|royal mail|parcelforce|"
    r"correos|seur|poste italiane|brt|inpost|poczta polska|postnord|purolator|canada post|aramex|sf express|ems|piececode",
    before=40,
    after=28,
)
_OTHER: Final = Cue(
    r"order|invoice|version|isbn|epoch|timestamp|unix|bytes|revenue|orders?|articles?|sku|ean|euros?|eur|usd|gbp|units|parcels delivered",
    before=14,
    denies=True,
)
_YEARS: Final = re.compile(r"(?:19|20)\d\d[ \-](?:19|20)?\d\d")


def _find(view: View) -> Iterator[Finding]:
    for match in _SHAPED.matches(view):
        if not _letters_alone(match[0]):
            yield *match.span(), Kind.IDENT, _key(view, *match.span())
    for match in _POSTAL.matches(view):
        if _checked(match[0]) or _CUE.near(view, *match.span()):
            yield *match.span(), Kind.IDENT, _key(view, *match.span())
    if not _CUE.anywhere(view):
        return
    for match in _ANY.matches(view):
        start, end = match.span()
        if _is_parcel(view, start, end):
            yield start, end, Kind.IDENT, _key(view, start, end)


def _is_parcel(view: View, start: int, end: int) -> bool:
    text = view.text[start:end]
    if len(digits_of(text)) < _FEWEST or _YEARS.match(text):
        return False
    if follows_word(view, start) or precedes_word(view, end) or _decimal(view, start, end):
        return False
    return _CUE.near(view, start, end) and not _OTHER.near(view, start, end)


def _decimal(view: View, start: int, end: int) -> bool:
    before, after = view.text[max(0, start - 2) : start], view.text[end : end + 2]
    return (len(before) == 2 and before[1] in ".," and before[0].isdigit()) or (
        len(after) == 2 and after[0] in ".,:" and after[1].isdigit()
    )


def _checked(found: bytes) -> bool:
    digits = digits_of(found.decode("latin-1"))
    rest = 11 - sum(int(d) * w for d, w in zip(digits, _WEIGHTS, strict=False)) % 11
    return int(digits[8]) == {10: 0, 11: 5}.get(rest, rest)


def _letters_alone(found: bytes) -> bool:
    return sum(48 <= each <= 57 for each in found) < 8


def _key(view: View, start: int, end: int) -> str:
    return "".join(filter(str.isalnum, view.lower[start:end]))


PARCEL = Recogniser(
    "parcel", _find, rank=51, needs_digits=True, gate=any_of(_SHAPED, _POSTAL, _CUE.words)
)
