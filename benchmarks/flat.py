"""Whether a process stayed as it was, from samples of it. Pure."""

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


def verdict(samples: list[Sample], failures: int) -> list[str]:
    """Say what is wrong; nothing when all is flat."""
    settled = samples[int(len(samples) * _WARM_UP) :]
    tenth = max(1, len(settled) // 5)
    first, last = settled[:tenth], settled[-tenth:]
    found = [f"{failures} requests failed"] if failures else []
    for name, more in (("resident", _MORE_MEMORY), ("files", _MORE_FILES), ("threads", 2)):
        before = min(getattr(each, name) for each in first)
        after = min(getattr(each, name) for each in last)
        if after > before + more:
            found.append(f"{name} grew from {before} to {after}")
    return found
