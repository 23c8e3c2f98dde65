"""The lease for the time of a run, with the schedule as its holder."""

from collections.abc import Awaitable, Callable

import structlog
from pydantic import SecretStr

from spark_common.clock import Clock
from spark_common.contracts.leases import AcquireLease, GetLease, LeaseGrant, ReleaseLease
from spark_common.errors import ConflictError, LeaseHeldError, SparkError, UnavailableError
from spark_coordinator.schedules.ports import TakesLease
from spark_coordinator.schedules.record import LiveRun
from spark_coordinator.schedules.run_store import RunStore

_LOOK_SECONDS = 2.0
_LEAST_TTL_SECONDS, _MOST_TTL_SECONDS = 600.0, 3600.0
_USUAL_MINUTES = 10.0
_log = structlog.get_logger()


class LateError(Exception):
    """The run could not begin within its window; the text says why."""


class UnwantedError(Exception):
    """The run must not begin any more; the text says why."""


def holder_of(run: LiveRun) -> str:
    """Return the label under which a run holds the lease."""
    return f"schedule {run.schedule_id}"


class Holding:
    """Takes the lease, or stands in line for it, and gives it back, whoever began to."""

    def __init__(self, lease: TakesLease, runs: RunStore, clock: Clock) -> None:
        self._lease = lease
        self._runs = runs
        self._clock = clock
        self._ends: dict[str, float] = {}
        """Monotonic moment by which each lease has to be extended."""

    async def take(
        self, run: LiveRun, unwanted: Callable[[], Awaitable[str | None]]
    ) -> LiveRun | None:
        """Return the run once it has the lease; None when somebody else carries it on.

        ``unwanted`` is asked again and again for why it must not begin any more. Raises
        UnwantedError then, and LateError when the window is over.
        """
        why = _why(run.waits_for) if run.waits_for else "the lease could not be asked for"
        while True:
            left = (run.until - self._clock.now()).total_seconds()
            if left <= 0:
                await self.give_back(run)
                raise LateError(why)
            why_not = await unwanted()
            if why_not is not None:
                await self.give_back(run)
                raise UnwantedError(why_not)
            try:
                grant = await self._ask(run, left)
                if grant.state == "held":
                    return run
                holder, why = await self._who_has_it(run)
                saved = await self._waits_for(run, holder)
                if saved is None:
                    return None
                run = saved
            except ConflictError as error:
                why = error.message
            except UnavailableError as error:
                why = f"the lease could not be asked for: {error.message}"
            await self._clock.sleep(min(_LOOK_SECONDS, left))

    async def keep(self, run: LiveRun) -> None:
        """Extend the lease when half of its time is over; without an answer it is tried again."""
        if self._clock.monotonic() < self._ends.get(run.id, 0.0):
            return
        try:
            if await self._runs.token(run.id) is None:
                # What was accepted goes on without it; to stand in line again helps nobody.
                self._ends[run.id] = self._clock.monotonic() + _ttl_seconds(run) / 2
                return
            await self._ask(run, _LOOK_SECONDS, wait=False)
        except SparkError as error:
            _log.warning("schedule.lease_not_extended", run=run.id, code=error.code)
            self._ends[run.id] = self._clock.monotonic() + 30.0

    async def token(self, run: LiveRun) -> SecretStr | None:
        """Return what proves the lease of a run."""
        token = await self._runs.token(run.id)
        return None if token is None else SecretStr(token)

    async def give_back(self, run: LiveRun) -> None:
        """Release the lease or the place in line; nothing when there is none.

        Raises UnavailableError.
        """
        self._ends.pop(run.id, None)
        token = await self._runs.token(run.id)
        if token is None:
            return
        try:
            await self._lease.release(
                ReleaseLease(token=SecretStr(token), requested_by=holder_of(run))
            )
        except LeaseHeldError:
            # It ended by itself, and somebody else has it by now.
            pass
        await self._runs.drop_token(run.id)

    async def _ask(self, run: LiveRun, left: float, *, wait: bool = True) -> LeaseGrant:
        token, ttl = await self._runs.token(run.id), _ttl_seconds(run)
        request = AcquireLease(
            holder=holder_of(run),
            reason=_reason(run),
            ttl_seconds=ttl,
            token=None if token is None else SecretStr(token),
            wait=wait,
            priority="batch",
            max_wait_seconds=max(1.0, left),
            schedule_id=run.schedule_id,
        )
        grant = await self._lease.acquire(request)
        kept = ttl if grant.state == "held" else left + ttl
        await self._runs.keep_token(run.id, grant.token, kept)
        self._ends[run.id] = self._clock.monotonic() + ttl / 2
        return grant

    async def _who_has_it(self, run: LiveRun) -> tuple[str, str]:
        view = await self._lease.get(GetLease())
        holder = view.holder or "somebody before it in line"
        mine = (holder_of(run), _reason(run), "held")
        if (view.holder, view.reason, view.state) == mine:
            # Ours, from a coordinator that ended before it could write down the proof.
            await self._lease.release(ReleaseLease(force=True, requested_by=holder_of(run)))
        return holder, _why(holder)

    async def _waits_for(self, run: LiveRun, holder: str) -> LiveRun | None:
        if run.waits_for == holder:
            return run
        return await self._runs.save(run, waits_for=holder)


def _ttl_seconds(run: LiveRun) -> float:
    expected = 2 * 60 * (run.duration_minutes or _USUAL_MINUTES)
    return min(_MOST_TTL_SECONDS, max(_LEAST_TTL_SECONDS, expected))


def _reason(run: LiveRun) -> str:
    """Return what the lease is held for: it names this one run."""
    return f"{run.kind}, run {run.id}"


def _why(holder: str) -> str:
    return f"{holder!r} held the cluster for longer than the run may wait"
