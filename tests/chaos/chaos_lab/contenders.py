"""Many who want the lease, and what each of them saw while it was theirs."""

import asyncio
import random
import time
from dataclasses import dataclass, field

from pydantic import SecretStr

from spark_common.bus.nats import NatsBus
from spark_common.contracts.leases import (
    ACQUIRE_LEASE,
    GET_LEASE,
    RELEASE_LEASE,
    AcquireLease,
    GetLease,
    LeaseGrant,
    ReleaseLease,
)
from spark_common.errors import LeaseHeldError, UnavailableError
from spark_common.ids import new_id

_AGAIN_SECONDS = 0.1
_ASK_AGAIN_SECONDS = 1.5
_TTL_SECONDS = 60.0
_CLASSES = ("human", "interactive", "batch")


@dataclass(frozen=True)
class Held:
    """One lease as its holder saw it; moments of this process' own monotonic clock."""

    holder: str
    epoch: int
    since: float
    until: float
    """Right before it was given back."""


@dataclass
class Story:
    """What all of them saw."""

    held: list[Held] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    """Leases that their holder was told are not theirs any more."""
    orphans: int = 0
    """Answers that never came: whose token nobody knows; asked for again with the order's key."""
    outages: int = 0
    tokens: set[str] = field(default_factory=set)


class Contender:
    """Stands in line, works a moment, gives it back; ``wins`` times."""

    def __init__(self, name: str, bus: NatsBus, story: Story, rng: random.Random) -> None:
        self.name = name
        self.woken = asyncio.Event()
        self._bus = bus
        self._story = story
        self._rng = rng

    async def run(self, wins: int) -> None:
        """Win the lease that often."""
        for _ in range(wins):
            grant = await self._win()
            since, epoch = time.monotonic(), grant.epoch
            assert epoch is not None
            for _ in range(3):
                await asyncio.sleep(self._rng.uniform(0, 0.02))
                await self._look(grant)
            until = time.monotonic()
            self._story.held.append(Held(self.name, epoch, since, until))
            await self._give_back(grant)

    async def _win(self) -> LeaseGrant:
        order = AcquireLease(
            holder=self.name,
            ttl_seconds=_TTL_SECONDS,
            wait=True,
            priority=self._rng.choice(_CLASSES),
            max_wait_seconds=3600,
            key=SecretStr(new_id()),
        )
        token: str | None = None
        while True:
            self.woken.clear()
            try:
                asked = order.model_copy(update={"token": None}) if token is None else order
                grant = await self._bus.call(
                    ACQUIRE_LEASE, _with(asked, token), timeout_seconds=4.0
                )
            except UnavailableError:
                self._story.outages += 1
                self._story.orphans += token is None
                await asyncio.sleep(_AGAIN_SECONDS)
                continue
            token = grant.token
            self._story.tokens.add(token)
            if grant.state == "held":
                return grant
            try:
                async with asyncio.timeout(_ASK_AGAIN_SECONDS):
                    await self.woken.wait()
            except TimeoutError:
                pass

    async def _look(self, grant: LeaseGrant) -> None:
        try:
            view = await self._bus.call(GET_LEASE, _seen_by(grant.token), timeout_seconds=4.0)
        except UnavailableError:
            self._story.outages += 1
            return
        if view.yours != "lease" or view.epoch != grant.epoch or view.state != "held":
            self._story.lost.append(f"{self.name}: {grant.epoch} of {view.state} {view.epoch}")

    async def _give_back(self, grant: LeaseGrant) -> None:
        while True:
            try:
                await self._bus.call(RELEASE_LEASE, _give(grant.token), timeout_seconds=4.0)
                return
            except LeaseHeldError:
                # An earlier try came through: the next one has it already.
                return
            except UnavailableError:
                self._story.outages += 1
                await asyncio.sleep(_AGAIN_SECONDS)


def _with(order: AcquireLease, token: str | None) -> AcquireLease:
    return AcquireLease.model_validate({**order.model_dump(), "token": token})


def _seen_by(token: str) -> GetLease:
    return GetLease.model_validate({"token": token})


def _give(token: str) -> ReleaseLease:
    return ReleaseLease.model_validate({"token": token})
