"""The table of phases as a picture, for docs/architecture.md.

``python -m spark_swapper.diagram [--check] FILE`` writes it between the two marks of a Markdown
file, or says whether it is current.
"""

import sys

from spark_common.contracts.swaps import TERMINAL, Phase
from spark_common.drawn_block import DrawnBlock
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


BLOCK = DrawnBlock(BEGIN, END, "phases", diagram)

if __name__ == "__main__":
    sys.exit(BLOCK.main(sys.argv[1:]))
