"""JSON text, looked at without parsing it away: where its strings and numbers stand."""

import json
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

_PART: Final = re.compile(
    r'"((?:[^"\\]|\\.)*)"|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(:)|([,{}\[\]])', re.DOTALL
)
_ESCAPE: Final = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)", re.DOTALL
)


class Leaf(NamedTuple):
    """A string or number of JSON text.

    ``start`` and ``end`` are what may be replaced: between the quotes of a string, the whole of a
    number. ``starts`` maps each character of ``text`` to where it begins in the source; one more
    for the end.
    """

    start: int
    end: int
    text: str
    starts: list[int] | range
    number: bool
    key: bool


def is_json(text: str) -> bool:
    """Whether a text is a JSON object or array."""
    bare = text.strip(" \t\r\n")
    if len(bare) < 2 or (bare[0], bare[-1]) not in (("{", "}"), ("[", "]")):
        return False
    try:
        json.loads(bare)
    except (ValueError, RecursionError):
        return False
    return True


def leaves(source: str) -> Iterator[Leaf]:
    """Every string and number of valid JSON text, in order."""
    matches = list(_PART.finditer(source))
    for at, match in enumerate(matches):
        if match[1] is not None:
            start, end = match.span(1)
            text, starts = _unquoted(source, start, end)
            key = at + 1 < len(matches) and matches[at + 1][3] is not None
            yield Leaf(start, end, text, starts, number=False, key=key)
        elif match[2] is not None:
            start, end = match.span(2)
            yield Leaf(start, end, match[2], range(start, end + 1), number=True, key=False)


def _unquoted(source: str, start: int, end: int) -> tuple[str, list[int] | range]:
    inner = source[start:end]
    if "\\" not in inner:
        return inner, range(start, end + 1)
    pieces: list[str] = []
    starts: list[int] = []
    after = 0
    for match in _ESCAPE.finditer(inner):
        pieces.append(inner[after : match.start()])
        starts.extend(range(start + after, start + match.start()))
        character = json.loads(f'"{match[0]}"')
        pieces.append(character)
        starts.extend([start + match.start()] * len(character))
        after = match.end()
    pieces.append(inner[after:])
    starts.extend(range(start + after, end + 1))
    return "".join(pieces), starts
