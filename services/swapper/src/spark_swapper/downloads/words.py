"""Sizes and times in sentences for people."""

_GIGABYTE = 1e9


def size(value: float) -> str:
    """Return a size as people read it: 31.2 GB, 512 MB."""
    if value >= _GIGABYTE:
        return f"{value / _GIGABYTE:.1f} GB"
    return f"{value / 1e6:.0f} MB"


def speed(value: float) -> str:
    """Return a speed: 110 MB/s."""
    return f"{size(value)}/s"


def duration(seconds: float) -> str:
    """Return a time: 45 seconds, 12 minutes."""
    return f"{seconds:.0f} seconds" if seconds < 90 else f"{seconds / 60:.0f} minutes"


def both(labels: list[str]) -> str:
    """Return names as a list: Spark 1 and Spark 2."""
    if len(labels) < 2:
        return "".join(labels)
    return f"{', '.join(labels[:-1])} and {labels[-1]}"
