"""Faults and counts of a run, written where the report of ``make chaos`` finds them."""

from collections.abc import Mapping
from typing import Any


def note(node: Any, faults: Mapping[str, int], **counts: object) -> None:
    """Put faults and counts among the properties of a test; ``--junitxml`` writes them down.

    ``node`` is the ``request.node`` of the test. Call it before the assertions: a run that fails
    is to be reported with what was done to it.
    """
    node.user_properties += [(f"fault {kind}", count) for kind, count in sorted(faults.items())]
    node.user_properties += [(name.replace("_", " "), count) for name, count in counts.items()]
