"""Words of a transcript in order, and what is no speech: time stamps and names of speakers."""

import re
from typing import Final

from spark_redaction.scrub.view import View

HEADER: Final = re.compile(
    r"(?:^|\n)[ \t]*(?:\[?\(?\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d{1,3})?(?:\s*(?:-->|-)\s*\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d{1,3})?)?\]?\)?[ \t]*)?"
    r"(?:(?:speaker|spk|s)[ _-]?[0-9a-z]{1,3}|[a-z][a-z'. ]{0,24})[ \t]*:(?=\s)|(?:^|\n)[ \t]*\[?\(?\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d{1,3})?\]?\)?[ \t]*:?|\[\d{1,2}:\d{2}(?::\d{2})?\]"
)
WORDS: Final = re.compile(r"[a-z]+(?:['’-][a-z]+)*|\d+|[@]")


def headers(view: View) -> list[tuple[int, int]]:
    """Ranges of what stands before what is said, from left to right."""
    if ":" not in view.lower:
        return []
    return [match.span() for match in HEADER.finditer(view.lower)]


def past(skipped: list[tuple[int, int]], at: int, start: int) -> int:
    """Index of the first range that does not end before ``start``."""
    while at < len(skipped) and skipped[at][1] <= start:
        at += 1
    return at


def inside(skipped: list[tuple[int, int]], at: int, start: int) -> bool:
    """Whether ``start`` lies in the range at this index."""
    return at < len(skipped) and skipped[at][0] <= start < skipped[at][1]
