"""A lease in memory: one holder, one line, an end by the clock."""

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from pydantic import SecretStr

from spark_common.clock import Clock
from spark_common.contracts.leases import (
    AcquireLease,
    GetLease,
    LeaseGrant,
    LeaseView,
    Released,
    ReleaseLease,
)
from spark_common.errors import LeaseHeldError, UnavailableError


@dataclass
class _Claim:
    token: str
    holder: str
    ends: float
    reason: str = ""


class FakeLease:
    """Grants to whoever asks first; those who wait stand in line in the order they came."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._numbers = itertools.count(1)
        self._held: _Claim | None = None
        self._line: list[_Claim] = []
        self._listeners: list[Callable[[AcquireLease], Awaitable[None]]] = []
        self.away = False
        self.bug: Exception | None = None
        self.epoch = 0
        self.story: list[tuple[str, str]] = []
        """What happened: (acquired | extended | released | forced, holder)."""

    @property
    def holder(self) -> str | None:
        """Who holds it now."""
        self._expire()
        return self._held.holder if self._held is not None else None

    @property
    def waiting(self) -> list[str]:
        """Who stands in line."""
        return [claim.holder for claim in self._line]

    def take(self, holder: str, seconds: float = 1e9) -> None:
        """Let somebody hold it."""
        self.epoch += 1
        self._held = _Claim("theirs", holder, self._clock.monotonic() + seconds)

    def free(self) -> None:
        """Let nobody hold it."""
        self._held = None

    async def acquire(self, request: AcquireLease) -> LeaseGrant:
        """Take, extend, take up, or stand in line."""
        self._require()
        if self.bug is not None:
            raise self.bug
        self._expire()
        token = request.token.get_secret_value() if request.token is not None else None
        if self._held is not None and self._held.token == token:
            self._held.ends = self._clock.monotonic() + request.ttl_seconds
            self.story.append(("extended", request.holder))
            return LeaseGrant(state="held", token=self._held.token, epoch=self.epoch)
        place = next((claim for claim in self._line if claim.token == token), None)
        first = not self._line or self._line[0] is place
        if self._held is None and first:
            return self._granted(request, place)
        if not request.wait:
            for listener in self._listeners:
                await listener(request)
            raise LeaseHeldError(f"{self.holder!r} holds the cluster", holder=self.holder)
        if place is None:
            place = _Claim(f"token-{next(self._numbers)}", request.holder, 0.0)
            self._line.append(place)
        return LeaseGrant(state="waiting", token=place.token, position=self._line.index(place) + 1)

    async def release(self, request: ReleaseLease) -> Released:
        """Give back the lease or the place in line."""
        self._require()
        self._expire()
        token = request.token.get_secret_value() if request.token is not None else None
        held = self._held
        if held is not None and (held.token == token or request.force):
            self._held = None
            self.story.append(("released" if held.token == token else "forced", held.holder))
            return Released(released="lease", holder=held.holder, epoch=self.epoch)
        before = len(self._line)
        self._line = [claim for claim in self._line if claim.token != token]
        if held is not None and before == len(self._line):
            raise LeaseHeldError(f"{held.holder!r} holds the cluster", holder=held.holder)
        gone = "place" if len(self._line) < before else "nothing"
        return Released.model_validate({"released": gone, "epoch": self.epoch})

    async def get(self, request: GetLease) -> LeaseView:
        """Return how it stands."""
        self._require()
        self._expire()
        if self._held is None:
            return LeaseView(state="free", epoch=self.epoch)
        left = self._held.ends - self._clock.monotonic()
        return LeaseView(
            state="held",
            holder=self._held.holder,
            reason=self._held.reason,
            epoch=self.epoch,
            remaining_seconds=left,
            expires_at=self._clock.now() + timedelta(seconds=min(left, 1e8)),
        )

    def on_refusal(self, listener: Callable[[AcquireLease], Awaitable[None]]) -> None:
        """Let somebody hear of those who asked and got nothing."""
        self._listeners.append(listener)

    async def proves(self, token: SecretStr | None) -> bool:
        """Say whether a swap with this token is let through."""
        self._expire()
        held = self._held
        return held is None or (token is not None and token.get_secret_value() == held.token)

    def _granted(self, request: AcquireLease, place: _Claim | None) -> LeaseGrant:
        token = place.token if place is not None else f"token-{next(self._numbers)}"
        self._line = [claim for claim in self._line if claim is not place]
        self.epoch += 1
        ends = self._clock.monotonic() + request.ttl_seconds
        self._held = _Claim(token, request.holder, ends, request.reason)
        self.story.append(("acquired", request.holder))
        return LeaseGrant(state="held", token=token, epoch=self.epoch)

    def _expire(self) -> None:
        if self._held is not None and self._held.ends <= self._clock.monotonic():
            self._held = None

    def _require(self) -> None:
        if self.away:
            raise UnavailableError("Redis does not answer")
