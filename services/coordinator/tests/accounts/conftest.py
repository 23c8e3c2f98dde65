"""The accounts on a bus in memory, and what the lease and the swapper tell."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from spark_common.bus import Serving
from spark_common.contracts.leases import GET_LEASE, LeaseView, Waiter
from spark_common.contracts.swaps import LIST_SWAPS, Cause, Phase, Swaps
from spark_common.contracts.traffic import GET_TRAFFIC, Traffic
from spark_common.errors import ServiceUnavailableError
from spark_common.events import (
    LockAcquired,
    LockDropped,
    LockForced,
    LockGranted,
    LockQueueChanged,
    LockQueued,
    LockReleased,
    SwapComplete,
    SwapFailed,
)
from spark_common.subjects import lock_event, swap_complete, swap_failed
from spark_common.testing import FakeClock, MemoryBus
from spark_coordinator.accounts.following import Follower
from spark_coordinator.accounts.keeper import Keeper


class Teller:
    """Says what the lease and the swapper say, at moments counted in minutes."""

    def __init__(self, bus, began: datetime) -> None:
        self.bus = bus
        self.began = began
        self.count = 0

    def at(self, minutes: float) -> datetime:
        return self.began + timedelta(minutes=minutes)

    async def lock(self, message, id=None) -> None:
        self.count += 1
        subject = lock_event(message.type.partition(".")[2])
        await self.bus.publish_durable(subject, message, id=id or f"lock-{self.count}")

    async def lease(self, epoch, holder, start, end=None, ttl=60 * 24) -> None:
        acquired = LockAcquired(
            epoch=epoch,
            holder=holder,
            at=self.at(start),
            reason="a private matter",
            ttl_seconds=ttl * 60,
            expires_at=self.at(start + ttl),
        )
        await self.lock(acquired)
        if end is not None:
            await self.lock(
                LockReleased(
                    epoch=epoch, holder=holder, at=self.at(end), held_seconds=(end - start) * 60
                )
            )

    async def queued(self, ticket, holder, at, epoch=1) -> None:
        await self.lock(
            LockQueued(
                epoch=epoch,
                holder=holder,
                at=self.at(at),
                ticket=ticket,
                priority="batch",
                position=1,
            )
        )

    async def dropped(self, ticket, holder, at, epoch=1) -> None:
        await self.lock(
            LockDropped(epoch=epoch, holder=holder, at=self.at(at), ticket=ticket, why="left")
        )

    async def granted(self, ticket, holder, at, epoch=1) -> None:
        await self.lock(
            LockGranted(
                epoch=epoch,
                holder=holder,
                at=self.at(at),
                ticket=ticket,
                take_up_by=self.at(at + 1),
            )
        )

    async def line(self, at, *waiting: tuple[str, str, float]) -> None:
        queue = [
            Waiter(
                ticket=ticket,
                holder=holder,
                priority="batch",
                position=place,
                ttl_seconds=600,
                since=self.at(since),
                wait_until=self.at(since + 600),
            )
            for place, (ticket, holder, since) in enumerate(waiting, 1)
        ]
        await self.lock(LockQueueChanged(epoch=1, queue=queue, at=self.at(at)))

    async def overridden(self, epoch, holder, by, at) -> None:
        await self.lock(
            LockForced(
                epoch=epoch,
                holder=holder,
                at=self.at(at),
                action="swap",
                requested_by=by,
                held_seconds=1,
            )
        )

    async def swap(self, id, by, end, minutes, **facts) -> None:
        event = SwapComplete(
            swap_id=id,
            model="m",
            served_name="m",
            requested_by=by,
            total_seconds=minutes * 60 + 100,
            phase_seconds={"queued": 100.0, "loading": minutes * 60.0},
            finished_at=self.at(end),
            **facts,
        )
        await self.bus.publish_durable(swap_complete(id), event, id=f"{id}:outcome")

    async def failed_swap(self, id, by, end, failed_in: Phase, seconds=0.0) -> None:
        event = SwapFailed(
            swap_id=id,
            model="m",
            requested_by=by,
            outcome="failed",
            cause=Cause(code="c", sentence="s", action="a"),
            failed_in=failed_in,
            total_seconds=seconds,
            phase_seconds={failed_in.value: seconds},
            finished_at=self.at(end),
        )
        await self.bus.publish_durable(swap_failed(id), event, id=f"{id}:outcome")


class Cluster:
    """Answers what is going on; None does not answer."""

    def __init__(self) -> None:
        self.lease: LeaseView | None = LeaseView(state="free", epoch=0)
        self.swaps: Swaps | None = Swaps()
        self.traffic: Traffic | None = Traffic(in_flight=0, taken_on=0)

    def held_by(self, holder, epoch=1) -> None:
        self.lease = LeaseView(state="held", holder=holder, epoch=epoch, remaining_seconds=600)

    async def serve(self, broker) -> None:
        for service, rpc, what in (
            ("coordinator", GET_LEASE, "lease"),
            ("swapper", LIST_SWAPS, "swaps"),
            ("gateway", GET_TRAFFIC, "traffic"),
        ):
            await MemoryBus(service, broker).serve(
                service, "1", "a fake", [Serving(rpc, self._answer(what))]
            )

    def _answer(self, what):
        async def answer(request):
            found = getattr(self, what)
            if found is None:
                raise ServiceUnavailableError(f"{what} does not answer")
            return found

        return answer


@pytest.fixture
def teller(bus, clock: FakeClock) -> Teller:
    return Teller(bus, clock.now())


@pytest.fixture
def make_teller():
    """Return a teller on any bus, some minutes after a moment."""

    def make(bus, now: datetime, minutes: float) -> Teller:
        return Teller(bus, now + timedelta(minutes=minutes))

    return make


@pytest.fixture
async def cluster(broker) -> Cluster:
    found = Cluster()
    await found.serve(broker)
    return found


@pytest.fixture
async def keeper(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Keeper]:
    found = Keeper(tmp_path / "coordinator", clock)
    yield found
    await found.close()


@pytest.fixture
def follower(bus, keeper, clock) -> Follower:
    return Follower(bus, keeper, clock)
