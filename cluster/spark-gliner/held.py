"""Notes which torch and numpy an image came with, and says whether they are still the same."""

import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

HELD = ("torch", "numpy", "triton", "nvidia-cudnn-cu13")
"""What the base image built for its GPU; those that are not there stay away."""


def versions() -> str:
    """Return a line per package, ``torch==2.9.0a0+50eac811a6``."""
    lines = []
    for name in HELD:
        try:
            lines.append(f"{name}=={version(name)}\n")
        except PackageNotFoundError:
            lines.append(f"{name} is not there\n")
    return "".join(lines)


def main(argv: list[str]) -> int:
    """``write FILE`` before, ``check FILE`` after something was installed."""
    if len(argv) != 2 or argv[0] not in ("write", "check"):
        sys.stderr.write("usage: held.py write|check FILE\n")
        return 2
    place = Path(argv[1])
    if argv[0] == "write":
        place.write_text(versions(), encoding="utf-8")
        return 0
    before, after = place.read_text(encoding="utf-8"), versions()
    if before != after:
        sys.stderr.write(f"what the base image came with was replaced.\n{before}became\n{after}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
