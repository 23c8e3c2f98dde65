"""Drives a swap through its phases, in the order it happens, with one way to move."""

from collections.abc import Callable, Sequence

from spark_common.clock import Clock
from spark_common.contracts.swaps import Cause, Phase
from spark_common.errors import SparkError, StaleEpochError, UnavailableError
from spark_swapper import causes, runtime
from spark_swapper.causes import CancelRequested, SwapFault
from spark_swapper.checks.preflighting import Preflighting
from spark_swapper.driving.attempt import Attempt
from spark_swapper.driving.bringing_up import BringingUp
from spark_swapper.driving.draining import Draining
from spark_swapper.driving.stopping import Stopping
from spark_swapper.guarding.guard import MemoryGuard
from spark_swapper.launching.candidate import Candidate
from spark_swapper.ports import PairTimes, Shelf
from spark_swapper.readiness.canary_watch import CanaryWatch
from spark_swapper.records.jobs import SwapJob
from spark_swapper.runtime import Runtime
from spark_swapper.settings import SwapTimings

_TOUCHED = (Phase.LAUNCHING, Phase.LOADING, Phase.WARMING)
"""Phases in which something of the new model may be running."""
_NOTHING = "Nothing was touched."
_NOT_OURS = frozenset({"displaced", "occupied"})
"""Causes after which what runs was started by somebody else and is left alone."""


class SwapRunner:
    """Every phase may be entered again by a new worker: effects are guarded, looks are repeated.

    ``run`` returns the swap in its end phase, not saved yet. It raises StaleFenceError when a
    newer worker acts, and whatever is a bug.
    """

    def __init__(
        self,
        *,
        runtime: Runtime,
        shelf: Shelf,
        preflighting: Preflighting,
        draining: Draining,
        guard: MemoryGuard,
        stopping: Stopping,
        bringing_up: BringingUp,
        canary: CanaryWatch,
        times: PairTimes,
        timings: Callable[[], SwapTimings],
        clock: Clock,
    ) -> None:
        self._runtime = runtime
        self._shelf = shelf
        self._draining = draining
        self._preflighting = preflighting
        self._guard = guard
        self._stopping = stopping
        self._bringing_up = bringing_up
        self._canary = canary
        self._times = times
        self._timings = timings
        self._clock = clock

    async def run(self, attempt: Attempt, candidate: Candidate) -> SwapJob:
        """Take the swap from where it stands to its end."""
        journal = attempt.journal
        while not journal.job.over:
            try:
                if journal.job.cause is not None and journal.job.phase is not Phase.ROLLING_BACK:
                    raise SwapFault(journal.job.cause)
                attempt.stop_if_cancelled()
                await self._advance(attempt, candidate)
            except SwapFault as fault:
                await self._undo(attempt, candidate, fault.cause)
            except CancelRequested as cancel:
                await self._abandon(attempt, candidate, cancel.by)
            except StaleEpochError as stale:
                await self.conclude(attempt, Phase.FAILED, causes.epoch_passed(stale.message))
            except SparkError as error:
                await self._undo(attempt, candidate, causes.refused(error))
        return journal.job

    async def _advance(self, attempt: Attempt, candidate: Candidate) -> None:
        """Do the work of the present phase and enter the next one."""
        journal, name = attempt.journal, candidate.name
        match journal.job.phase:
            case Phase.QUEUED:
                await journal.enter(Phase.PREFLIGHT, f"Checking that {name} can start.")
            case Phase.PREFLIGHT:
                await self._preflight(attempt, candidate)
            case Phase.DRAINING:
                if journal.job.previous_name is not None:
                    await self._draining.run(attempt)
                await attempt.check_gate()
                old = journal.job.previous_name
                await journal.enter(
                    Phase.STOPPING, f"Stopping {old}." if old else "Making sure nothing runs."
                )
            case Phase.STOPPING:
                await self._guard.before_stop(attempt, candidate)
                deadline = self._clock.monotonic() + self._timings().stop_seconds
                await self._stopping.run(attempt, candidate, runtime.STOP, deadline)
                attempt.cleared = True
                attempt.stop_if_cancelled()
                await self._guard.after_stop(attempt, candidate)
                where = self._runtime.label(candidate.head)
                await journal.enter(Phase.LAUNCHING, f"Starting {name} on {where}.")
            case Phase.LAUNCHING:
                await self._bringing_up.launch(attempt, candidate, runtime.LAUNCH)
                await journal.enter(Phase.LOADING, f"Loading {name}.")
            case Phase.LOADING:
                await self._bringing_up.load(attempt, candidate, runtime.LAUNCH)
                await journal.enter(Phase.WARMING, f"Waiting for the first word of {name}.")
            case Phase.WARMING:
                degraded = await self._bringing_up.warm(attempt, candidate, runtime.LAUNCH)
                await journal.flush()
                serves = f"{name} is serving."
                journal.conclude(
                    Phase.READY,
                    f"{serves} {degraded}" if degraded else serves,
                    serving=candidate.key,
                    degraded=degraded,
                )
            case Phase.ROLLING_BACK:
                await self._roll_back(attempt)
            case _:  # pragma: no cover - run() asks only for swaps that are not over
                raise AssertionError(journal.job.phase)

    async def _preflight(self, attempt: Attempt, candidate: Candidate) -> None:
        journal = attempt.journal
        before = await self._preflighting.serving_now()
        if before is not None:
            repo, served_name = before.repo, before.served_name
            key = self._shelf.key_for(repo)
            await self._adopt_previous(attempt, candidate, key, served_name)
            # One that babbles is really loaded again: that is why somebody asks for it.
            sound = repo == candidate.repo and self._canary.degraded(repo) is None
            if sound and not journal.job.reload:
                await journal.enter(Phase.WARMING, f"{candidate.name} is loaded already.")
                return
        else:
            await self._adopt_previous(attempt, candidate, None, None)
        warnings = await attempt.unless_cancelled(self._preflighting.check(candidate))
        if warnings:
            await journal.note(" ".join(warnings), lines=tuple(warnings))
        attempt.stop_if_cancelled()
        await journal.enter(Phase.DRAINING, "Letting running answers finish.")

    async def _adopt_previous(
        self, attempt: Attempt, candidate: Candidate, key: str | None, name: str | None
    ) -> None:
        """Save what serves now, and how long swaps from it to the candidate usually take."""
        facts: dict[str, object] = {
            "previous": key,
            "previous_name": name,
            "hosts": await self._touched(candidate, key, serving=name is not None),
        }
        try:
            facts["usual_seconds"] = await self._times.usual_pair_seconds(key, candidate.key)
        except UnavailableError:
            # The number that was learned for all swaps to this model stays.
            pass
        await attempt.journal.adopt(**facts)

    async def _touched(
        self, candidate: Candidate, previous: str | None, *, serving: bool
    ) -> tuple[str, ...]:
        """Return the Sparks of the candidate and of what it replaces; all, where unclear."""
        there: Sequence[str] = self._runtime.hosts if serving else ()
        if previous is not None:
            try:
                there = (await self._shelf.find(previous)).hosts
            except SparkError:
                pass
        return tuple(sorted({*candidate.hosts, *there}))

    async def _roll_back(self, attempt: Attempt) -> None:
        """Bring the previous model back by the same guarded steps under other names."""
        journal = attempt.journal
        failure = journal.job.cause or causes.interrupted()
        previous = await self._shelf.find(journal.job.previous or "")
        await self._refuse_if_displaced(attempt, previous)
        await self._guard.admit(previous)
        if not await self._relaunched(attempt, previous):
            deadline = self._clock.monotonic() + self._timings().stop_seconds
            await self._stopping.run(attempt, previous, runtime.ROLLBACK_STOP, deadline)
            attempt.stop_if_cancelled()
            await self._guard.after_stop(attempt, previous)
        await self._bringing_up.launch(attempt, previous, runtime.ROLLBACK_LAUNCH)
        await self._bringing_up.load(attempt, previous, runtime.ROLLBACK_LAUNCH)
        degraded = await self._bringing_up.warm(attempt, previous, runtime.ROLLBACK_LAUNCH)
        await journal.flush()
        serves = f"{failure.sentence} {previous.name} is serving again."
        journal.conclude(
            Phase.ROLLED_BACK,
            f"{serves} {degraded}" if degraded else serves,
            serving=previous.key,
            cause=failure,
        )

    async def _refuse_if_displaced(self, attempt: Attempt, previous: Candidate) -> None:
        """What somebody else started while no worker was there is not stopped to go back."""
        job = attempt.journal.job
        now = await self._preflighting.serving_now() if job.attempt > 1 else None
        if now is None or self._shelf.key_for(now.repo) in (job.model, job.previous):
            return
        raise SwapFault(causes.displaced(previous.name, now.served_name))

    async def _relaunched(self, attempt: Attempt, previous: Candidate) -> bool:
        """Say whether an earlier worker launched the previous model: then nothing may stop it."""
        job = attempt.journal.job
        if job.attempt == 1:
            return False
        began = self._clock.monotonic()
        while True:
            attempt.stop_if_cancelled()
            try:
                return runtime.ROLLBACK_LAUNCH in await self._runtime.steps(job.id, previous.head)
            except SparkError as error:
                silent = self._clock.monotonic() - began
                label = self._runtime.label(previous.head)
                if not error.retryable or silent >= self._timings().stop_seconds:
                    step = f"{previous.name} was to come back"
                    raise SwapFault(causes.ssh_timeout(label, silent, step)) from error
                await attempt.journal.note(f"waiting for {label} (SSH silent {silent:.0f} s)")
                await self._clock.sleep(self._timings().poll_seconds)

    async def _undo(self, attempt: Attempt, candidate: Candidate, cause: Cause) -> None:
        """After a failure: clear what is half there, then roll back when asked, else end."""
        journal = attempt.journal
        job = journal.job
        if job.phase is Phase.ROLLING_BACK:
            first = job.cause or causes.interrupted()
            remains = None
            if cause.code not in _NOT_OURS:
                remains = await self._clear(attempt, candidate, runtime.ROLLBACK_CLEAR)
            name = job.previous_name or "the previous model"
            both = causes.rollback_failed(first, cause, name)
            await self.conclude(attempt, Phase.FAILED, both, remains)
            return
        if job.cause is None:
            await journal.keep(cause=cause, failed_in=job.phase)
        left = "" if attempt.cleared and job.phase is Phase.STOPPING else None
        if job.phase in _TOUCHED and cause.code not in _NOT_OURS:
            left = await self._clear(attempt, candidate, runtime.CLEAR)
        past_stopping = job.phase in (Phase.STOPPING, *_TOUCHED) and cause.code not in _NOT_OURS
        back = await self._guard.way_back(job, cause) if past_stopping else None
        if back is not None and not await self._serves(job.previous or ""):
            await journal.enter(Phase.ROLLING_BACK, back)
            return
        await self.conclude(attempt, Phase.FAILED, cause, left)

    async def _abandon(self, attempt: Attempt, candidate: Candidate, by: str) -> None:
        """After a cancel: take away what this swap started; what is stopped stays stopped."""
        journal, phase = attempt.journal, attempt.journal.job.phase
        left: str | None = None
        if phase is Phase.STOPPING and not await self._stop_ordered(journal.job.id):
            left = _NOTHING
        elif not journal.job.touched:
            # The model served before this swap began: it is not this swap's to take away.
            left = None
        elif phase in (Phase.STOPPING, *_TOUCHED, Phase.ROLLING_BACK):
            await journal.note(f"Cancelled by {by}: clearing the GPU.")
            step = runtime.ROLLBACK_CLEAR if phase is Phase.ROLLING_BACK else runtime.CLEAR
            left = await self._clear(attempt, candidate, step)
        await self.conclude(attempt, Phase.CANCELLED, causes.cancelled(by), left)

    async def _stop_ordered(self, swap_id: str) -> bool:
        """Say whether any Spark was told to stop; a silent one counts as told."""
        for host in self._runtime.hosts:
            try:
                if runtime.STOP in await self._runtime.steps(swap_id, host):
                    return True
            except SparkError:
                return True
        return False

    async def _clear(self, attempt: Attempt, candidate: Candidate, step: str) -> str:
        """Stop what is left; return "" or the sentence that says what could not be cleared."""
        deadline = self._clock.monotonic() + self._timings().stop_seconds
        try:
            await self._stopping.run(attempt, candidate, step, deadline)
        except SwapFault as fault:
            return fault.cause.sentence
        except SparkError as error:
            return f"What is left of it could not be cleared: {error.message}."
        return ""

    async def _serves(self, key: str) -> bool:
        now = await self._preflighting.serving_now()
        return now is not None and self._shelf.key_for(now.repo) == key

    async def conclude(
        self, attempt: Attempt, phase: Phase, cause: Cause, left: str | None = None
    ) -> None:
        """End badly and say truthfully what serves now, or that nothing does.

        ``left``: "" when every Spark was seen to be clear, else the sentence that says what may
        still be there; None when nobody looked.
        """
        journal = attempt.journal
        now = await self._preflighting.serving_now()
        key = self._shelf.key_for(now.repo) if now is not None else None
        await journal.flush()
        if now is not None:
            state = f"{now.served_name} is serving."
        elif not journal.job.touched:
            state = _NOTHING
        elif left == "":
            state = f"The GPU is empty now. {causes.PRESS_ANOTHER}"
        else:
            state = left or "What runs there now is not known."
        journal.conclude(
            phase,
            f"{cause.sentence} {state}",
            cause=cause,
            failed_in=journal.job.failed_in or journal.job.phase,
            serving=key,
        )
