"""What recovery needs of the world: a place to share what is known, and the health service."""

from dataclasses import dataclass
from typing import Protocol

from spark_audio_proxy.recovery.standing import DeepState, Standing, Word


class SharedStanding(Protocol):
    """What all replicas know together. Every method raises UnavailableError."""

    async def read(self) -> Standing:
        """Return how the server stands; ready where nobody ever said anything else."""
        ...

    async def change(self, before: Standing, after: Standing) -> bool:
        """Write if nobody else wrote since ``before`` was read; return whether it was written."""
        ...

    async def count_wedge(self, culprit: str) -> int:
        """Count that a recording broke the server; return how often it has."""
        ...

    async def wedges(self, culprit: str) -> int:
        """Return how often a recording broke the server."""
        ...


@dataclass(frozen=True, slots=True)
class DeepSight:
    """The newest deep check; its time in epoch seconds."""

    state: DeepState
    checked_at: float


class HealthDesk(Protocol):
    """The health service, which checks and restarts. Both raise SparkError."""

    async def order_check(self, episode: str, reason: str) -> None:
        """Have real work put through the server now; once per episode."""
        ...

    async def latest_check(self) -> DeepSight | None:
        """Return the newest check."""
        ...


class Server(Protocol):
    """The speech server itself."""

    async def word(self) -> Word:
        """Ask how it is; raises nothing."""
        ...


class Announcer(Protocol):
    """Tells others. Raises SparkError."""

    async def suspect(self, standing: Standing) -> None:
        """Tell that something began."""
        ...

    async def state(self, before: Standing, after: Standing) -> None:
        """Tell of another state."""
        ...
