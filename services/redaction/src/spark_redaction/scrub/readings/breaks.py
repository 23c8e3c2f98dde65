"""A text read over its line breaks, where a value may have been broken by one."""

import re
from typing import Final

from spark_redaction.scrub.checksums import digits_of, luhn, mod97
from spark_redaction.scrub.kinds import Kind
from spark_redaction.scrub.readings.reading import Reading, kept
from spark_redaction.scrub.recognisers.top_levels import WORDS as _TOP_WORDS

_TOP_LEVELS: Final = frozenset(_TOP_WORDS)
_BREAK: Final = re.compile(
    r"(-?)[ \t]{0,4}(?:\r?\n|\u2028|\x0c|<br\s{0,3}/?>|</p>\s{0,4}<p\b[^<>]{0,80}>)[ \t>|]{0,12}",
    re.IGNORECASE,
)
_HINTS: Final = ("\n", "\u2028", "\x0c", "<")
_NEAR: Final = 48
_WORD_BEFORE: Final = re.compile(r"\S{1,64}\Z")
_WORD_AFTER: Final = re.compile(r"\S{1,64}")
_NUMBER_ENDS: Final = re.compile(r"\d[+\-./:()]{0,2}\Z|[+(]\Z")
_NUMBER_BEGINS: Final = re.compile(r"[+\-./:()]{0,2}\d")
_DIGIT: Final = re.compile(r"\d")
_CLEAR: Final = re.compile(r"[\d._+\-]")
"""In the half of a local part that stands alone on its line: it is no word of a sentence."""
_NEVER: Final = frozenset({Kind.DATE, Kind.MONEY, Kind.NUMBER, Kind.LITERAL, Kind.ADDRESS})
_BARE: Final = frozenset({Kind.PHONE, Kind.SSN})
"""Of these, digits alone are too little when a line break stands in them."""
_PROVED: Final = 90
_SHORTEST_IBAN: Final = 15


def mended(text: str) -> Reading | None:
    """Return the reading around the breaks that may stand in a value, None when there are none."""
    if not any(hint in text for hint in _HINTS):
        return None
    changes = []
    stretches = []
    for match in _BREAK.finditer(text):
        start, end = match.span()
        if not start or end >= len(text) or "\0" in (text[start - 1], text[end]):
            continue
        if not _joins(text, start, end, hyphen=bool(match[1])):
            continue
        changes.append((start, end))
        left, right = _line_before(text, start), _line_after(text, end)
        stretches.append([(left, start), (end, right)])
        if match[1]:
            stretches.append([(left, start + 1), (end, right)])
    return Reading(kept(text, stretches), tuple(changes)) if stretches else None


def believable(kind: Kind, rank: int, left: str, right: str, *, hyphen: bool) -> bool:
    """Whether two halves are more likely one value than the end of a line and the next one."""
    whole = left + right
    if kind in _NEVER:
        return False
    if kind is Kind.EMAIL:
        return _one_address(left, right, hyphen=hyphen)
    if kind is Kind.CARD:
        return luhn(digits_of(whole)) and not luhn(digits_of(left))
    if kind is Kind.IBAN:
        first = "".join(filter(str.isalnum, left)).upper()
        account = "".join(filter(str.isalnum, whole)).upper()
        return mod97(account) and (len(first) < _SHORTEST_IBAN or not mod97(first))
    if kind is Kind.SECRET:
        return rank >= _PROVED and (hyphen or len(right) > 11 or bool(_DIGIT.search(right)))
    if kind in (Kind.PERSON, Kind.ORG, Kind.PLACE, Kind.HANDLE, Kind.LINK, Kind.OTHER):
        return hyphen
    return not (kind in _BARE and whole.isdigit() and not hyphen)


def _joins(text: str, start: int, end: int, *, hyphen: bool) -> bool:
    before = _WORD_BEFORE.search(text, max(0, start - 64), start)
    after = _WORD_AFTER.match(text, end)
    if before is None or after is None:
        return False
    left, right = before[0], after[0]
    if "@" in left or "@" in right:
        return True
    if _NUMBER_BEGINS.match(right) and (hyphen or _NUMBER_ENDS.search(left)):
        return True
    digits = bool(_DIGIT.search(left))
    if len(left) >= 10 and digits and right[0].isalnum():
        return True
    return len(left) >= 3 and digits and bool(_DIGIT.search(right))


def _line_before(text: str, start: int) -> int:
    return max(text.rfind("\n", 0, start) + 1, text.rfind("\0", 0, start) + 1, start - _NEAR)


def _line_after(text: str, end: int) -> int:
    ends = [at for at in (text.find("\n", end), text.find("\0", end)) if at != -1]
    return min([*ends, end + _NEAR, len(text)])


def _one_address(left: str, right: str, *, hyphen: bool) -> bool:
    if not known_top(right.rpartition("@")[2] if "@" in right else left + right):
        return False
    if "@" in left:
        return hyphen or not known_top(left) or right[:1] in ".-"
    return hyphen or right[:1] in "@._+" or bool(_CLEAR.search(left))


def known_top(address: str) -> bool:
    """Whether an address ends in a top-level domain there is."""
    return address.rpartition(".")[2].lower() in _TOP_LEVELS and "." in address.rpartition("@")[2]
