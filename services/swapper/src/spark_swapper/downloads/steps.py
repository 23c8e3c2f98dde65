"""Follows one step of a download on a host until it ends, is cancelled or has to be stopped."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from spark_common.clock import Clock
from spark_common.contracts.swaps import Cause
from spark_common.errors import SparkError
from spark_common.jobs import JobJournal
from spark_common.remote.detached import StepLook
from spark_common.settings.policies import DownloadTimings
from spark_swapper.downloads import words
from spark_swapper.downloads.hub_words import LogLines
from spark_swapper.downloads.record import DownloadJob
from spark_swapper.downloads.room import STOP_BYTES
from spark_swapper.downloads.sparks import DownloadSparks, Measure
from spark_swapper.downloads.speed import Speed

_KEPT_LOG = 20_000


@dataclass
class Watched:
    """A step and how people see it: ``verb`` as in "Fetching on Spark 1"."""

    host: str
    step: str
    target: str
    """The host on whose disk the bytes arrive."""
    verb: str
    speed: Speed = field(default_factory=Speed)


@dataclass(frozen=True)
class StepEnd:
    """How a step ended. ``lost``: the host forgot it, as after a reboot."""

    how: Literal["ended", "lost", "cancelled", "stopped"]
    exit_code: int | None = None
    log: str = ""
    cause: Cause | None = None
    """Why we stopped it."""


class Following:
    """Looks again and again, tells what is new, and stops a step that may not go on."""

    def __init__(
        self, sparks: DownloadSparks, timings: Callable[[], DownloadTimings], clock: Clock
    ) -> None:
        self._sparks = sparks
        self._timings = timings
        self._clock = clock

    async def follow(
        self,
        journal: JobJournal[DownloadJob],
        watched: Watched,
        note: Callable[[Watched, Measure], dict[str, object]],
    ) -> StepEnd:
        """Return when the step is over. ``note`` turns bytes into facts of the record."""
        lines, log, offset = LogLines(), b"", 0
        silent_since: float | None = None
        while True:
            if journal.cancelled_by is not None:
                return await self._stop(journal, watched, None)
            now = self._clock.monotonic()
            try:
                look, measure = await self._look(journal.record, watched, offset)
            except SparkError as error:
                silent_since = now if silent_since is None else silent_since
                if now - silent_since > self._timings().download_patience_seconds:
                    return StepEnd("stopped", cause=_gave_up(error.message))
                await journal.note(f"Waiting for {self._label(watched)}: {error.message}.")
            else:
                silent_since = None
                offset = look.next_offset
                log = (log + look.log)[-_KEPT_LOG:]
                fresh = lines.feed(look.log)
                if measure is not None:
                    watched.speed.feed(now, measure.bytes)
                facts = note(watched, measure) if measure is not None else {}
                message = self._message(watched, journal.record, measure)
                await journal.note(message, lines=fresh, **facts)
                if look.state == "ended":
                    text = log.decode(errors="replace")
                    return StepEnd("ended", look.exit_code, text)
                if look.state in {"lost", "none"}:
                    return StepEnd("lost", log=log.decode(errors="replace"))
                reason = self._must_stop(watched, measure, now)
                if reason is not None:
                    return await self._stop(journal, watched, reason)
            await journal.pause(self._timings().download_poll_seconds)

    async def _look(
        self, record: DownloadJob, watched: Watched, offset: int
    ) -> tuple[StepLook, Measure | None]:
        look, measure = await self._sparks.poll(
            watched.host, record.id, watched.step, offset, record.repo
        )
        if watched.target != watched.host:
            try:
                measure = await self._sparks.measure(watched.target, record.repo)
            except SparkError:
                # The copy goes on between the Sparks, whether or not we can see it.
                measure = None
        return look, measure

    async def _stop(
        self, journal: JobJournal[DownloadJob], watched: Watched, cause: Cause | None
    ) -> StepEnd:
        began = self._clock.monotonic()
        while True:
            try:
                await self._sparks.stop(watched.host, journal.record.id, watched.step)
            except SparkError as error:
                waited = self._clock.monotonic() - began
                if waited > self._timings().download_patience_seconds:
                    return StepEnd("stopped", cause=_gave_up(error.message))
                await journal.note(
                    f"Stopping: waiting for {self._sparks.label(watched.host)}, "
                    f"which does not answer ({words.duration(waited)})."
                )
                await self._clock.sleep(self._timings().download_poll_seconds)
            else:
                return StepEnd("cancelled" if cause is None else "stopped", cause=cause)

    def _must_stop(self, watched: Watched, measure: Measure | None, now: float) -> Cause | None:
        label = self._sparks.label(watched.target)
        free = measure.free_bytes if measure is not None else None
        if free is not None and free < STOP_BYTES:
            return Cause(
                code="disk_low",
                sentence=f"Only {words.size(free)} are left on the disk of {label}; the "
                "download was stopped before it filled up.",
                action="Delete a model that is not needed, then press Download again: whole "
                "files are kept.",
            )
        still = watched.speed.still_seconds(now)
        if still > self._timings().download_patience_seconds:
            return Cause(
                code="stalled",
                sentence=f"No byte came to {label} for {words.duration(still)}.",
                action="Check the network of the Sparks, then press Download again.",
            )
        return None

    def _message(self, watched: Watched, record: DownloadJob, measure: Measure | None) -> str:
        if measure is None:
            return f"{watched.verb}."
        done = measure.bytes
        total = f" of {words.size(record.repo_bytes)}" if record.repo_bytes else ""
        text = f"{watched.verb}: {words.size(done)}{total}"
        still = watched.speed.still_seconds(self._clock.monotonic())
        if still > self._timings().download_stall_seconds:
            return f"{text}. No byte came for {words.duration(still)}; still trying."
        speed = watched.speed.bytes_per_second
        return f"{text}, {words.speed(speed)}." if speed is not None else f"{text}."

    def _label(self, watched: Watched) -> str:
        return self._sparks.label(watched.host)


def _gave_up(reason: str) -> Cause:
    return Cause(
        code="host_unreachable",
        sentence="The Spark did not answer any more; what it does now is not known.",
        action="When it answers again, press Download again: whole files are kept.",
        evidence=[reason],
    )
