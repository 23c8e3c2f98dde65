"""Identity numbers whose shape alone tells: no word has to announce them."""

import re
from collections.abc import Callable, Iterator
from typing import Final

from spark_redaction.scrub.checksums import digits_of, mod97, nhs, weighted
from spark_redaction.scrub.kinds import Kind
from spark_redaction.scrub.nearby import Cue, follows_word, precedes_word
from spark_redaction.scrub.patterns import Pattern, any_of
from spark_redaction.scrub.recogniser import Finding, Recogniser
from spark_redaction.scrub.view import View


def _always(_digits: str) -> bool:
    return True


def _dated(digits: str) -> bool:
    """Six digits that begin with a day of birth, in either order."""
    first, middle, last = int(digits[:2]), int(digits[2:4]), int(digits[4:6])
    months = {*range(1, 13), *range(21, 33), *range(41, 53)}
    return middle in months and (1 <= first <= 31 or 1 <= last <= 91)


def _cnp(digits: str) -> bool:
    return 1900 <= int(digits[6:10]) <= 2030 and 1 <= int(digits[10:12]) <= 12


def _dea(digits: str) -> bool:
    """Prescribers of the United States."""
    tail = digits[-7:]
    odd, even = (sum(map(int, tail[at:6:2])) for at in (0, 1))
    return (odd + 2 * even) % 10 == int(tail[6])


_CASED: Final = (
    (rb"[1-9][AC-HJ-NP-RT-Y][AC-HJ-NP-RT-Y0-9]\d-?[AC-HJ-NP-RT-Y][AC-HJ-NP-RT-Y0-9]\d-?[AC-HJ-NP-RT-Y]{2}\d{2}", _always),  # MBI
    (rb"[A-Z]{3}[PCHABGJLFT][A-Z]\d{4}[A-Z]", _always),  # PAN of India
    (rb"[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z]", _always),  # codice fiscale
    (rb"[XYZ][- ]?\d{7}[- ]?[A-Z]|\d{8}[- ]?[A-HJ-NP-TV-Z]", _always),  # NIE, DNI
    (rb"[STFGM]\d{7}[A-Z]", _always),  # NRIC
    (rb"[A-Z]{4}\d{6}[HM][A-Z]{5}[A-Z0-9]\d", _always),  # CURP
    (rb"[A-Z&]{3,4}\d{6}[A-Z0-9]{3}", lambda digits: len(digits) >= 6 and _dated(digits)),  # RFC
    (rb"(?:DE|AT U?|ATU|FR[A-Z0-9]{2}|GB|IT|ESX?|NL|BE|DK|SE|FI|PL|PT|IE|LU|CZ|SK|SI|HU|RO|BG|EL|HR|CY|MT|EE|LV|LT|CHE)[ -]?\d{3}[ .]?\d{3}[ .]?\d{2,6}(?:B\d{2}|[A-Z]{1,2}| MWST)?", _always),  # VAT
    (rb"[A-HJ-NPR-Z0-9]{17}", lambda digits: 4 <= len(digits) <= 14),  # VIN
    (rb"\d{6}[-+A]\d{3}[0-9A-Y]", _dated),  # HETU
    (rb"[LMN]\d{8}|[A-Z]{1,2}\d{7}\(\d\)", _always),
    (rb"[A-Z]\d{3}-\d{4}-\d{4}|[A-Z]\d{3}-\d{3}-\d{2}-\d{3}-?\d?", _always),  # licences of Florida, Illinois
)  # fmt: skip
_NUMERIC: Final = (
    (
        rb"[a-ceghj-pr-tw-z][a-ceghj-npr-tw-z][ -]?\d{2}[ -]?\d{2}[ -]?\d{2}[ -]?[a-d]",
        _always,
    ),  # NINO
    (rb"[a-hj-mp-su-x][a-z9]\d{7}", _dea),
    (rb"\d{3}\.\d{3}\.\d{3}-\d{2}", _always),  # CPF
    (rb"\d{2}\.\d{3}\.\d{3}/\d{4}-\d{2}", _always),  # CNPJ
    (rb"\d{1,2}\.\d{3}\.\d{3}-[0-9k]", _always),  # RUT
    (rb"756\.\d{4}\.\d{4}\.\d{2}", _always),  # AHV
    (rb"(?:19|20)?\d{6}[-+]\d{4}", lambda digits: _dated(digits[-10:])),  # personnummer, CPR
    (rb"\d{6}-[1-8]\d{6}", _dated),  # RRN
    (rb"[1-9]\d{16}[0-9x]", _cnp),  # China
    (
        rb"[12] ?\d{2} ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d{2}|2[ab]) ?\d{3} ?\d{3}(?: ?\d{2})?",
        _always,
    ),  # INSEE
    (rb"\d{2}-\d{7}", _always),  # EIN
)
_COMMON: Final = (
    (rb"[2-9]\d{3}[ -]\d{4}[ -]\d{4}", lambda digits: digits[:2] not in ("19", "20")),  # Aadhaar
    (rb"\d{3}[ -]\d{3}[ -]\d{4}", nhs),
)
"""Shapes of cards and telephones as well: apart, so that those do not let all others be tried."""
_FAMILIES: Final[tuple[tuple[tuple[Pattern, Callable[[str], bool]], ...], ...]] = (
    tuple((Pattern(rb"\b(?:" + shape + rb")\b", any_case=False), holds) for shape, holds in _CASED),
    tuple((Pattern(rb"\b(?:" + shape + rb")\b"), holds) for shape, holds in _NUMERIC),
    tuple((Pattern(rb"\b(?:" + shape + rb")\b"), holds) for shape, holds in _COMMON),
)
_COMPILED: Final = tuple(
    (any_of(*(pattern for pattern, _ in family)), family) for family in _FAMILIES
)
_CUE: Final = Cue(
    r"id-?nr|pesel|bsn|steuer\w*|tax|tin|id|tfn|abn|medicare|medicaid|npi|imei|svnr|personnummer|cpr|jmbg|egn|cnp|oib|amka|afm|tckn|kimlik|"
    r"fodselsnummer|national|identity|identification|social|insurance|rut|dni|cedula|nit|cuit|cuil|cpf|teudat|zehut|mynumber|my number",
    before=40,
)
_PLATE: Final = Pattern(
    rb"\b[A-Z]{2}\d{2} ?[A-Z]{3}\b|\b[A-Z]{1,3}[- ][A-Z]{1,2} ?\d{1,4}[EH]?\b|\b[A-Z]{3}[- ]?\d{3,4}\b|\b\d{1,4}[- ][A-Z]{2,3}[- ]\d{2,4}\b|\b[A-Z]{2}[ -]\d{3}[ -][A-Z]{2}\b",
    any_case=False,
)
_PLATE_CUE: Final = Cue(
    r"(?:number|licen[cs]e|registration|vehicle|car) plate|plates?|nummernschild|kfz|reg(?:istration)?|kennzeichen|plaque|matricula|targa|nummerplaat|kenteken|nummerskylt|tablice|license tag|rego",
    before=32,
    after=24,
)
_GERMAN_PLATE: Final = Pattern(rb"\b[A-Z]{1,3}-[A-Z]{1,2} ?[1-9]\d{0,3}[EH]?\b", any_case=False)
_CAR_CUE: Final = Cue(
    r"autos?|wagen|pkw|lkw|kfz|fahrzeug|motorrad|roller|cars?|van|truck|vehicle|parked|geparkt|parkt|falschparker|unfall",
    before=48,
    after=32,
)
_DAY: Final = re.compile(r"(?:19|20)\d\d([-./])\d\d\1\d\d|\d\d([-./])\d\d\2(?:19|20)\d\d")
_BARE: Final = Pattern(rb"\b\d(?:[ \-./]{0,2}\d){6,14}\b")


def _find(view: View) -> Iterator[Finding]:
    for pattern, holds in _there(view):
        for match in pattern.matches(view):
            start, end = match.span()
            digits = digits_of(view.text[start:end])
            if _alone(view, start, end) and digits and holds(digits):
                yield start, end, Kind.IDENT, _letters(view, start, end)
    for match in _PLATE.matches(view) if _PLATE_CUE.anywhere(view) else ():
        if _alone(view, *match.span()) and _PLATE_CUE.near(view, *match.span()):
            yield *match.span(), Kind.IDENT, _letters(view, *match.span())
    for match in _GERMAN_PLATE.matches(view) if _CAR_CUE.anywhere(view) else ():
        if _alone(view, *match.span()) and _CAR_CUE.near(view, *match.span()):
            yield *match.span(), Kind.IDENT, _letters(view, *match.span())
    for match in _BARE.matches(view):
        start, end = match.span()
        if (
            _alone(view, start, end)
            and not _DAY.fullmatch(view.text, start, end)
            and (_CUE.near(view, start, end) or _registered(view.text[start:end]))
        ):
            yield start, end, Kind.IDENT, digits_of(view.text[start:end])


def _letters(view: View, start: int, end: int) -> str:
    return "".join(filter(str.isalnum, view.lower[start:end]))


def _there(view: View) -> Iterator[tuple[Pattern, Callable[[str], bool]]]:
    for gate, family in _COMPILED:
        if gate.is_in(view.octets):
            yield from family


def _registered(text: str) -> bool:
    """Belgian and French numbers that prove themselves."""
    digits = digits_of(text)
    if len(digits) == 11 and "." in text and "-" in text:
        return 97 - int(digits[:9]) % 97 == int(digits[9:]) or weighted(
            digits, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1), 10
        )
    return len(digits) == 22 and mod97("XX00" + digits)


def _alone(view: View, start: int, end: int) -> bool:
    if follows_word(view, start) or precedes_word(view, end):
        return False
    before, after = view.text[max(0, start - 2) : start], view.text[end : end + 2]
    if len(before) == 2 and before[1] in "-." and before[0].isalnum():
        return False
    return not (len(after) == 2 and after[0] in "-" and after[1].isalnum())


NATIONAL = Recogniser("national", _find, rank=56, needs_digits=True)
