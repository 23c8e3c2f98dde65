"""The one writer of a running swap: saves every step, then tells it."""

import asyncio
import re
from contextlib import suppress

import structlog

from spark_common.clock import Clock
from spark_common.contracts.swaps import Cause, Phase
from spark_common.events import SwapProgress
from spark_common.jobs.saving import Saving
from spark_common.jobs.store import StaleWriterError
from spark_common.jobs.teller import News, Teller
from spark_common.jobs.telling import fitting, masked, presentable
from spark_common.logs.redact import mask_secrets
from spark_common.subjects import swap_progress
from spark_swapper.admitting import eta
from spark_swapper.records.jobs import SwapJob
from spark_swapper.records.store import JobStore
from spark_swapper.records.swap_log import SwapLogs
from spark_swapper.runtime import StaleFenceError

_log = structlog.get_logger()
_TELL_EVERY_SECONDS = 0.2
_END_SECONDS = 1.0
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


class SwapJournal:
    """Holds the swap while it runs.

    While Redis is away the swap goes on and its latest state is written when Redis is back. A
    record that belongs to a newer worker raises StaleFenceError: this one must not go on.
    """

    def __init__(
        self,
        job: SwapJob,
        *,
        store: JobStore,
        teller: Teller,
        logs: SwapLogs,
        clock: Clock,
        writer: int,
    ) -> None:
        self._job = self._last_step = job
        self._teller = teller
        self._logs = logs
        self._noted = ""
        self._clock = clock
        self._saving = Saving(job, store, clock=clock, writer=writer)
        self._lines: list[str] = []
        self._told_at = clock.monotonic()
        self._told = asyncio.Event()

    @property
    def job(self) -> SwapJob:
        """The swap as of now."""
        return self._job

    @property
    def shown(self) -> SwapJob:
        """The swap as others may see it: not at its end before that is told."""
        return self._last_step if self._job.over and not self._told.is_set() else self._job

    @property
    def stored_revision(self) -> int:
        """The last revision that is known to be in the store."""
        return self._saving.stored_revision

    def conclude(self, phase: Phase, message: str, **facts: object) -> SwapJob:
        """Move to an end without saving it: the outcome event comes first."""
        self._last_step = self._job
        if isinstance(cause := facts.get("cause"), Cause):
            facts["cause"] = masked(cause)
        moved = self._job.model_copy(update=facts).enter(phase, self._clock.now(), message)
        self._job = moved
        self._write_down(f"{phase.value}: {message}")
        if moved.cause is not None:
            self._write_down(f"what to do: {moved.cause.action}")
        return moved

    def told(self, standing: SwapJob) -> None:
        """The end is stored as an event: from now on everybody sees it."""
        self._job = standing
        self._told.set()

    async def end_shown(self) -> None:
        """Wait a moment for an end that is about to be told: who heard the event sees it here."""
        if self._job.over:
            with suppress(TimeoutError):
                async with asyncio.timeout(_END_SECONDS):
                    await self._told.wait()

    async def enter(self, phase: Phase, message: str) -> None:
        """Move to the next phase: save, then tell."""
        previous = self._job.phase
        moved = self._job.enter(phase, self._clock.now(), message)
        self._job = moved.model_copy(update={"eta_seconds": self._learned_eta(moved)})
        self._write_down(f"{phase.value}: {message}")
        _log.info("swap.phase_changed", swap_id=self._job.id, phase=phase.value)
        await self._save_and_tell(previous)

    async def note(
        self,
        message: str | None = None,
        *,
        percent: float | None = None,
        eta_seconds: float | None = None,
        lines: tuple[str, ...] = (),
    ) -> None:
        """Keep what is new within the phase; tells at most five times a second."""
        new = presentable(lines)
        self._lines.extend(new)
        self._logs.write(self._job.id, new)
        changes: dict[str, object] = {}
        if message is not None and message != self._job.message:
            changes["message"] = message
            self._write_down_news(message)
        if percent is not None and percent != self._job.percent:
            changes["percent"] = percent
        if changes or self._lines:
            known = eta_seconds if eta_seconds is not None else self._learned_eta(self._job)
            changes["eta_seconds"] = known
            self._job = self._job.model_copy(update=changes)
            if self._clock.monotonic() - self._told_at >= _TELL_EVERY_SECONDS:
                await self._save_and_tell(None)
        elif self._saving.behind:
            await self._save()

    async def flush(self) -> None:
        """Tell the lines that wait; what is concluded tells none any more."""
        if self._lines:
            await self._save_and_tell(None)

    async def keep(self, *, cause: Cause, failed_in: Phase) -> None:
        """Save why the swap is being undone, before it is."""
        self._job = self._job.amend(cause=masked(cause), failed_in=failed_in)
        await self._save()

    async def adopt(self, **facts: object) -> None:
        """Save facts that are learned once: what served before, the attempt."""
        self._job = self._job.amend(**facts)
        await self._save()

    def begin(self) -> None:
        """Write down whose swap this is and which attempt begins."""
        job = self._job
        self._write_down(
            f"swap {job.id} to {job.model_name}, asked for by {job.requested_by}, "
            f"attempt {job.attempt}"
        )

    def _learned_eta(self, job: SwapJob) -> float | None:
        """Return what earlier swaps say about the rest of this one; nothing on the way back."""
        if job.over or job.phase in (Phase.QUEUED, Phase.ROLLING_BACK):
            return None
        return eta.remaining(
            usual_seconds=job.usual_seconds, elapsed_seconds=job.running_seconds(self._clock.now())
        )

    def _write_down(self, text: str) -> None:
        at = self._clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        self._logs.write(self._job.id, [mask_secrets(f"[{at}] {text}")])

    def _write_down_news(self, message: str) -> None:
        """Write a sentence down, but not each time only a number in it has changed."""
        news = _NUMBER.sub("", message)
        if news != self._noted:
            self._noted = news
            self._write_down(message)

    async def _save_and_tell(self, previous: Phase | None) -> None:
        job = self._job = self._job.amend(n=self._job.n + 1)
        await self._save()
        self._told_at = self._clock.monotonic()
        lines, self._lines = fitting(self._lines), []
        event = SwapProgress(
            swap_id=job.id,
            n=job.n,
            model=job.model,
            phase=job.phase,
            previous_phase=previous,
            percent=job.percent,
            eta_seconds=job.eta_seconds,
            message=job.message,
            lines=lines,
            attempt=job.attempt,
            at=self._clock.now(),
        )
        message_id = f"{job.id}:{job.attempt}:{job.n}"
        self._teller.tell(News(swap_progress(job.id), event, message_id, job.id))

    async def _save(self) -> None:
        try:
            await self._saving.save(self._job)
        except StaleWriterError as stale:
            raise StaleFenceError(str(stale)) from stale
