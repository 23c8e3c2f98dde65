"""The fair line before one upstream: who is next, and how many go before whom. Pure.

Every identity has a time of its own that moves on by one over its weight with each turn it takes;
the one that is furthest back is next. With equal weights that is taking turns, whatever the number
of requests each one sends; nobody saves up turns by staying away.
"""

from collections import deque
from collections.abc import Callable
from typing import Final, Generic, Protocol, TypeVar

_TURN: Final = 1_000_000_000
"""What a turn costs an identity of weight 1; whole numbers, so that an order is exact."""


class Standing(Protocol):
    """Something that waits, for somebody."""

    @property
    def share(self) -> str:
        """Whose it is."""
        ...

    @property
    def weight(self) -> int:
        """Turns of theirs for one of an identity with weight 1."""
        ...


StandingT = TypeVar("StandingT", bound=Standing)


class _Turns(Generic[StandingT]):
    __slots__ = ("cost", "time", "waiting")

    def __init__(self, cost: int, time: int) -> None:
        self.cost = cost
        self.time = time
        self.waiting: deque[StandingT] = deque()


class FairLine(Generic[StandingT]):
    """Those who wait, by identity; each identity's own in the order in which they came."""

    def __init__(self) -> None:
        self._turns: dict[str, _Turns[StandingT]] = {}
        self._now = 0
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def join(self, one: StandingT) -> None:
        """Stand in line."""
        turns = self._turns.get(one.share)
        if turns is None:
            cost = _TURN // one.weight
            turns = self._turns[one.share] = _Turns(cost, self._now + cost)
        turns.waiting.append(one)
        self._size += 1

    def leave(self, one: StandingT) -> None:
        """Stand in line no longer. Raises ValueError when it does not."""
        turns = self._turns.get(one.share)
        if turns is None:
            raise ValueError("nobody of this identity waits")
        turns.waiting.remove(one)
        self._size -= 1
        if not turns.waiting:
            del self._turns[one.share]

    def next(self, may: Callable[[StandingT], bool]) -> StandingT | None:
        """Take out who is next among those that may go; None when none may."""
        best: _Turns[StandingT] | None = None
        held_up: list[_Turns[StandingT]] = []
        for turns in self._turns.values():
            if not may(turns.waiting[0]):
                held_up.append(turns)
            elif best is None or turns.time < best.time:
                best = turns
        if best is None:
            return None
        one = best.waiting.popleft()
        self._size -= 1
        self._now = max(self._now, best.time)
        for turns in held_up:
            # Turns that could not be taken are not owed.
            turns.time = max(turns.time, self._now)
        best.cost = _TURN // one.weight
        best.time += best.cost
        if not best.waiting:
            del self._turns[one.share]
        return one

    def anybody(self, may: Callable[[StandingT], bool]) -> bool:
        """Say whether the next of any identity may go."""
        return any(may(turns.waiting[0]) for turns in self._turns.values())

    def before(self, one: StandingT) -> int:
        """Return how many go before ``one`` if nobody else comes and all may go."""
        mine = self._turns[one.share]
        index = mine.waiting.index(one)
        time = mine.time + index * mine.cost
        count, earlier = index, True
        for turns in self._turns.values():
            if turns is mine:
                earlier = False
                continue
            # Whoever came first goes first where times are equal.
            ahead = time - turns.time + earlier
            count += min(len(turns.waiting), max(0, -(-ahead // turns.cost)))
        return count

    def longest(self) -> tuple[str, int]:
        """Return who has most waiting, and how many; the line must not be empty."""
        share = max(self._turns, key=lambda name: len(self._turns[name].waiting))
        return share, len(self._turns[share].waiting)

    def waiting_of(self, share: str) -> int:
        """Return how many of one identity wait."""
        turns = self._turns.get(share)
        return len(turns.waiting) if turns is not None else 0

    def youngest_of(self, share: str) -> StandingT:
        """Return the one of an identity that came last."""
        return self._turns[share].waiting[-1]
