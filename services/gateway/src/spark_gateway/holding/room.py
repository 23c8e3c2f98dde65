"""The room in which requests wait for a model: so many, so many bytes, the one that came first."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from spark_gateway.dataplane.ports import Again

ANY: Final = "auto"
"""What is wanted by those whom every model suits."""


@dataclass(eq=False, slots=True)
class Held:
    """A request that waits. Times in seconds on the monotonic clock."""

    room: "WaitingRoom"
    wanted: str
    """Key of the model, or ``ANY``."""
    path: bytes
    label: str
    """Who asks, for lists."""
    size: int
    """Bytes of its body."""
    since: float
    until: float
    """When it has waited as long as it may."""
    demands: bool
    """Whether a swap may be asked for because of it."""
    again: Again
    swap_id: str | None = None
    """The swap that it waits for."""

    def leave(self) -> None:
        """Wait no longer; harmless when it does not any more."""
        self.room.leave(self)


class WaitingRoom:
    """Keeps requests in the order in which they began to wait, and counts."""

    def __init__(self) -> None:
        self._held: dict[Held, None] = {}
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._held)

    def __iter__(self) -> Iterator[Held]:
        """Give those of this moment; any of them may leave meanwhile."""
        return iter(sorted(self._held, key=lambda held: held.since))

    def __contains__(self, held: Held) -> bool:
        return held in self._held

    def join(self, held: Held) -> None:
        """Begin to wait."""
        self._held[held] = None
        self.bytes += held.size

    def leave(self, held: Held) -> None:
        """End it."""
        if held in self._held:
            del self._held[held]
            self.bytes -= held.size
