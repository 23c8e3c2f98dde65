"""A second look at a text with its escapes undone; only where there are any."""

import html
import re
from typing import Final
from urllib.parse import unquote

from spark_redaction.scrub.view import View, mapped_view

_ESCAPE: Final = re.compile(
    r"(?:%[0-9A-Fa-f]{2})+"
    r"|&(?:\#[xX]?0{0,4}[0-9A-Fa-f]{1,6}|[A-Za-z]{2,8});"
    r"|(?:\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    r"|\\u[0-9A-Fa-f]{4}|\\u\{[0-9A-Fa-f]{1,6}\}|(?:\\x[0-9A-Fa-f]{2})+|\\[nrtbf\"/\\@_\[\]]"
    r"|(?:=[0-9A-F]{2})+|=\r?\n"
)
_OCTET: Final = re.compile(r"%[0-9A-Fa-f]{2}|=[0-9A-F]{2}|\\x[0-9A-Fa-f]{2}")
_HINTS: Final = ("%", "&", "\\", "=")
_ROUNDS: Final = 3
_SINGLE: Final = {"n": "\n", "r": "\r", "t": "\t", "b": " ", "f": " "}


def unescaped_view(text: str) -> View | None:
    """Return the view of the decoded text, or None when nothing in it is escaped.

    Escapes of escapes (``%2540``) are undone as well, three deep.
    """
    if not any(hint in text for hint in _HINTS):
        return None
    current = text
    starts: list[int] | range = range(len(text))
    ends: list[int] | range = range(1, len(text) + 1)
    for _ in range(_ROUNDS):
        step = _undone(current, starts, ends)
        if step is None:
            break
        current, starts, ends = step
    return None if current == text else mapped_view(current, starts, ends)


def _undone(
    text: str, starts: list[int] | range, ends: list[int] | range
) -> tuple[str, list[int], list[int]] | None:
    pieces: list[str] = []
    new_starts: list[int] = []
    new_ends: list[int] = []
    after = 0
    for match in _ESCAPE.finditer(text):
        characters = _decoded(match[0])
        if characters == match[0]:
            continue
        begin, end = match.span()
        pieces.append(text[after:begin])
        new_starts.extend(starts[after:begin])
        new_ends.extend(ends[after:begin])
        pieces.append(characters)
        octets = _OCTET.match(match[0])
        if octets is not None:
            at = begin
            single = len(characters) * len(octets[0]) == len(match[0])
            for character in characters:
                many = 1 if single else len(character.encode("utf-8", "replace"))
                width = len(octets[0]) * many
                stop = min(at + width, end)
                new_starts.append(starts[min(at, end - 1)])
                new_ends.append(ends[max(stop, at + 1) - 1] if at < end else ends[end - 1])
                at = stop
        else:
            new_starts.extend([starts[begin]] * len(characters))
            new_ends.extend([ends[end - 1]] * len(characters))
        after = end
    if not pieces:
        return None
    pieces.append(text[after:])
    new_starts.extend(starts[after:])
    new_ends.extend(ends[after:])
    return "".join(pieces), new_starts, new_ends


def _decoded(escape: str) -> str:
    if escape[0] == "%":
        return unquote(escape, errors="replace")
    if escape[0] == "&":
        return html.unescape(escape)
    if escape[0] == "=":
        return _text(bytes.fromhex(escape.replace("=", ""))) if escape[1].isalnum() else ""
    if escape[1] == "x":
        return _text(bytes.fromhex(escape.replace("\\x", "")))
    if escape[1] == "u" and escape.count("\\u") == 2:
        return bytes.fromhex(escape.replace("\\u", "")).decode("utf-16-be")
    if escape[1] == "u" and len(escape) > 2:
        point = int(escape[2:].strip("{}"), 16)
        return chr(point) if point < 0xD800 or 0xE000 <= point <= 0x10FFFF else escape
    return _SINGLE.get(escape[1], escape[1])


def _text(octets: bytes) -> str:
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return octets.decode("latin-1")
