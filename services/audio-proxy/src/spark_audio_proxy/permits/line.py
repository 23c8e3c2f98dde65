"""Who is next: by class, then whose turn it is, then arrival. Pure; it is asked often."""

from collections import Counter
from dataclasses import dataclass
from typing import Final

from spark_audio_proxy.permits.ports import RANKS, Ask, Kind

AGEING_SECONDS: Final = 30.0
"""Whoever waited this long counts as one class more urgent, so that nobody waits for ever."""
_MOST_REMEMBERED: Final = 1000


@dataclass(frozen=True)
class Place:
    """One call in the line."""

    id: str
    ask: Ask
    arrived_at: float


class Line:
    """Calls of this process that wait. Each client's calls take turns with those of others."""

    def __init__(self) -> None:
        self._places: dict[str, Place] = {}
        self._turns: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._places)

    def join(self, place: Place) -> None:
        """Stand in line."""
        if not any(other.ask.client == place.ask.client for other in self._places.values()):
            # Nobody saves up turns by staying away.
            waiting = [self._turns[other.ask.client] for other in self._places.values()]
            least = min(waiting, default=0)
            self._turns[place.ask.client] = max(self._turns[place.ask.client], least)
        self._places[place.id] = place

    def leave(self, place_id: str) -> None:
        """Stand in it no more; unknown ids are nobody's."""
        self._places.pop(place_id, None)
        if not self._places and len(self._turns) > _MOST_REMEMBERED:
            self._turns.clear()

    def first(self, kind: Kind, now: float) -> Place | None:
        """Return who is next among calls of a kind."""
        places = (place for place in self._places.values() if place.ask.kind == kind)
        return min(places, key=lambda place: self._order(place, now), default=None)

    def waiting(self, kind: Kind) -> int:
        """Return how many calls of a kind wait."""
        return sum(place.ask.kind == kind for place in self._places.values())

    def load(self) -> float:
        """Return how long the line is: a call that somebody waits for is short, and counts half."""
        return sum(
            0.5 if place.ask.urgency == "interactive" else 1.0 for place in self._places.values()
        )

    def taken(self, place: Place) -> None:
        """It got its permit: the turn counts."""
        self.leave(place.id)
        self._turns[place.ask.client] += 1

    def rank(self, place: Place, now: float) -> int:
        """Return its class now, 0 for the most urgent."""
        aged = int((now - place.arrived_at) / AGEING_SECONDS)
        return max(0, RANKS[place.ask.urgency] - aged)

    def seconds(self) -> float:
        """Return how much sound waits."""
        return sum(place.ask.seconds for place in self._places.values())

    def by_urgency(self) -> dict[str, int]:
        """Return how many wait in each class."""
        found = Counter[str](place.ask.urgency for place in self._places.values())
        return {urgency: found[urgency] for urgency in RANKS}

    def _order(self, place: Place, now: float) -> tuple[int, int, float, str]:
        turns = self._turns[place.ask.client]
        return (self.rank(place, now), turns, place.arrived_at, place.id)
