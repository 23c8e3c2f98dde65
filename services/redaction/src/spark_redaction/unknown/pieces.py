"""Cuts a text into pieces that a model reads at once; they overlap, so that no name is cut."""

from collections.abc import Iterator
from typing import Final

PIECE: Final = 3_000
"""Code points of a piece."""
OVERLAP: Final = 200


def pieces(text: str, size: int = PIECE, overlap: int = OVERLAP) -> Iterator[str]:
    """Yield the pieces that have a letter in them, each a stretch of the text as it stands."""
    start = 0
    while start < len(text):
        end = start + size
        if end < len(text):
            end = _space_before(text, start + size // 2, end)
        piece = text[start:end]
        if any(map(str.isalpha, piece)):
            yield piece
        if end >= len(text):
            return
        begin = end - overlap
        start = max(start + 1, _space_before(text, max(0, begin - overlap // 2), begin))


def halves(piece: str) -> list[str]:
    """Return the two halves of a piece, overlapping; itself alone when it is short enough."""
    if len(piece) < 4 * OVERLAP:
        return [piece]
    return list(pieces(piece, len(piece) // 2 + OVERLAP, OVERLAP))


def _space_before(text: str, least: int, most: int) -> int:
    """The place after the last blank in a range; its end where there is none."""
    for mark in ("\n", " "):
        at = text.rfind(mark, least, most)
        if at != -1:
            return at + 1
    return most
