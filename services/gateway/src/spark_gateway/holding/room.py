"""The room in which requests wait for a model: so many, so many bytes, the one that came first."""

from collections import Counter
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
    share: str = ""
    """Whose room it takes."""
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

    def make_room(self, one: Held, most: int, most_bytes: float) -> list[Held] | None:
        """Return who has to go so that one more fits; None: nobody has, it does not.

        Room is taken from whoever has most of it, the latest first, as long as that is still more
        than the newcomer's own share.
        """
        count, size, gone = len(self._held), self.bytes, list[Held]()
        while count >= most or size + one.size > most_bytes:
            by_count = count >= most
            shares = Counter[str]()
            for held in self._held:
                if held not in gone:
                    shares[held.share] += 1 if by_count else held.size
            heaviest = max(shares, key=lambda share: shares[share], default=one.share)
            own = shares[one.share] + (1 if by_count else one.size)
            if heaviest == one.share or shares[heaviest] <= own:
                return None
            theirs = [each for each in self if each.share == heaviest and each not in gone]
            gone.append(theirs[-1])
            count, size = count - 1, size - theirs[-1].size
        return gone

    def join(self, held: Held) -> None:
        """Begin to wait."""
        self._held[held] = None
        self.bytes += held.size

    def leave(self, held: Held) -> None:
        """End it."""
        if held in self._held:
            del self._held[held]
            self.bytes -= held.size
