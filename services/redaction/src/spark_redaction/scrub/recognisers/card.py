"""Payment cards: thirteen to nineteen digits, grouped or not, mistyped ones too."""

import re
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from typing import Final

from spark_redaction.scrub.checksums import digits_of, ean13, luhn
from spark_redaction.scrub.kinds import Kind
from spark_redaction.scrub.nearby import Cue, follows_word, precedes_word, touches_digit
from spark_redaction.scrub.patterns import Pattern
from spark_redaction.scrub.recogniser import Finding, Recogniser
from spark_redaction.scrub.view import View

_RUN: Final = Pattern(rb"\d(?:[ \t.\-/_|*,]{0,3}\d|\s?\n\s?\d){12,}")
_CUE: Final = Cue(
    r"cards?|visa|master ?card|amex|american express|discover|maestro|diners|jcb|credit|debit|cc|pan|"
    r"kreditkarte|karte|carte|tarjeta|carta|cartao|kaart|card number|ccn",
    before=40, after=16,
)  # fmt: skip
_FRACTION: Final = re.compile(r"\d[.,]\Z")
_DIGITS: Final = re.compile(r"\d+")
_GROUPS: Final = re.compile(
    r"(?:4-4-4-(?:4|1|2|3)(?:-3)?|4-6-[45]|4-4-5|6-13|4-4-4-4-[123]|8-8|4-12|5-5-5|4-5-6)\Z"
)


def _find(view: View) -> Iterator[Finding]:
    for match in _RUN.matches(view):
        yield from _cards_in(view, *match.span())


def _cards_in(view: View, start: int, end: int) -> Iterator[Finding]:
    """A run may hold more than the card: the code on its back, a date, a second card."""
    groups = [match.span() for match in _DIGITS.finditer(view.text, start, end)]
    first = 0
    while first < len(groups):
        last = _card_from(view, groups, first)
        if last is None:
            first += 1
            if len(groups) == end - start - len(groups) + 1:
                # Digit by digit: one that was read out begins where the run does.
                return
            continue
        begin, stop = groups[first][0], groups[last][1]
        yield begin, stop, Kind.CARD, digits_of(view.text[begin:stop])
        first = last + 1


def _card_from(view: View, groups: list[tuple[int, int]], first: int) -> int | None:
    best: int | None = None
    count = 0
    for last in range(first, len(groups)):
        count += groups[last][1] - groups[last][0]
        if count > 19:
            break
        if count < 13:
            continue
        begin, stop = groups[first][0], groups[last][1]
        if touches_digit(view, begin, stop):
            continue
        sure = _verdict(view, begin, stop, groups[first : last + 1])
        if sure == 2:
            return last
        if sure == 1:
            best = last
    return best


def _verdict(view: View, start: int, end: int, groups: list[tuple[int, int]]) -> int:
    """2 when it certainly is one, 1 when it may be, 0 when not."""
    digits = digits_of(view.text[start:end])
    lengths = [stop - begin for begin, stop in groups]
    shaped = bool(_GROUPS.match("-".join(map(str, lengths))))
    valid = luhn(digits)
    if _is_list(view, groups) and not _CUE.near(view, start, end):
        return 0
    if not valid and _FRACTION.search(view.text, max(0, start - 3), start):
        return 0
    if not valid and not shaped and len(lengths) > 7:
        return 0
    cued = _CUE.near(view, start, end)
    between = {view.text[one[1] : other[0]].strip() for one, other in pairwise(groups)}
    if not cued and (len(between) > 1 or between & {",", "|", "*"}):
        # Columns of a table, figures of a list.
        return 0
    if len(groups) == 1 and (follows_word(view, start) or precedes_word(view, end)):
        return 2 if valid and len(digits) in (15, 16) and digits[0] in "23456" else 0
    if (ean13(digits) and not cued) or _is_time(digits):
        return 0
    if valid and (digits[0] in "23456" or shaped or cued):
        return 2
    if shaped or (cued and len(lengths) < 8):
        return 1
    # One that fails its check is a mistyped one.
    return 1 if len(groups) == 1 and len(digits) in (15, 16) and digits[0] in "3456" else 0


def _is_list(view: View, groups: list[tuple[int, int]]) -> bool:
    """Whether these are counts or years one after the other."""
    lengths = {stop - begin for begin, stop in groups}
    if lengths == {1, 2}:
        return True
    return lengths == {4} and all(
        view.text[begin : begin + 2] in ("19", "20") for begin, _ in groups
    )


def _is_time(digits: str) -> bool:
    if len(digits) not in (14, 17):
        return False
    try:
        moment = datetime.strptime(digits[:14], "%Y%m%d%H%M%S")  # noqa: DTZ007 (a shape, no moment)
    except ValueError:
        return False
    return 1900 <= moment.year < 2200


CARD = Recogniser("card", _find, rank=68, needs_digits=True)
