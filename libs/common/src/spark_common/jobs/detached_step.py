"""Following a detached step of a job to its end, through silence, cancellation and restarts."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from spark_common.clock import Clock
from spark_common.errors import UnavailableError
from spark_common.jobs.journal import JobJournal
from spark_common.jobs.record import RecordT
from spark_common.remote.command import RemoteCommand
from spark_common.remote.detached import LOG_BYTES, DetachedSteps, StepLook
from spark_common.remote.output_lines import OutputLines

AWAY_SECONDS = 600.0
"""How long a job waits for a Spark that does not answer."""
T = TypeVar("T")


class LeftError(Exception):
    """Somebody does not want the job any more."""


@dataclass(frozen=True)
class StepEnd:
    """How a step ended, and the last lines it wrote.

    ``unstarted``: it never ran, and what it needs to start is not there any more.
    """

    how: Literal["ended", "lost", "cancelled", "deadline", "unstarted"]
    exit_code: int | None
    lines: list[str]


@dataclass(frozen=True)
class StepOfJob(Generic[RecordT]):
    """One step of a running job on a Spark."""

    journal: JobJournal[RecordT]
    steps: DetachedSteps
    host: str
    label: str
    """The Spark as people call it."""
    name: str
    clock: Clock
    poll_seconds: Callable[[], float]

    async def follow(
        self,
        command: Callable[[], RemoteCommand | None],
        tell: Callable[[list[str], int], Awaitable[None]],
        *,
        seconds: float,
    ) -> StepEnd:
        """Start it unless it ran before, and follow it to its end, or end it.

        ``command`` is asked only when it has to be started. ``tell`` gets the new lines and how
        far the output was read. Raises UnavailableError when the Spark is away for too long.
        """
        output, offset = OutputLines(), 0
        deadline = self.clock.monotonic() + seconds
        while True:
            seen = await self.until_answered(lambda at=offset: self._look(command, at))  # type: ignore[misc]
            over = not seen.log and seen.state in ("ended", "lost")
            await tell(list(output.feed(seen.log, last=over)), seen.next_offset)
            offset = seen.next_offset
            if seen.state == "none":
                return StepEnd("unstarted", None, [])
            if over:
                how: Literal["ended", "lost"] = "ended" if seen.state == "ended" else "lost"
                return StepEnd(how, seen.exit_code, output.lines_seen)
            if len(seen.log) >= LOG_BYTES:
                continue
            cancelled = await self.journal.pause(self.poll_seconds())
            if cancelled or self.clock.monotonic() > deadline:
                await self.until_answered(
                    lambda: self.steps.stop(self.host, self.journal.record.id, self.name)
                )
                return StepEnd("cancelled" if cancelled else "deadline", None, output.lines_seen)

    async def until_answered(self, ask: Callable[[], Awaitable[T]], *, leave: bool = False) -> T:
        """Repeat what may be repeated while the Spark is away, for ten minutes.

        With ``leave`` a cancel ends that with LeftError; otherwise something may run there that
        has to be ended.
        """
        deadline = self.clock.monotonic() + AWAY_SECONDS
        while True:
            try:
                return await ask()
            except UnavailableError as error:
                if self.clock.monotonic() > deadline:
                    raise
                await self.journal.note(f"Waiting for {self.label}: {error.message}.")
                if not leave:
                    await self.clock.sleep(self.poll_seconds())
                elif await self.journal.pause(self.poll_seconds()):
                    raise LeftError from error

    async def _look(self, command: Callable[[], RemoteCommand | None], offset: int) -> StepLook:
        job = self.journal.record.id
        seen = await self.steps.poll(self.host, job, self.name, offset)
        if seen.state != "none" or (wanted := command()) is None:
            return seen
        await self.steps.start(self.host, job, self.name, wanted)
        return await self.steps.poll(self.host, job, self.name, offset)
