"""What a deep check is: one small job through one service, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from pydantic import JsonValue

State: TypeAlias = Literal["ok", "idle", "busy", "loading", "failing", "down"]
Trouble: TypeAlias = Literal["gpu_error", "server_error", "cut_off", "silent"]
"""``gpu_error``: its answer names a fault of the GPU. ``server_error``: any other 5xx.
``cut_off``: the connection ended in the middle. ``silent``: no answer in time."""


@dataclass(frozen=True)
class Outcome:
    """What came of one job."""

    state: State
    sentence: str
    """Plain words for the owner."""
    latency_ms: float | None = None
    trouble: Trouble | None = None
    facts: Mapping[str, JsonValue] = field(default_factory=dict)
    evidence: tuple[str, ...] = ()
    """Statuses and error patterns, never content."""


@dataclass(frozen=True)
class Place:
    """Where a service is, and what it runs in."""

    service: str
    label: str
    base_url: str
    host: str | None
    """Name of the Spark (``spark1``); None where it is no Spark of ours."""
    container: str | None
    """None for what no remedy may touch."""


class DeepCheck(Protocol):
    """One service, one job."""

    @property
    def place(self) -> Place:
        """Where the job goes."""
        ...

    async def run(self) -> Outcome:
        """Do the job once, in a time it bounds itself. Raises nothing."""
        ...
