"""Numbers as a script on a Spark prints them."""

from collections.abc import Sequence
from typing import Final

_MOST_DIGITS: Final = 15
"""As many as the guard takes; what is longer is no count of anything on a Spark."""


def whole(text: str | None) -> int | None:
    """Return a number that is nothing but plain decimal digits, else None."""
    if text is None or len(text) > _MOST_DIGITS or not (text.isascii() and text.isdigit()):
        return None
    return int(text)


def memory_bytes(kib: Sequence[str]) -> tuple[int | None, int | None]:
    """Return available and total memory in bytes from both in KiB; None, None for nonsense."""
    available, total = map(whole, kib) if len(kib) == 2 else (None, None)
    if available is None or not total or available > total:
        return None, None
    return available * 1024, total * 1024
