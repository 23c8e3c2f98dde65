"""Follows a detached step of an update to its end, whatever happens to the connection."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from spark_common.clock import Clock
from spark_common.errors import UnavailableError
from spark_common.jobs import JobJournal
from spark_common.remote.command import RemoteCommand
from spark_common.remote.detached import LOG_BYTES, DetachedSteps, StepLook
from spark_swapper.updates.build_log import BuildLog
from spark_swapper.updates.record import UpdateRecord

UPDATE_STEP, FOLLOW_STEP = "update", "follow"
"""What is run on the first Spark, and on the others."""
LONGEST_SECONDS = 3 * 3600.0
"""A build from source takes forty minutes."""
_STOP_SECONDS = 300.0


@dataclass(frozen=True)
class Followed:
    """How the step ended. ``too_long`` and ``cancelled`` were stopped by us."""

    how: Literal["ended", "lost", "cancelled", "too_long"]
    exit_code: int | None
    lines: tuple[str, ...]


class Following:
    """Starts a step once and follows it; may be begun again at any point."""

    def __init__(
        self, steps: DetachedSteps, clock: Clock, poll_seconds: Callable[[], float]
    ) -> None:
        self._steps = steps
        self._clock = clock
        self._poll_seconds = poll_seconds

    async def follow(
        self,
        journal: JobJournal[UpdateRecord],
        host: str,
        label: str,
        step: str,
        command: RemoteCommand,
        *,
        longest_seconds: float = LONGEST_SECONDS,
        marks: bool = True,
    ) -> Followed:
        """Run the step to its end, telling its lines; a cancel ends it on the Spark too.

        ``marks``: whether its lines say which step of the job is being done.
        """
        log, offset, job = BuildLog(marks=marks), 0, journal.record.id
        deadline = self._clock.monotonic() + longest_seconds
        # An earlier process told up to here; its lines only set the reader.
        told = journal.record.told.get(step, 0)
        while True:
            try:
                look = await self._look(host, job, step, command, offset, told)
            except UnavailableError as error:
                await journal.note(f"Waiting for {label}: {error.message}.")
                look = None
            if look is not None:
                over = not look.log and look.state in ("ended", "lost")
                await self._tell(journal, log, look, step, last=over, told=offset < told)
                offset = look.next_offset
                if over:
                    return Followed(
                        "ended" if look.state == "ended" else "lost",
                        look.exit_code,
                        tuple(log.lines_seen),
                    )
                if look.log:
                    continue
            cancelled = await journal.pause(self._poll_seconds())
            if cancelled or self._clock.monotonic() > deadline:
                await self._stop(journal, host, label, step)
                return Followed(
                    "cancelled" if cancelled else "too_long", None, tuple(log.lines_seen)
                )

    async def _look(
        self, host: str, job: str, step: str, command: RemoteCommand, offset: int, told: int
    ) -> StepLook:
        """Look at the step, which is started if it never was."""
        limit = min(LOG_BYTES, told - offset) if offset < told else LOG_BYTES
        look = await self._steps.poll(host, job, step, offset, log_limit=limit)
        if look.state != "none":
            return look
        await self._steps.start(host, job, step, command)
        return await self._steps.poll(host, job, step, offset, log_limit=limit)

    async def _tell(
        self,
        journal: JobJournal[UpdateRecord],
        log: BuildLog,
        look: StepLook,
        step: str,
        *,
        last: bool,
        told: bool,
    ) -> None:
        """Tell what is new, in order: lines, and the steps that they mark."""
        waiting: list[str] = []
        for line, meaning in log.feed(look.log, last=last):
            if told:
                continue
            waiting.append(line)
            if meaning is None:
                continue
            if meaning.step != journal.record.step:
                await journal.note(lines=waiting)
                waiting = []
                await journal.enter(meaning.step, meaning.message)
            else:
                await journal.note(meaning.message)
        if not told and (look.log or last):
            reached = {**journal.record.told, step: look.next_offset}
            await journal.note(lines=waiting, told=reached, percent=log.percent)

    async def _stop(
        self, journal: JobJournal[UpdateRecord], host: str, label: str, step: str
    ) -> None:
        deadline = self._clock.monotonic() + _STOP_SECONDS
        while self._clock.monotonic() < deadline:
            try:
                await self._steps.stop(host, journal.record.id, step)
            except UnavailableError as error:
                await journal.note(f"Waiting for {label} to stop the update: {error.message}.")
                await self._clock.sleep(self._poll_seconds())
            else:
                return
