"""Whether a process stayed as it was, from samples of it. Pure."""

from statistics import linear_regression
from typing import Final, NamedTuple

_WARM_UP: Final = 0.2
"""Share of the time after which nothing may grow any more."""
_MORE_MEMORY: Final = 8 << 20
"""Bytes by which the last samples may lie above the first ones."""
_MORE_FILES: Final = 16


class Sample(NamedTuple):
    """Of a process while nobody asks anything of it; memory in bytes."""

    resident: int
    files: int
    threads: int


def slope(samples: list[Sample], seconds: float) -> float:
    """Return by how many bytes an hour the memory grows after the warm-up: a line through it all.

    ``seconds``: what all samples took together. NaN where there are too few of them.
    """
    settled = _settled(samples)
    if len(settled) < 2:
        return float("nan")
    hours = [number * seconds / len(samples) / 3600 for number in range(len(settled))]
    return linear_regression(hours, [sample.resident for sample in settled]).slope


def verdict(samples: list[Sample], failures: int) -> list[str]:
    """Say what is wrong; nothing when all is flat."""
    settled = _settled(samples)
    tenth = max(1, len(settled) // 5)
    first, last = settled[:tenth], settled[-tenth:]
    found = [f"{failures} requests failed"] if failures else []
    for name, more in (("resident", _MORE_MEMORY), ("files", _MORE_FILES), ("threads", 2)):
        before = min(getattr(each, name) for each in first)
        after = min(getattr(each, name) for each in last)
        if after > before + more:
            found.append(f"{name} grew from {before} to {after}")
    return found


def _settled(samples: list[Sample]) -> list[Sample]:
    return samples[int(len(samples) * _WARM_UP) :]
