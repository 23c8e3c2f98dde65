"""Telephone numbers: international, national shapes, and bare digits where words say so."""

import re
from collections.abc import Iterator
from typing import Final

from spark_redaction.scrub.checksums import digits_of
from spark_redaction.scrub.kinds import Kind
from spark_redaction.scrub.nearby import Cue, follows_word, is_counted, precedes_word, touches_digit
from spark_redaction.scrub.patterns import Pattern, any_of
from spark_redaction.scrub.recogniser import Finding, Recogniser
from spark_redaction.scrub.view import View

_S: Final = rb"[ .\-/]"
_EXT: Final = rb"(?:[ ,;]{0,2}(?:ext|extension|x|poste|durchwahl|#)[ .:]{0,2}\d{1,6})?"
_SHAPES: Final = (
    rb"(?:\+|\b00)[ ]?\(?[1-9](?:[ ().\-/]{0,3}\d){6,16}",
    rb"\(0\) ?[1-9]\d{1,4}(?:[ .\-/]{1,2}\d{2,8}){1,4}",
    rb"(?:\b1[ .\-/]{0,2})?\((?:\d{2,5}|0 \d{1,4})\)[ .\-/]{0,2}\d{2,5}(?:[ .\-/]{0,2}\d{2,5}){0,3}",
    rb"(?:\b1[ .\-/]{1,2})?\b\d{3}(?:[ .\-]{1,3}|/)\d{3}(?:[ .\-]{1,3}|/)\d{4}",
    rb"\b\d{3}[ .\-/]{0,2}\d{3}[.\-]\d{4}|\b\d{3}[.\-/ ]\d{7}",
    rb"\b0[1-9]\d{0,4}(?:[ .\-/]{1,3}\(?\d{2,8}\)?){1,4}(?:-\d)?",
    rb"\b0[1-9]\d{7,10}",
    rb"\b[6-9]\d{4}[ \-]\d{5}|\b\d{2}[ ]9?\d{4}-\d{4}|\b9\d{4}-\d{4}",
    rb"\b[679]\d{2}(?:[ .\-]\d{3}){2}|\b[679]\d{2}(?: \d{2}){3}",
    rb"\b1?[2-9]\d{2}[2-9]\d{6}|\b1[3-9]\d{9}",
    rb"\b\d{2}(?:[ .\-]\d{2}){3,4}|\b\d{3,5}[ .\-]\d{3,6}(?:[ .\-]\d{2,4})?|\b\d{2,4}(?:[ .\-]\d{2,4}){2,4}|\b\d{7,12}|\b\d(?:[ .,\-]{1,3}\d){6,14}",
)  # fmt: skip
_PATTERNS: Final = tuple(Pattern(shape + _EXT) for shape in _SHAPES)
_COMMON: Final = _PATTERNS[2:4]
_RARE: Final = _PATTERNS[:2] + _PATTERNS[4:-1]
_RARE_GATE: Final = any_of(*_RARE)
_ONLY_WITH_WORDS: Final = _PATTERNS[-1]
_GLUED: Final = Pattern(
    rb"[a-z\xff](0[1-9]\d{7,10}|0[1-9]\d{0,4}(?:[ .\-/]{1,3}\d{2,8}){1,3}|1?[2-9]\d{2}(?:[2-9]\d{6}|[ .\-]\d{3}[ .\-]\d{4}))"
)
"""Behind a word without a space: a name, or what one does with a number."""
_LETTER: Final = re.compile(r"[a-z#]")
_WORD: Final = re.compile(r"[a-z]*\Z")
_CUE: Final = Cue(
    r"phones?|ph|telephones?|tel|mobiles?|cells?|cellphones?|cellular|fax|call(?:ed|ing|s)?|dial(?:ed|ing)?|"
    r"text(?:ed|ing)?|sms|ring|rang|reach(?:ed|ing|able)?|callback|voicemail|hotline|landline|whatsapp|"
    r"signal|telegram|viber|handy|telefon|telefonnummer|rufnummer|mobil|telephone|portable|telefono|"
    r"numer|telefonu|telefonos?|komorka|telefoni|celular|movil|cellulare|telefone|telemovel|telefoon|mobiel|telefoni|puhelin|numero|nummer|ext|"
    r"contact|nr|number(?: is| was)|my (?:number|digits)|phone number|whats app|pager|puh|tlf|gsm",
    before=40,
)
_NEVER: Final = Cue(
    r"order|invoice|tracking|version|isbn|issn|build|ticket|serial|sku|commit|revision|port|pid|"
    r"(?:us|eur|usd|gbp)|epoch|timestamp|unix|row|rows|line|lines|bytes|issue|zip|revenue|population",
    before=14,
    denies=True,
)
_THOUSANDS: Final = re.compile(r"\d{3}(?:[ .]\d{3})+")
_MORE: Final = re.compile(r"\d[ .]\Z")
_HOURS: Final = re.compile(r"\s?(?:hours|hrs|uhr)\b")
"""From when to when: 0800-1700 hours."""
_MODES: Final = re.compile(r"0\d{2,3}/0?\d{3}\Z")
"""Rights of files."""
_DATES: Final = re.compile(
    r"(?:\d{1,2}([ .\-/])\d{1,2}\1(?:19|20)?\d\d|(?:19|20)\d\d([ .\-/])\d{1,2}\2\d{1,2})(?:[ .\-/]\d{1,2})?\Z"
)


def _find(view: View) -> Iterator[Finding]:
    seen = set()
    for match in _GLUED.matches(view):
        start, end = match.span(1)
        if _is_called(view, start, match[1]) and _is_number(view, start, end, needs_words=False):
            yield start, end, Kind.PHONE, digits_of(view.text[start:end])
    rare = _RARE if _RARE_GATE.is_in(view.octets) else ()
    for pattern in (*_COMMON, *rare, _ONLY_WITH_WORDS):
        for match in pattern.matches(view):
            span = start, end = match.span()
            if span not in seen and _is_number(
                view, start, end, needs_words=pattern is _ONLY_WITH_WORDS
            ):
                seen.add(span)
                yield start, end, Kind.PHONE, digits_of(view.text[start:end])


def _is_number(view: View, start: int, end: int, *, needs_words: bool) -> bool:
    text = view.text[start:end]
    letter = _LETTER.search(view.lower, start, end)
    count = len(digits_of(text[: letter.start() - start] if letter else text))
    if not 7 <= count <= 15 or touches_digit(view, start, end):
        return False
    if (
        (precedes_word(view, end) and _plain(text))
        or _glued(view, start)
        or _goes_on(view, start)
        or _HOURS.match(view.lower, end)
        or _decimal(view, start, end)
    ):
        return False
    international = text[0] == "+" or (text.startswith("00") and count > 9)
    if international:
        return True
    if _DATES.match(text):
        return False
    if _THOUSANDS.fullmatch(text) and _MORE.search(view.text[max(0, start - 4) : start]):
        return False
    if _MODES.match(text):
        return False
    if needs_words:
        return _CUE.near(view, start, end)
    if _plain(text) and is_counted(view, start):
        return False
    if _plain(text) and _NEVER.near(view, start, end):
        return _CUE.near(view, start, end) and text[0] == "0"
    if text[0] == "0" and len(text.split(".")) == 2 and text.count(".") == 1 and " " not in text:
        return len(text.split(".")[0]) > 2
    return True


def _plain(text: str) -> bool:
    return text.isdigit()


def _glued(view: View, start: int) -> bool:
    """A number may hang on a word ("call4155550132") but is no part of an identifier."""
    if not follows_word(view, start):
        return view.text[start - 1 : start] in ("$", "#") if start else False
    before = _WORD.search(view.lower[max(0, start - 24) : start])
    word = before[0] if before else ""
    at = start - len(word)
    alone = len(word) >= 3 and (
        at == 0 or not (view.text[at - 1].isalnum() or view.text[at - 1] in "-_")
    )
    return not alone


_TOWN: Final = re.compile(rb"0\d{2,5}[ .\-/]{1,3}\d{5,8}")


def _is_called(view: View, start: int, number: bytes) -> bool:
    """Whether the word that a number hangs on is a name, or says telephone; ``img0123`` is a file."""
    before = _WORD.search(view.lower[max(0, start - 24) : start])
    word = view.text[start - len(before[0]) : start] if before else ""
    if (word[:1].isupper() and not word.isupper()) or _TOWN.match(number):
        return True
    return _CUE.near(view, start, start)


def _goes_on(view: View, start: int) -> bool:
    """Whether it is the end of a longer row of figures with a dash between."""
    before = view.text[max(0, start - 2) : start]
    return len(before) == 2 and before[1] == "-" and before[0].isdigit()


def _decimal(view: View, start: int, end: int) -> bool:
    """Whether it is the fraction of a number, or goes on as one."""
    before = view.text[max(0, start - 2) : start]
    if len(before) == 2 and before[0].isdigit() and before[1] in ".,":
        return True
    after = view.text[end : end + 2]
    return (
        len(after) == 2
        and after[0] in ".,:"
        and after[1].isdigit()
        and view.text[end - 1].isdigit()
        and after[0] != ","
    )


PHONE = Recogniser("phone", _find, rank=50, needs_digits=True, gate=any_of(*_PATTERNS, _GLUED))
