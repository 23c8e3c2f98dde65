"""Which Spark's failure came first, when one that dies takes the others along. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from spark_common.contracts.swaps import Cause

ECHOES = frozenset(
    {
        "sparks_lost_each_other",
        "sparks_did_not_meet",
        "gpu_fault",
        "engine_failed",
        "engine_died",
        "start_too_slow",
        "stalled",
    }
)
"""What a rank says when another one is gone: true, but not why."""
UNEXPLAINED = frozenset({"runtime_died", "ended_silently"})
WAIT_LOOKS = 6
"""Looks for which an echo waits for the word of another Spark."""


@dataclass(frozen=True)
class Witness:
    """What one host says about a load."""

    head: bool
    cause: Cause | None
    failing: bool
    """Whether it looks dead and its reason is not known yet, or does not answer at all."""


def first_cause(witnesses: Sequence[Witness], waited_looks: int) -> Cause | None:
    """Return why the load failed, None while it may succeed or more is to be heard.

    ``waited_looks``: looks since the first cause was known.
    """
    known = [one for one in witnesses if one.cause is not None]
    if not known:
        return None
    best = min(known, key=_rank)
    certain = _rank(best)[0] == 0
    if not certain and waited_looks < WAIT_LOOKS and any(one.failing for one in witnesses):
        return None
    return best.cause


def _rank(one: Witness) -> tuple[int, bool]:
    """Order by how much it explains; workers first, because a head often only misses them."""
    code = one.cause.code if one.cause is not None else ""
    # Who died without a word died before those who complain of having lost somebody.
    worth = 2 if code in ECHOES else 1 if code in UNEXPLAINED else 0
    return worth, one.head
