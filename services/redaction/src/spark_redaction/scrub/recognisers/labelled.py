"""Values behind the words that forms put before them: "Anschrift: ...", "生年月日 ..."."""

import re
from collections.abc import Iterator
from typing import Final

from spark_redaction.scrub.checksums import digits_of
from spark_redaction.scrub.kinds import Kind
from spark_redaction.scrub.names.unspaced import UNSPACED
from spark_redaction.scrub.nearby import STOP
from spark_redaction.scrub.patterns import Pattern
from spark_redaction.scrub.recogniser import Finding, Recogniser
from spark_redaction.scrub.recognisers.labels import EVERY, LATIN, WIDE
from spark_redaction.scrub.view import View


def _longest_first(labels: list[str]) -> list[str]:
    return sorted(labels, key=len, reverse=True)


_LATIN: Final = Pattern(
    rb"\b(?:" + "|".join(map(re.escape, _longest_first(LATIN))).encode() + rb")\b"
)
_WIDE: Final = re.compile("|".join(map(re.escape, _longest_first(WIDE))))
_JOIN: Final = re.compile(
    r"\.?[\"']?\s{0,3}(?:(?:номер|серия|number|no|nr|n|ist|is|est|es|em|er|e|on|am|op|el|le|il|yra|ir|are|هو|הוא|है|คือ|là)"
    r"(?![^\W\d_])\.?\s{0,2}|[是为は가が이]|[:=\-(]\s{0,3}){0,3}[\"'(]?"
)
_PLACE_JOIN: Final = re.compile(r"\.?[\"']?\s{0,3}[:=\-][\s\"'(]{0,4}|[是は]?\s{0,2}")
_COLON: Final = re.compile(r"[:=是は]")
_ABBREVIATIONS: Final = frozenset({"NATO", "UR"})
"""Which are a label only in small letters."""
_NUMBER: Final = re.compile(
    r"[a-z]{0,4}[ -]?\d[a-z0-9]*(?:[ \-./]{1,2}[a-z]{0,3}\d[a-z0-9]*){0,7}(?:[ -]?[a-z0-9](?!\w))?(?:\(\w\))?"
)
_PHONE: Final = re.compile(r"[+(]?\d(?:[ ().\-/]{0,3}\d){5,15}")
_SECRET: Final = re.compile(r"[^\s\"'<>、。，；,;]{3,80}")
_DATE: Final = re.compile(
    r"\d{1,4}(?:[\s./\-,]{0,3}(?:[^\W\d_]{1,14}[\s./\-,]{0,3}){0,3}\d{1,4}){1,2}[年月日일]?"
)
_HANDLE: Final = re.compile(r"@?[a-z][\w.\-]{3,40}")
_PLACE: Final = re.compile(r"[^\n\0;|<>\"{}\[\]。]{5,110}")
_SENTENCE: Final = re.compile(
    r"[.!?]\s+[^\W\d_]{4}|[.!?]\s*\Z|,\s+(?:and|und|et|y|e|og|och|a|i|и)\s"
)
_OTHER: Final = re.compile(
    r"(?:e-?mail|mail|ip|ip-?v[46]|mac|web|site|url|wallet|btc|eth|memory|base|bus|return|http|host|server|node|"
    r"broadcast|network|loopback|contract|virtual|physical|wall|main|high|pagine)[\s_\-]{0,2}\Z"
)
"""Addresses of another kind, and streets that are none."""
_PROGRAM: Final = re.compile(r" [*+=%&|] |==|->|\w\(|\$\w|::")
_NO_PLACE: Final = re.compile(r"0x|https?:|[\w.+-]+@|\d+(?:\.\d+){3}|[0-9a-f]{2}:|\W")


def _find(view: View) -> Iterator[Finding]:
    for start, end in _labels(view):
        if view.text[start:end] in _ABBREVIATIONS:
            continue
        kind = EVERY[view.lower[start:end]]
        join = (_PLACE_JOIN if kind is Kind.ADDRESS else _JOIN).match(view.lower, end)
        at = join.end() if join else end
        value = _value(view, kind, at, sure=bool(_COLON.search(view.lower, end, at)))
        if value is not None and (kind is not Kind.ADDRESS or not _of_another_kind(view, start)):
            yield at, value, kind, _key(kind, view.lower[at:value])


def _labels(view: View) -> Iterator[tuple[int, int]]:
    for found in _LATIN.matches(view):
        yield found.span()
    if view.other_scripts:
        for match in _WIDE.finditer(view.lower):
            if _stands_free(view.lower, *match.span()):
                yield match.span()


def _stands_free(text: str, start: int, end: int) -> bool:
    """No letters of a longer word around it, in scripts whose words have ends."""
    before, after = text[start - 1 : start] if start else "", text[end : end + 1]
    if UNSPACED.match(text[start]):
        return True
    return not (before.isalpha() or (after.isalpha() and not UNSPACED.match(after)))


def _value(view: View, kind: Kind, at: int, *, sure: bool) -> int | None:
    """Where the value that begins at a place ends; None when there is none."""
    low = view.lower
    if kind is Kind.ADDRESS:
        return _end_of_place(view, at, sure=sure)
    shape = {Kind.BIRTH: _DATE, Kind.PHONE: _PHONE, Kind.SECRET: _SECRET, Kind.HANDLE: _HANDLE}
    match = shape.get(kind, _NUMBER).match(low, at)
    if match is None:
        return None
    digits = len(digits_of(match[0]))
    if kind is Kind.BIRTH:
        return match.end() if 3 <= digits <= 8 else None
    if kind in (Kind.SECRET, Kind.HANDLE):
        return match.end() if sure or digits or UNSPACED.match(low[at - 1]) else None
    return match.end() if digits >= 5 else None


def _end_of_place(view: View, at: int, *, sure: bool) -> int | None:
    match = _PLACE.match(view.text, at)
    if match is None or not sure or _NO_PLACE.match(view.lower, at):
        return None
    text = match[0].partition(STOP)[0]
    stop = _SENTENCE.search(text.lower(), 6)
    text = (text[: stop.start()] if stop else text).rstrip(" ,.)(-")
    if _PROGRAM.search(text):
        return None
    letters = sum(map(str.isalpha, text))
    wide = not text.isascii() and letters >= 4
    if letters < 3 or not (wide or (" " in text and any(map(str.isdigit, text)))):
        return None
    return at + len(text)


def _of_another_kind(view: View, start: int) -> bool:
    return _OTHER.search(view.lower, max(0, start - 16), start) is not None


def _key(kind: Kind, text: str) -> str:
    if kind in (Kind.PHONE, Kind.BIRTH):
        return digits_of(text)
    return "".join(filter(str.isalnum, text)) if kind is not Kind.SECRET else text


LABELLED = Recogniser("labelled", _find, rank=53)
