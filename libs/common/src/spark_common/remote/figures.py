"""Numbers as a script on a Spark prints them."""

import re
from collections.abc import Sequence
from typing import Final

_MOST_DIGITS: Final = 15
"""As many as the guard takes; what is longer is no count of anything on a Spark."""
_DECIMAL: Final = re.compile(r"[0-9]+(\.[0-9]+)?", re.ASCII)


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


def decimal(text: str | None) -> float | None:
    """Return a number of plain digits with at most one point, else None."""
    if text is None or len(text) > _MOST_DIGITS or not _DECIMAL.fullmatch(text):
        return None
    return float(text)


def meminfo(text: str) -> dict[str, int]:
    """Return the rows of ``/proc/meminfo`` in bytes; a row that is not one is left out.

    Of two rows of one name the first counts, as the kernel writes each once.
    """
    found: dict[str, int] = {}
    for line in text.split("\n"):
        words = line.split()
        if len(words) == 3 and words[2] == "kB" and words[0].endswith(":"):
            kib = whole(words[1])
            if kib is not None:
                found.setdefault(words[0][:-1], kib * 1024)
    return found
