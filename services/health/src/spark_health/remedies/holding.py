"""The lease for the moment of a restart: nobody swaps beside it, and it disturbs no holder."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Protocol

import structlog
from pydantic import SecretStr

from spark_common.bus.port import Bus
from spark_common.contracts.leases import (
    ACQUIRE_LEASE,
    GET_LEASE,
    HOLDER_FOR_RESTARTS,
    RELEASE_LEASE,
    AcquireLease,
    GetLease,
    LeaseView,
    ReleaseLease,
)
from spark_common.errors import LeaseHeldError, SparkError, UnavailableError
from spark_health.deep.scene import Scene
from spark_health.remedies.lent import ASK_SECONDS, LentBook, OrderKeys

TTL_SECONDS = 90.0
"""Longer than a restart may take; whoever dies with it holds it no longer than that."""
_log = structlog.get_logger()


class InTheWayError(Exception):
    """Nothing may be restarted now; the text says why."""


class Leases(Protocol):
    """Who may decide what happens on the cluster."""

    async def admit(self, token: SecretStr | None, *, force: bool) -> bool:
        """Say to a person whether they may act, and whether the lease is there to be taken.

        False: somebody holds it, and it is the caller's or ``force`` goes past it. Raises
        LeaseHeldError, UnavailableError where nobody can say, InTheWayError for a job.
        """
        ...

    async def free(self) -> None:
        """Return when nobody holds the lease or waits for it. Raises InTheWayError."""
        ...

    def held(self, order: str, reason: str) -> AbstractAsyncContextManager[None]:
        """Hold the lease inside. Raises InTheWayError where somebody else has it.

        ``order``: the restart it is for. Whoever carries that on holds the same lease.
        """
        ...


async def _none() -> str | None:
    return None


class BusLeases:
    """Asks the coordinator."""

    def __init__(
        self,
        bus: Bus,
        lent: LentBook,
        orders: OrderKeys,
        jobs: Callable[[], Awaitable[str | None]] = _none,
    ) -> None:
        """``jobs``: says which job is at work on containers, if one is."""
        self._bus = bus
        self._lent = lent
        self._orders = orders
        self._jobs = jobs

    async def free(self) -> None:
        """Look before anything is taken: a lease for nothing would be told to everybody."""
        try:
            view = await self._looked(None)
        except SparkError as error:
            raise InTheWayError("nobody can say who holds the cluster") from error
        if (holder := _other(view)) is not None:
            raise InTheWayError(f"{holder} holds the cluster or waits for it")

    async def admit(self, token: SecretStr | None, *, force: bool) -> bool:
        """Say to a person whether they may act, and whether the lease is there to be taken."""
        try:
            view = await self._looked(token)
        except UnavailableError:
            if force:
                return False
            raise
        holder = _other(view)
        if holder is None:
            return True
        if force or view.yours == "lease":
            return False
        left = f" for another {view.remaining_seconds:.0f} s" if view.remaining_seconds else ""
        raise LeaseHeldError(
            f"{holder!r} holds the cluster or waits for it{left}: what is on the GPU stays as it "
            "is meanwhile. Wait, ask for it back with POST /api/swap/lock/yield, or do it all the "
            'same with "force": true',
            holder=holder,
            reason=view.reason,
            remaining_seconds=view.remaining_seconds,
            waiting=len(view.queue),
            state=view.state,
        )

    async def _looked(self, token: SecretStr | None) -> LeaseView:
        """Return how the lease stands. Raises SparkError, InTheWayError for a job."""
        if (job := await self._jobs()) is not None:
            raise InTheWayError(job)
        return await self._bus.call(GET_LEASE, GetLease(token=token), timeout_seconds=ASK_SECONDS)

    @asynccontextmanager
    async def held(self, order: str, reason: str) -> AsyncIterator[None]:
        """Hold it for the restart alone."""
        request = AcquireLease(
            holder=HOLDER_FOR_RESTARTS,
            reason=reason[:500],
            ttl_seconds=TTL_SECONDS,
            # The same order again, when its answer or its process is lost, is the same lease.
            key=self._orders.key(order),
            priority="batch",
        )
        async with self._noted(order):
            try:
                grant = await self._acquired(request)
            except SparkError as error:
                raise InTheWayError(f"the cluster could not be held: {error.message}") from error
            try:
                yield
            finally:
                await self._release(grant)

    @asynccontextmanager
    async def _noted(self, order: str) -> AsyncIterator[None]:
        """Write down first what is to be held: nobody holds it who cannot be followed."""
        async with AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(self._lent.noted(order))
            except SparkError as error:
                raise InTheWayError(error.message) from error
            yield

    async def _acquired(self, request: AcquireLease) -> SecretStr:
        try:
            grant = await self._bus.call(ACQUIRE_LEASE, request, timeout_seconds=ASK_SECONDS)
        except UnavailableError:
            grant = await self._bus.call(ACQUIRE_LEASE, request, timeout_seconds=ASK_SECONDS)
        if grant.state != "held":
            await self._release(SecretStr(grant.token))
            raise UnavailableError("somebody is before us in line")
        return SecretStr(grant.token)

    async def _release(self, token: SecretStr) -> None:
        try:
            await self._bus.call(
                RELEASE_LEASE,
                ReleaseLease(token=token, requested_by=HOLDER_FOR_RESTARTS),
                timeout_seconds=ASK_SECONDS,
            )
        except SparkError as error:
            # It ends by itself soon.
            _log.warning("remedy.lease_not_released", reason=error.message)


def _other(view: LeaseView) -> str | None:
    """Return who else has it or is about to; None while nobody does."""
    # Of a process of ours that was killed: the coordinator knows whether it is this order's.
    ours = view.state == "held" and view.holder == HOLDER_FOR_RESTARTS
    if (view.state == "free" or ours) and not view.queue:
        return None
    return view.holder or (view.queue[0].holder if view.queue else "somebody")


@asynccontextmanager
async def beside(scene: Scene, host: str) -> AsyncIterator[None]:
    """Act on ``host`` without the lease, which somebody else has. Raises InTheWayError."""
    await _no_swap(scene, host)
    yield


@asynccontextmanager
async def alone(
    leases: Leases, scene: Scene, host: str, order: str, reason: str
) -> AsyncIterator[None]:
    """Be the only one who decides about ``host``. Raises InTheWayError.

    The swaps are asked about twice: one that was admitted before the lease is not stopped by it.
    """
    await clear(leases, scene, host)
    async with leases.held(order, reason):
        await _no_swap(scene, host)
        yield


async def clear(leases: Leases, scene: Scene, host: str) -> None:
    """Return when neither a swap on ``host`` nor a holder is in the way. Raises InTheWayError.

    Nor may one on another Spark be about to begin: our lease would make it fail.
    """
    await _no_swap(scene, host)
    try:
        about = await scene.unsettled()
    except UnavailableError as error:
        raise InTheWayError(error.message) from error
    if about is not None:
        raise InTheWayError(about)
    await leases.free()


async def _no_swap(scene: Scene, host: str) -> None:
    try:
        swapping = await scene.swapping()
    except UnavailableError as error:
        raise InTheWayError(error.message) from error
    if host in swapping:
        raise InTheWayError(swapping[host])
