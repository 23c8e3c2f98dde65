"""Who asks and tells whom, as a picture for docs/architecture.md, from the permissions.

``python -m spark_common.bus.diagram [--check] FILE`` writes it between the two marks of a Markdown
file, or says whether it is current.
"""

import sys
from collections.abc import Iterator

from spark_common.bus.permissions import PERMISSIONS
from spark_common.drawn_block import DrawnBlock

BEGIN = "<!-- bus: written by `python -m spark_common.bus.diagram`, compared by a test -->"
END = "<!-- /bus -->"
_MACHINERY = ("$", "_")
"""How subjects begin that are the server's own, and not about the product."""


def _spoken(subjects: tuple[str, ...]) -> list[str]:
    return [subject for subject in subjects if not subject.startswith(_MACHINERY)]


def overlap(first: str, second: str) -> bool:
    """Say whether some subject falls under both patterns."""
    left, right = first.split("."), second.split(".")
    for one, other in zip(left, right, strict=False):
        if ">" in (one, other):
            return True
        if one != other and "*" not in (one, other):
            return False
    return len(left) == len(right)


def _kind(subject: str) -> str:
    first = subject.partition(".")[0]
    return "asks" if first == "rpc" else first


def edges() -> Iterator[tuple[str, str, str]]:
    """Yield who may reach whom, and with what: ``asks``, or the first word of an event."""
    for name, one in PERMISSIONS.items():
        for other_name, other in PERMISSIONS.items():
            kinds = {
                _kind(said)
                for said in _spoken(one.publish)
                for heard in _spoken(other.subscribe)
                # An event that is stored has its job's id behind its subject.
                if name != other_name and (overlap(said, heard) or overlap(said, f"{heard}.*"))
            }
            yield from ((name, other_name, kind) for kind in sorted(kinds))


def diagram() -> str:
    """Return the permissions as a Mermaid flow chart, one arrow for each pair."""
    told: dict[tuple[str, str], list[str]] = {}
    for one, other, kind in edges():
        told.setdefault((one, other), []).append(kind)
    arrows = [
        f"  {one} -->|{', '.join(kinds)}| {other}" for (one, other), kinds in sorted(told.items())
    ]
    return "\n".join(["```mermaid", "flowchart LR", *arrows, "```"])


BLOCK = DrawnBlock(BEGIN, END, "permissions", diagram)

if __name__ == "__main__":
    sys.exit(BLOCK.main(sys.argv[1:]))
