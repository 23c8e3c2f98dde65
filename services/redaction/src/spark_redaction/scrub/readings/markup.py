"""A text without the markup that stands inside its words: tags, emphasis, colours of a terminal."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from spark_redaction.scrub.readings.reading import Reading, kept

_HINTS: Final = (*"<`\x1b\x7f\x08", "\\-", "**", "~~", "__", "[b", "[i", "[u", "[/", "[c", "[s")
_NEAR: Final = 120
_OF_NUMBERS: Final = frozenset("0123456789+()")
_MARK: Final = re.compile(
    r"(?:</?(?:b|i|u|s|a|em|strong|span|font|mark|small|big|su[bp]|code|tt|del|ins|kbd|wbr|bd[io]|"
    r"q|abbr|var|samp|cite|label|strike|nobr|data|time)\b[^<>]{0,300}>"
    r"|<!--(?s:.{0,300}?)-->"
    r"|\[/?(?:b|i|u|s|color|size|font|url|code|quote)\b[^\[\]\n]{0,60}\]"
    r"|\x1b\[[0-9;]{0,20}[A-Za-z]|[\x01-\x08\x0b\x0e-\x1a\x7f]"
    r"|\*{2,3}|~~|__|`+|\\-)+",
    re.IGNORECASE,
)


def unmarked(text: str) -> Reading | None:
    """Return the reading, None when no mark stands between two characters of a word."""
    # The first character alone is found much faster than two.
    if not any(hint[0] in text and hint in text for hint in _HINTS):
        return None
    marks = [match.span() for match in _MARK.finditer(text)]
    inside = tuple(
        (start, end)
        for start, end in marks
        if start and end < len(text) and _inside(text, start, end)
    )
    if not inside:
        return None
    return Reading(kept(text, _around(text, marks, inside)), inside)


def _around(
    text: str, marks: list[tuple[int, int]], inside: Sequence[tuple[int, int]]
) -> Iterator[list[tuple[int, int]]]:
    """Yield what stands around the marks inside words, without any mark."""
    at = 0
    for start, end in _joined(inside, len(text)):
        stretch = []
        while at < len(marks) and marks[at][1] <= start:
            at += 1
        while at < len(marks) and marks[at][0] < end:
            if start < marks[at][0]:
                stretch.append((start, marks[at][0]))
            start = marks[at][1]
            at += 1
        if start < end:
            stretch.append((start, end))
        yield stretch


def _joined(places: Sequence[tuple[int, int]], length: int) -> Iterator[tuple[int, int]]:
    """Yield the neighbourhoods of places, those that touch as one."""
    first, last = max(0, places[0][0] - _NEAR), places[0][1] + _NEAR
    for start, end in places:
        if start - _NEAR > last:
            yield first, min(last, length)
            first = start - _NEAR
        last = end + _NEAR
    yield first, min(last, length)


def _inside(text: str, start: int, end: int) -> bool:
    if not (text[start - 1].isspace() or text[end].isspace()):
        return True
    before, after = text[max(0, start - 2) : start].strip(), text[end : end + 2].strip()
    return bool(before and after) and before[-1] in _OF_NUMBERS and after[0] in _OF_NUMBERS
