"""How often services are looked at, and how long is waited for what."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ServicePace:
    """Seconds, where nothing else is said."""

    look_seconds: float
    """Rest between two looks at one machine's containers, and at one port."""
    docker_seconds: int = 8
    """A docker that does not answer a question is left after that."""
    settle_seconds: float = 1.0
    """A container that was started is looked at again after that."""
    owned_ms: int = 150_000
    """Longer than one order takes: then its process is dead."""
    round_seconds: float = 5.0
    """Between two looks for what dead processes left behind."""
    job_poll_seconds: float = 1.0
