"""Base64, base32, hexadecimal and the like: decoded, and hidden whole when it holds something."""

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from spark_redaction.scrub.patterns import Pattern
from spark_redaction.scrub.view import View

_RUN: Final = Pattern(
    rb"(?:[A-Za-z0-9+/]{40,}\r?\n)+[A-Za-z0-9+/]+={0,2}|[A-Za-z0-9+/_\-]{11,}={0,6}",
    any_case=False,
)
_PAIRS: Final = Pattern(
    rb"\b(?:0x)?[0-9a-f]{2}(?:(?:[ :\-]|, ?|,?[ ]?0x|\\x)[0-9a-f]{2}){6,}\b"
    rb"|\b\d{2,3}(?:(?: |, ?|;)\d{2,3}){6,}\b|\b[01]{8}(?:[ ,]?[01]{8}){6,}\b"
)
_HEX: Final = frozenset(b"0123456789abcdefABCDEF")
_BASE32: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567=")
_DIGIT_BYTES: Final = re.compile(rb"(?:3\d|2\d){7,}")
_SPLIT: Final = re.compile(r"[^0-9a-z]+|(?<![0-9a-z])0x", re.IGNORECASE)
_NUMBER: Final = re.compile(r"[\s+().\-]*(?:\d[\s+().\-]*){7,}")
_BETWEEN: Final = "\n\0\0\0\n"
_DEEPEST: Final = 3
"""Times something encoded may be encoded again."""
_READABLE: Final = 0.95


class Decoded(NamedTuple):
    """A range of the view, and what it says."""

    start: int
    end: int
    text: str


def decodings(view: View) -> Iterator[Decoded]:
    """Yield what can be read as text once it is decoded."""
    for match in _RUN.matches(view):
        for octets in _of_run(match[0]):
            text = _readable(octets)
            if text:
                yield Decoded(*match.span(), text)
    if view.has_digits:
        for match in _PAIRS.matches(view):
            for octets in _of_numbers(match[0].decode("latin-1")):
                text = _readable(octets)
                if text:
                    yield Decoded(*match.span(), text)


def said_within(view: View) -> Iterator[str]:
    """Yield what everything encoded in a text says, as one text; then what is encoded in that."""
    for _ in range(_DEEPEST):
        text = _BETWEEN.join(each.text for each in decodings(view))
        if not text:
            return
        yield text
        view = View(text)


def hidden_in(
    view: View, look: Callable[[str], list[tuple[int, int]]], depth: int = 1
) -> Iterator[tuple[int, int]]:
    """Ranges in whose decoded text ``look`` finds something; all are looked at as one text."""
    found = list(decodings(view))
    if not found:
        return
    starts = []
    length = 0
    for each in found:
        starts.append(length)
        length += len(each.text) + len(_BETWEEN)
    joined = _BETWEEN.join(each.text for each in found)
    ranges = look(joined)
    if depth < _DEEPEST:
        ranges += hidden_in(View(joined), look, depth + 1)
    ranges.sort()
    at = 0
    reach = -1
    for start, each in zip(starts, found, strict=True):
        while at < len(ranges) and ranges[at][0] < start + len(each.text):
            reach = max(reach, ranges[at][1])
            at += 1
        if reach > start or _NUMBER.fullmatch(each.text):
            yield each.start, each.end


def _of_run(run: bytes) -> Iterator[bytes]:
    if not _looks_encoded(run):
        return
    letters = frozenset(run)
    bare = run.translate(None, b"\r\n").rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
    try:
        yield base64.b64decode(bare + b"=" * (-len(bare) % 4), validate=True)
    except (binascii.Error, ValueError):
        pass
    if letters <= _HEX and len(run) % 2 == 0:
        yield bytes.fromhex(run.decode())
    if letters <= _BASE32 and len(run) >= 16:
        try:
            yield base64.b32decode(bare + b"=" * (-len(bare) % 8))
        except (binascii.Error, ValueError):
            pass


def _looks_encoded(run: bytes) -> bool:
    if run.endswith(b"=") or (len(run) % 2 == 0 and _DIGIT_BYTES.fullmatch(run)):
        return True
    if run.isdigit():
        return len(run) >= 20 and len(run) % 2 == 0
    if len(run) >= 14 and len(run) % 2 == 0 and frozenset(run) <= _HEX:
        return True
    if len(run) >= 16 and frozenset(run) <= _BASE32:
        return any(48 <= each <= 57 for each in run) or len(run) >= 24
    mixed = run.lower() != run and run.upper() != run
    return mixed and len(run) % 4 != 1 and b"/" not in run.strip(b"/")[:3]


def _of_numbers(found: str) -> Iterator[bytes]:
    """Octets written one by one: hexadecimal, decimal, binary.

    A row of plain numbers that only spells other numbers is a row of numbers.
    """
    said = [each for each in _SPLIT.split(found.lower().replace("0x", " ")) if each]
    if all(len(each) == 8 and not each.strip("01") for each in said):
        yield bytes(int(each, 2) for each in said)
        return
    plain = all(map(str.isdigit, said)) and "x" not in found
    readings = []
    if plain and all(int(each) < 256 for each in said):
        readings.append(bytes(map(int, said)))
    if all(len(each) == 2 for each in said):
        readings.append(bytes.fromhex("".join(said)))
    yield from (each for each in readings if not (plain and each.isdigit()))


def _readable(octets: bytes) -> str:
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    if len(text) < 5:
        return ""
    fine = sum(each.isprintable() or each.isspace() for each in text)
    return text if fine >= _READABLE * len(text) else ""
