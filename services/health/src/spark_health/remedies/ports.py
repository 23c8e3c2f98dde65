"""What remedies need of containers. ``testing.FakeContainers`` and ``SshContainers`` have it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

Restarted: TypeAlias = Literal["restarted", "already", "late"]
"""``already``: it is not the same run of the container any more; ``late``: the time for it is
over. Nothing was done then."""


@dataclass(frozen=True)
class ContainerSight:
    """One run of a container."""

    started_at: str
    """As docker says it; another run has another one."""
    running: bool
    age_seconds: float
    """Since that start, by the Spark's own clock."""
    seen_at: float = 0.0
    """What that clock said (epoch s)."""


class Containers(Protocol):
    """Containers on the Sparks. Everything raises UnavailableError or RemoteCommandError."""

    async def look(self, host: str, container: str) -> ContainerSight | None:
        """Return how it is, or None when there is no such container."""
        ...

    async def restart(
        self, host: str, container: str, started_at: str, not_after: float
    ) -> Restarted:
        """Restart it if it is still the run that began at ``started_at``; at most once for each.

        Decided on the Spark itself, by its clock: whoever was paused in between, or asks again
        after a lost answer, does nothing twice, and nothing after the lease has run out.
        """
        ...

    async def recent_lines(self, host: str, container: str, seconds: float) -> Sequence[str]:
        """Return what it wrote lately, at most a few hundred lines, for patterns only."""
        ...
