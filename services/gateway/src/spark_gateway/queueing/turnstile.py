"""The turnstile before the upstreams: a bounded number inside, a bounded fair line outside."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from spark_gateway.dataplane.free import INSIDE
from spark_gateway.dataplane.ports import Again, Identity, Refusal, Ticket, Upstream
from spark_gateway.queueing.counts import Counts
from spark_gateway.queueing.line import FairLine
from spark_gateway.queueing.words import displaced, full, too_long

_LOOK_SECONDS: Final = 1.0

Later: TypeAlias = Callable[[float, Callable[[], None]], object]
"""Calls something in so many seconds."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many may wait before each upstream, and for how many seconds."""

    most_waiting: int = 256
    longest_seconds: float = 300.0


class Place:
    """A place at an upstream, or in the line before it."""

    __slots__ = ("_gate", "_gone", "_turnstile", "identity", "inside", "since", "tell", "where")

    def __init__(
        self,
        turnstile: "FairTurnstile",
        gate: "_Gate",
        identity: Identity,
        path: bytes,
        again: Again,
        since: float,
    ) -> None:
        self._turnstile = turnstile
        self._gate = gate
        self._gone = False
        self.identity = identity
        self.where = path
        self.tell = again
        self.inside = False
        self.since = since

    @property
    def share(self) -> str:
        """Whose it is."""
        return self.identity.share

    @property
    def weight(self) -> int:
        """Their turns for one of others."""
        return self.identity.weight

    @property
    def position(self) -> int:
        """How many go before it, itself included; 0 inside."""
        return 0 if self.inside or self._gone else self._gate.line.before(self) + 1

    def leave(self) -> None:
        """Give it back; harmless when that was done."""
        if not self._gone:
            self._gone = True
            self._turnstile.left(self, self._gate)

    def end(self, refusal: Refusal) -> None:
        """It waited in vain; it is out of the line already."""
        self._gone = True
        self.tell(refusal)


class Seat:
    """A place at an upstream that nobody had to wait for: all that most requests need."""

    __slots__ = ("_gate", "_share", "_turnstile")

    inside: Final = True
    position: Final = 0

    def __init__(self, turnstile: "FairTurnstile", gate: "_Gate", share: str) -> None:
        self._turnstile = turnstile
        self._gate: _Gate | None = gate
        self._share = share

    def leave(self) -> None:
        """Give it back; harmless when that was done."""
        gate, self._gate = self._gate, None
        if gate is not None:
            self._turnstile.stood_up(gate, self._share)


class _Gate:
    """One upstream: those inside and those before it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.inside = 0
        self.line: FairLine[Place] = FairLine()
        self.ages: dict[Place, None] = {}
        """Those in line, the one that waits longest first."""
        self.counts = Counts()

    def step_out(self, place: Place) -> None:
        """Take somebody out of the line."""
        self.line.leave(place)
        del self.ages[place]


class FairTurnstile:
    """A ``Turnstile``. Nobody is ever owed a place twice, and no place is ever lost."""

    def __init__(
        self,
        cap: Callable[[str], int],
        bounds: Callable[[], Bounds],
        monotonic: Callable[[], float],
        *,
        capped: Callable[[], bool],
        later: Later | None = None,
    ) -> None:
        """``cap``: of an upstream by name, 0 for none. ``capped``: whether there is any limit."""
        self._cap = cap
        self._bounds = bounds
        self._monotonic = monotonic
        self._capped = capped
        self._later = later or _in_loop
        self._gates: dict[str, _Gate] = {}
        self._held: dict[str, int] = {}
        """Places inside by identity, over all upstreams."""
        self._waiting = 0
        self._due: deque[_Gate] = deque()
        self._admitting = False
        self._looking = False

    @property
    def open(self) -> bool:
        """Whether nobody ever waits here."""
        return not self._capped() and not self._waiting

    def enter(
        self, identity: Identity, upstream: Upstream, path: bytes, again: Again
    ) -> Ticket | Refusal:
        """Go in or stand in line: then ``again`` is called later, once, with None or why not."""
        if not identity.concurrency and not self._cap(upstream.name):
            return INSIDE
        gate = self._gate(upstream.name)
        place = Place(self, gate, identity, path, again, self._monotonic())
        if not self._has_room(gate) or not self._may(place) or self._must_stand(gate, place):
            refusal = self._stand(gate, place)
            if refusal is not None:
                return refusal
        else:
            self._let_in(gate, place)
        return place

    def step_in(self, identity: Identity, upstream: Upstream) -> Ticket | None:
        """Go in where there is room and nobody waits; None: there is a line, or has to be one."""
        name = upstream.name
        limit, cap = identity.concurrency, self._cap(name)
        if not limit and not cap:
            return INSIDE
        gate = self._gates.get(name) or self._gate(name)
        if gate.ages or (cap and gate.inside >= cap):
            return None
        share = identity.share
        held = self._held.get(share, 0)
        if limit and held >= limit:
            return None
        gate.inside += 1
        self._held[share] = held + 1
        gate.counts.buckets[0] += 1
        return Seat(self, gate, share)

    def stood_up(self, gate: _Gate, share: str) -> None:
        """A place inside was given back: who is next goes in."""
        gate.inside -= 1
        held = self._held[share] - 1
        if held:
            self._held[share] = held
        else:
            del self._held[share]
        if self._waiting:
            self._admit()

    def left(self, place: Place, gate: _Gate) -> None:
        """A place was given back, also one in line that held up others: who is next goes in."""
        if place.inside:
            self.stood_up(gate, place.share)
            return
        gate.step_out(place)
        self._waiting -= 1
        gate.counts.left += 1
        if self._waiting:
            self._admit()

    def look(self) -> None:
        """Send away who has waited too long; let in whom a changed limit has room for."""
        oldest = self._monotonic() - self._bounds().longest_seconds
        for gate in self._gates.values():
            overdue = [place for place in gate.ages if place.since <= oldest]
            for place in overdue:
                if place in gate.ages:
                    self._send_away(gate, place, too_long(place.where))
                    gate.counts.timed_out += 1
        self._admit()

    def inside(self, upstream: str) -> int:
        """Return how many counted places are taken at an upstream."""
        gate = self._gates.get(upstream)
        return gate.inside if gate is not None else 0

    def waiting(self, upstream: str) -> int:
        """Return how many wait before an upstream."""
        gate = self._gates.get(upstream)
        return len(gate.line) if gate is not None else 0

    def counts(self) -> Iterator[tuple[str, int, int, Counts]]:
        """Give of each upstream its name, how many are inside and wait, and what happened."""
        for gate in self._gates.values():
            yield gate.name, gate.inside, len(gate.line), gate.counts

    def _gate(self, upstream: str) -> _Gate:
        gate = self._gates.get(upstream)
        if gate is None:
            gate = self._gates[upstream] = _Gate(upstream)
        return gate

    def _has_room(self, gate: _Gate) -> bool:
        cap = self._cap(gate.name)
        return not cap or gate.inside < cap

    def _may(self, place: Place) -> bool:
        limit = place.identity.concurrency
        return not limit or self._held.get(place.share, 0) < limit

    def _must_stand(self, gate: _Gate, place: Place) -> bool:
        """Whether somebody was there before, of the same identity or able to go in as well."""
        line = gate.line
        return bool(len(line)) and (line.waiting_of(place.share) > 0 or line.anybody(self._may))

    def _stand(self, gate: _Gate, place: Place) -> Refusal | None:
        bounds = self._bounds()
        victim: Place | None = None
        if len(gate.line) >= bounds.most_waiting:
            share, most = gate.line.longest()
            if most <= gate.line.waiting_of(place.share) + 1:
                gate.counts.full += 1
                return full(place.where, gate.line.waiting_of(place.share))
            gate.counts.displaced += 1
            victim = gate.line.youngest_of(share)
        gate.line.join(place)
        gate.ages[place] = None
        self._waiting += 1
        if not self._looking:
            self._looking = True
            self._later(_LOOK_SECONDS, self._look_again)
        if victim is not None:
            # Only now: it may ask again at once, and must not find the place that it made.
            self._send_away(gate, victim, displaced(victim.where))
        return None

    def _send_away(self, gate: _Gate, place: Place, refusal: Refusal) -> None:
        gate.step_out(place)
        self._waiting -= 1
        place.end(refusal)

    def _let_in(self, gate: _Gate, place: Place) -> None:
        place.inside = True
        gate.inside += 1
        self._held[place.share] = self._held.get(place.share, 0) + 1
        gate.counts.entered(self._monotonic() - place.since)

    def _admit(self) -> None:
        """Let in whoever can go. Whoever is told may leave or come back meanwhile: not nested."""
        self._due.extend(gate for gate in self._gates.values() if len(gate.line))
        if self._admitting:
            return
        self._admitting = True
        try:
            while self._due:
                self._admit_at(self._due.popleft())
        finally:
            self._admitting = False
            self._due.clear()

    def _admit_at(self, gate: _Gate) -> None:
        while len(gate.line) and self._has_room(gate):
            place = gate.line.next(self._may)
            if place is None:
                return
            del gate.ages[place]
            self._waiting -= 1
            self._let_in(gate, place)
            place.tell(None)

    def _look_again(self) -> None:
        self.look()
        self._looking = bool(self._waiting)
        if self._looking:
            self._later(_LOOK_SECONDS, self._look_again)


def _in_loop(seconds: float, call: Callable[[], None]) -> object:
    return asyncio.get_running_loop().call_later(seconds, call)
