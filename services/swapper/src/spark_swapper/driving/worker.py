"""The durable command loop: one swap at a time, each accepted one to its one end."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

import structlog
from pydantic import ValidationError

from spark_common.bus.port import Bus, Delivery
from spark_common.clock import Clock
from spark_common.contracts.swaps import Phase
from spark_common.errors import SparkError, UnavailableError
from spark_common.events import SwapStart
from spark_common.jobs.teller import Teller
from spark_common.owner import OneVersion, unchanging
from spark_swapper import causes
from spark_swapper.causes import CancelRequested, SwapFault
from spark_swapper.driving import settle
from spark_swapper.driving.attempt import Attempt, Cancellation
from spark_swapper.driving.patience import patiently
from spark_swapper.driving.runner import SwapRunner
from spark_swapper.driving.standstill import Updating, nobody
from spark_swapper.launching.candidate import Candidate
from spark_swapper.ports import Shelf
from spark_swapper.records.jobs import UNTOUCHED, SwapJob, first_job
from spark_swapper.records.journal import SwapJournal
from spark_swapper.records.outcomes import SwapOutcomes
from spark_swapper.records.progress_numbers import last_number
from spark_swapper.records.store import JobStore, LeaseGate
from spark_swapper.records.swap_log import SwapLogs
from spark_swapper.runtime import Runtime, StaleFenceError
from spark_swapper.settings import SwapTimings

STREAM = "SC_SWAP_CMD"
DURABLE = "swapper"
MOST_ATTEMPTS = 3
_HEARTBEAT_SECONDS = 5.0
_RETRY_SECONDS = 5.0
_FLUSH_SECONDS = 5.0
_GATE_SECONDS = 30.0
_RETRY_GATE_SECONDS = 1.0
_log = structlog.get_logger()


class Worker:
    """Takes commands and carries them out.

    ``lost`` is called when a newer worker acts on the cluster: the process has to end at once,
    because nothing it holds is true any more.
    """

    def __init__(
        self,
        *,
        bus: Bus,
        store: JobStore,
        gate: LeaseGate,
        shelf: Shelf,
        runtime: Runtime,
        runner: SwapRunner,
        outcomes: SwapOutcomes,
        teller: Teller,
        clock: Clock,
        timings: Callable[[], SwapTimings],
        fence: Callable[[], Awaitable[int]],
        after_swap: Callable[[], Awaitable[None]],
        logs: SwapLogs,
        after_outcome: Callable[[], None],
        remember: Callable[[SwapJob], Awaitable[None]],
        lost: Callable[[], None],
        updating: Updating = nobody,
        one_version: OneVersion = unchanging,
    ) -> None:
        """``one_version`` keeps the settings as they are while a swap is carried out."""
        self._bus = bus
        self._store = store
        self._gate = gate
        self._shelf = shelf
        self._runtime = runtime
        self._runner = runner
        self._outcomes = outcomes
        self._teller = teller
        self._clock = clock
        self._timings = timings
        self._claim_fence = fence
        self._after_swap = after_swap
        self._logs = logs
        self._after_outcome = after_outcome
        self._remember = remember
        self._lost = lost
        self._updating = updating
        self._one_version = one_version
        self._attempt: Attempt | None = None

    @property
    def running(self) -> SwapJob | None:
        """The swap in execution here, fresher than its record."""
        return self._attempt.journal.shown if self._attempt is not None else None

    async def end_shown(self, swap_id: str) -> None:
        """Wait a moment if this swap is at its end and that is about to be told."""
        attempt = self._attempt
        if attempt is not None and attempt.journal.job.id == swap_id:
            await attempt.journal.end_shown()

    def cancel(self, swap_id: str, by: str) -> bool:
        """Ask the running swap to stop; False when this is not the running one."""
        if self._attempt is None or self._attempt.journal.job.id != swap_id:
            return False
        if self._attempt.cancellation.by is None:
            self._attempt.cancellation.by = by
        return True

    async def run(self) -> None:
        """Work for ever."""
        fence = await self._claim_fence()
        async for delivery in self._bus.work(STREAM, DURABLE):
            try:
                await self._handle(delivery, fence)
            except StaleFenceError as stale:
                _log.error("swapper.fenced", why=str(stale))
                self._lost()
                return
            except Exception:
                _log.exception("swapper.command_broke", attempt=delivery.attempt)
                await delivery.retry(_RETRY_SECONDS)

    async def _handle(self, delivery: Delivery, fence: int) -> None:
        command = _read(delivery)
        if command is None:
            await delivery.drop("not a swap.start command")
            return
        async with self._heartbeats(delivery):
            job = await self._find(command)
            if job is not None and job.over:
                # Cancelled or refused in the queue: recorded first, so make sure it was told.
                await self._outcomes.publish(job)
            elif job is not None and not await self._told(job, fence):
                with self._one_version(job.settings) as settings:
                    await self._carry_out(job, delivery.attempt, fence, settings)
        await delivery.done()

    async def _find(self, command: SwapStart) -> SwapJob | None:
        """Return the swap of a command; None when its outcome stands though its record is lost."""
        job = await patiently(self._clock, lambda: self._store.get(command.swap_id))
        if job is not None:
            return job
        outcome = await patiently(self._clock, lambda: self._outcomes.standing(command.swap_id))
        if outcome is not None:
            return None
        fresh = first_job(
            swap_id=command.swap_id,
            model=command.model,
            model_name=command.model,
            requested_by=command.requested_by,
            at=self._clock.now(),
        )
        facts = {
            "rollback": command.rollback,
            "force": command.force,
            "drop_caches": command.drop_caches,
            "reload": command.reload,
            "lease_epoch": command.lease_epoch,
            "override_lease": command.override_lease,
        }
        return fresh.model_copy(update=facts)

    async def _told(self, job: SwapJob, fence: int) -> bool:
        """Say whether the swap had its outcome already, whatever its record says."""
        return await patiently(self._clock, lambda: self._outcomes.catch_up(job, fence))

    async def _carry_out(
        self, job: SwapJob, number: int, fence: int, settings: Mapping[str, str]
    ) -> None:
        at_n = max(job.n, await last_number(self._bus, job.id))
        journal = SwapJournal(
            job,
            store=self._store,
            teller=self._teller,
            logs=self._logs,
            clock=self._clock,
            writer=fence,
        )
        by = await patiently(self._clock, lambda: self._store.cancel_requested(job.id))
        self._attempt = attempt = Attempt(
            journal,
            self._clock,
            fence,
            job.lease_epoch,
            Cancellation(by),
        )
        attempt.check_gate = lambda: self._check_gate_again(attempt)
        try:
            if await self._ended_meanwhile(journal, number, at_n, settings):
                return
            journal.begin()
            if number > MOST_ATTEMPTS:
                await self._runner.conclude(attempt, Phase.FAILED, causes.poison(number - 1))
            else:
                await self._run(attempt)
            await self._after_swap()
            await self._flush()
            standing = await self._outcomes.settle(
                journal.job, journal.stored_revision, fence, told=journal.told
            )
            await self._logs.close(job.id)
            await self._remember(standing)
            self._after_outcome()
        finally:
            self._attempt = None

    async def _ended_meanwhile(
        self, journal: SwapJournal, number: int, at_n: int, settings: Mapping[str, str]
    ) -> bool:
        """Claim the record; True when a cancel ended the swap in the queue just before."""
        try:
            await journal.adopt(attempt=number, n=at_n, settings=dict(settings))
        except StaleFenceError:
            job = await patiently(self._clock, lambda: self._store.get(journal.job.id))
            if job is None or not job.over:
                raise
            await self._outcomes.publish(job)
            return True
        return False

    async def _run(self, attempt: Attempt) -> None:
        journal = attempt.journal
        try:
            if journal.job.attempt > 1:
                await journal.note(f"Resumed by a new worker (attempt {journal.job.attempt}).")
                await settle.catch_up(attempt, self._runtime)
            await self._while_updating(attempt)
            candidate = await self._candidate(attempt)
            if journal.job.phase in UNTOUCHED:
                await patiently(self._clock, lambda: self._check_gate(journal.job))
        except SwapFault as fault:
            await self._runner.conclude(attempt, Phase.FAILED, fault.cause)
        except CancelRequested as cancel:
            await self._runner.conclude(attempt, Phase.CANCELLED, causes.cancelled(cancel.by))
        else:
            await journal.adopt(
                model=candidate.key,
                model_name=candidate.name,
                served_name=candidate.served_name,
                usual_seconds=await self._usual_seconds(candidate.key),
            )
            if journal.job.attempt > 1:
                await settle.skip_what_is_done(attempt, self._runtime, candidate)
            await self._runner.run(attempt, candidate)

    async def _while_updating(self, attempt: Attempt) -> None:
        """Let an update of the cluster software end before anything is touched."""
        journal = attempt.journal
        while journal.job.phase in UNTOUCHED:
            if await patiently(self._clock, self._updating) is None:
                return
            attempt.stop_if_cancelled()
            await journal.note("Waiting for the update of the cluster software to end.")
            await self._clock.sleep(self._timings().poll_seconds)

    async def _candidate(self, attempt: Attempt) -> Candidate:
        """Find the model again; once something was touched a silent Spark is waited for."""
        touched = attempt.journal.job.phase not in UNTOUCHED
        deadline = attempt.deadline(self._timings().longest_load() if touched else 0)
        while True:
            attempt.stop_if_cancelled()
            try:
                return await self._shelf.find(attempt.journal.job.model)
            except SparkError as error:
                if not error.retryable or self._clock.monotonic() >= deadline:
                    raise SwapFault(causes.refused(error)) from error
                await attempt.journal.note(f"waiting: {error.message}")
                await self._clock.sleep(self._timings().poll_seconds)

    async def _check_gate(self, job: SwapJob) -> None:
        if job.override_lease:
            await self._gate.tell_through(job.id, job.requested_by)
            return
        gate = await self._gate.for_epoch(job.lease_epoch)
        if not gate.admitted:
            raise SwapFault(causes.lease_held(gate.holder or "somebody"))

    async def _check_gate_again(self, attempt: Attempt) -> None:
        """Look once more right before the first effect: nothing is stopped on a guess.

        Requests are held off meanwhile, so that a lease nobody can read is not waited for long.
        """
        deadline = self._clock.monotonic() + _GATE_SECONDS
        while True:
            attempt.stop_if_cancelled()
            try:
                if await self._updating() is not None:
                    raise SwapFault(causes.being_updated())
                return await self._check_gate(attempt.journal.job)
            except UnavailableError as error:
                if self._clock.monotonic() >= deadline:
                    raise SwapFault(causes.refused(error)) from error
            await self._clock.sleep(_RETRY_GATE_SECONDS)

    async def _usual_seconds(self, key: str) -> float | None:
        try:
            return await self._store.usual_seconds(key)
        except UnavailableError:
            return None

    async def _flush(self) -> None:
        """Let the progress go out before the outcome, but not wait for it for long."""
        try:
            async with asyncio.timeout(_FLUSH_SECONDS):
                await self._teller.flushed()
        except TimeoutError:
            _log.warning("swap.progress_behind")

    @asynccontextmanager
    async def _heartbeats(self, delivery: Delivery) -> AsyncIterator[None]:
        """Keep the delivery ours while we work, but not beyond what any swap may take."""
        timings = self._timings()
        longest = timings.drain_seconds + 4 * timings.stop_seconds
        longest += 3 * timings.longest_load() + 1800
        beating = asyncio.create_task(self._beat(delivery, self._clock.monotonic() + longest))
        try:
            yield
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)

    async def _beat(self, delivery: Delivery, deadline: float) -> None:
        while self._clock.monotonic() < deadline:
            try:
                await delivery.heartbeat()
            except UnavailableError:
                _log.warning("swapper.heartbeat_missed")
            await self._clock.sleep(_HEARTBEAT_SECONDS)


def _read(delivery: Delivery) -> SwapStart | None:
    envelope = delivery.message.envelope
    try:
        return SwapStart.model_validate(envelope.data) if envelope is not None else None
    except ValidationError:
        return None
