"""The stretches of a text worth a slow look: around the words that could matter."""

from collections.abc import Iterable, Iterator


def windows(
    places: Iterable[tuple[int, int]], *, gap: int, least: int
) -> Iterator[tuple[int, int]]:
    """Join ranges that lie within ``gap`` of each other; keep those joined from ``least`` or more."""
    start = end = count = 0
    for begin, stop in places:
        if count and begin - end <= gap:
            end = max(end, stop)
            count += 1
            continue
        if count >= least:
            yield start, end
        start, end, count = begin, stop, 1
    if count >= least:
        yield start, end
