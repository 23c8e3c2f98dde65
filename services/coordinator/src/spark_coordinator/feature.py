"""What one feature of the coordinator brings along: verbs, loops, checks."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from spark_common.bus.port import Serving
from spark_common.service import ReadyCheck


@dataclass(frozen=True)
class Feature:
    """Lease, schedules, webhooks and so on, each put together in its own package."""

    verbs: Sequence[Serving] = ()
    background: Sequence[Callable[[], Awaitable[None]]] = ()
    """Loops that never return."""
    checks: Sequence[ReadyCheck] = ()
