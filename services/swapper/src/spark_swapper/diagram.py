"""The table of phases as a picture, for docs/architecture.md.

``python -m spark_swapper.diagram [--check] FILE`` writes it between the two marks of a Markdown
file, or says whether it is current.
"""

import sys
from pathlib import Path

from spark_common.contracts.swaps import TERMINAL, Phase
from spark_swapper.records.jobs import TRANSITIONS

BEGIN = "<!-- phases: written by `python -m spark_swapper.diagram`, compared by a test -->"
END = "<!-- /phases -->"


def diagram() -> str:
    """Return the table as a Mermaid state diagram, in the order of the phases."""
    order = list(Phase)
    moves = [
        f"  {phase} --> {following}"
        for phase in order
        for following in sorted(TRANSITIONS[phase], key=order.index)
    ]
    ends = [f"  {phase} --> [*]" for phase in order if phase in TERMINAL]
    return "\n".join(["```mermaid", "stateDiagram-v2", "  [*] --> queued", *moves, *ends, "```"])


def with_diagram(text: str) -> str:
    """Return a document with the current picture between its marks; raises ValueError without."""
    before, mark, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not mark or not end:
        raise ValueError("the document has no place for the diagram")
    return f"{before}{BEGIN}\n{diagram()}\n{END}{after}"


def main(arguments: list[str]) -> int:
    """Write or check; return the exit code."""
    check = "--check" in arguments
    (path,) = (Path(word) for word in arguments if not word.startswith("--"))
    text = path.read_text(encoding="utf-8")
    current = with_diagram(text)
    if check and current != text:
        sys.stderr.write(f"{path}: the phases changed; run `make schemas`\n")
        return 1
    if not check:
        path.write_text(current, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
