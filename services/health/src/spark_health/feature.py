"""What one feature of health brings along: verbs, loops, checks, probes."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from spark_common.bus.port import Serving
from spark_common.service import ReadyCheck
from spark_health.watching.ports import Probe


def _none() -> Sequence[Probe]:
    return ()


@dataclass(frozen=True)
class Feature:
    """Watching, hosts, services and so on, each put together in its own package."""

    verbs: Sequence[Serving] = ()
    background: Sequence[Callable[[], Awaitable[None]]] = ()
    """Loops that never return."""
    checks: Sequence[ReadyCheck] = ()
    probes: Callable[[], Sequence[Probe]] = _none
    """What it looks at now; asked again and again. A later feature's probe of the same target
    takes the place of an earlier one's."""
    close: Callable[[], Awaitable[None]] | None = None
    """Lets go of what it opened."""
