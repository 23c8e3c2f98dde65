"""Keys of whoever is in no list of providers: a row of signs as only chance makes it."""

import re
import string
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from spark_redaction.scrub.kinds import Kind
from spark_redaction.scrub.patterns import Pattern
from spark_redaction.scrub.recogniser import Finding, Recogniser
from spark_redaction.scrub.view import View

_OPAQUE: Final = Pattern(
    rb"\b[A-Za-z][A-Za-z0-9]{1,11}_[A-Za-z0-9]{20,}\b|\b[A-Za-z0-9]{32,}\b", any_case=False
)
"""With a prefix as providers put it, or nothing but chance."""
_NO_KEY: Final = re.compile(
    r"(?:sha\d*|md5|crc\d*|commit|blob|tree|digest|etag|hash|rev"
    r"|call|toolu|tooluse|msg|req|resp|request|response|run|thread|asst|step|batch|evt|event|trace|span)\Z",
    re.IGNORECASE,
)
"""Prefixes of digests, and of what a server counts: messages, calls of tools, requests."""
_HEX: Final = re.compile(r"[0-9a-f]{32,}")
_KIND_OF_SIGN: Final = str.maketrans(
    {
        **dict.fromkeys(string.ascii_lowercase, "a"),
        **dict.fromkeys(string.ascii_uppercase, "A"),
        **dict.fromkeys(string.digits, "0"),
    }
)
_FEWEST_DIGITS: Final = 4
_FEWEST_BEHIND_PREFIX: Final = 2
_FEWEST_TURNS: Final = 0.45
"""Share of places where letters, capitals and digits change; of chance it is 0.6, of names 0.3."""


def _find(view: View) -> Iterator[Finding]:
    for match in _OPAQUE.matches(view):
        start, end = match.span()
        if _is_opaque(view, start, end):
            yield start, end, Kind.SECRET, view.text[start:end]


def _is_opaque(view: View, start: int, end: int) -> bool:
    """Whether letters and digits come as they come by chance, and not in the middle of base64."""
    if view.text[max(0, start - 1) : start] in ("+", "/", "=", "-") or view.text[end : end + 1] in (
        "+",
        "/",
        "=",
    ):
        return False
    prefix, _, tail = view.text[start:end].rpartition("_")
    if _NO_KEY.match(prefix):
        return False
    if prefix and _HEX.fullmatch(tail):
        return True
    signs = tail.translate(_KIND_OF_SIGN)
    turns = sum(one != two for one, two in pairwise(signs))
    return (
        {"a", "A"} <= set(signs)
        and signs.count("0") >= (_FEWEST_BEHIND_PREFIX if prefix else _FEWEST_DIGITS)
        and turns >= _FEWEST_TURNS * len(signs)
    )


OPAQUE = Recogniser("opaque", _find, rank=45, needs_digits=True, gate=_OPAQUE)
