"""The lease for the moment of a restart: nobody swaps beside it, and it disturbs no holder."""

import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from secrets import token_bytes
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
    ReleaseLease,
)
from spark_common.errors import SparkError, UnavailableError
from spark_health.deep.scene import Scene

TTL_SECONDS = 90.0
"""Longer than a restart may take; whoever dies with it holds it no longer than that."""
_ASK_SECONDS = 4.0
_log = structlog.get_logger()


class InTheWayError(Exception):
    """Nothing may be restarted now; the text says why."""


class Leases(Protocol):
    """Who may decide what happens on the cluster."""

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
        self, bus: Bus, seed: str | None = None, jobs: Callable[[], Awaitable[str | None]] = _none
    ) -> None:
        """``seed``: a secret of every process of health, so that another one can go on.

        ``jobs``: says which job is at work on containers, if one is.
        """
        self._bus = bus
        self._jobs = jobs
        self._seed = seed.encode() if seed else token_bytes(32)

    async def free(self) -> None:
        """Look before anything is taken: a lease for nothing would be told to everybody."""
        try:
            if (job := await self._jobs()) is not None:
                raise InTheWayError(job)
            view = await self._bus.call(GET_LEASE, GetLease(), timeout_seconds=_ASK_SECONDS)
        except SparkError as error:
            raise InTheWayError("nobody can say who holds the cluster") from error
        ours = view.state == "held" and view.holder == HOLDER_FOR_RESTARTS
        # Of a process of ours that was killed: the coordinator knows whether it is this order's.
        if (view.state != "free" and not ours) or view.queue:
            holder = view.holder or (view.queue[0].holder if view.queue else "somebody")
            raise InTheWayError(f"{holder} holds the cluster or waits for it")

    @asynccontextmanager
    async def held(self, order: str, reason: str) -> AsyncIterator[None]:
        """Hold it for the restart alone."""
        request = AcquireLease(
            holder=HOLDER_FOR_RESTARTS,
            reason=reason[:500],
            ttl_seconds=TTL_SECONDS,
            # The same order again, when its answer or its process is lost, is the same lease.
            key=SecretStr(hmac.new(self._seed, f"restart {order}".encode(), "sha256").hexdigest()),
            priority="batch",
        )
        try:
            grant = await self._acquired(request)
        except SparkError as error:
            raise InTheWayError(f"the cluster could not be held: {error.message}") from error
        try:
            yield
        finally:
            await self._release(grant)

    async def _acquired(self, request: AcquireLease) -> SecretStr:
        try:
            grant = await self._bus.call(ACQUIRE_LEASE, request, timeout_seconds=_ASK_SECONDS)
        except UnavailableError:
            grant = await self._bus.call(ACQUIRE_LEASE, request, timeout_seconds=_ASK_SECONDS)
        if grant.state != "held":
            await self._release(SecretStr(grant.token))
            raise UnavailableError("somebody is before us in line")
        return SecretStr(grant.token)

    async def _release(self, token: SecretStr) -> None:
        try:
            await self._bus.call(
                RELEASE_LEASE,
                ReleaseLease(token=token, requested_by=HOLDER_FOR_RESTARTS),
                timeout_seconds=_ASK_SECONDS,
            )
        except SparkError as error:
            # It ends by itself soon.
            _log.warning("remedy.lease_not_released", reason=error.message)


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
    """Return when neither a swap on ``host`` nor a holder is in the way. Raises InTheWayError."""
    await _no_swap(scene, host)
    await leases.free()


async def _no_swap(scene: Scene, host: str) -> None:
    try:
        swapping = await scene.swapping()
    except UnavailableError as error:
        raise InTheWayError(error.message) from error
    if host in swapping:
        raise InTheWayError(swapping[host])
