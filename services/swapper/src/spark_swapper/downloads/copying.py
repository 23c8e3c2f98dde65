"""Copying a repository from the Spark that has it to another one over the fast link."""

from collections.abc import Callable
from functools import partial

from spark_common.contracts.jobs import JobState
from spark_common.contracts.swaps import Cause
from spark_common.errors import SparkError
from spark_common.jobs import Ending, JobJournal
from spark_common.settings.policies import DownloadTimings
from spark_swapper.downloads.fetching import Fetching
from spark_swapper.downloads.hub_words import plain_lines
from spark_swapper.downloads.patience import patiently
from spark_swapper.downloads.record import DownloadJob
from spark_swapper.downloads.room import RESERVE_BYTES, no_room
from spark_swapper.downloads.sparks import DownloadSparks
from spark_swapper.downloads.steps import Following, StepEnd, Watched
from spark_swapper.downloads.telling import moved

_NO_RSYNC, _NO_WAY_IN = 71, 72
_MOST_RUNS = 5
_FULL = "no space left on device"
Journal = JobJournal[DownloadJob]


class Copying:
    """Runs rsync on the source; where that cannot work, the target fetches by itself."""

    def __init__(
        self,
        sparks: DownloadSparks,
        following: Following,
        fetching: Fetching,
        timings: Callable[[], DownloadTimings],
    ) -> None:
        self._sparks = sparks
        self._following = following
        self._fetching = fetching
        self._timings = timings

    async def copy(self, journal: Journal, target: str) -> Ending | None:
        """Copy to one Spark; None when it is there, or when somebody cancelled."""
        record, label = journal.record, self._sparks.label(target)
        source = record.source or record.hosts[0]
        waits = f"Waiting for {self._sparks.label(source)}"
        if record.step != "copying":
            over = f"from {self._sparks.label(source)} to {label}"
            await journal.enter("copying", f"Copying {over} over the fast link.")
        while True:
            record = journal.record
            step = f"copy-{target}-{record.copy_run}"
            begin = partial(self._begin, record, source, target, step)
            cause = await patiently(journal, self._timings().download_poll_seconds, begin, waits)
            if cause is not None:
                return _failed(cause)
            watched = Watched(source, step, target, f"Copying to {label}")
            end = await self._following.follow(
                journal,
                watched,
                lambda seen, there: moved(journal.record, target, there, seen.speed),
            )
            if end.how == "lost" and record.copy_run < _MOST_RUNS:
                await journal.adopt(copy_run=record.copy_run + 1)
                continue
            return await self._ended(journal, target, end)

    async def _begin(
        self, record: DownloadJob, source: str, target: str, step: str
    ) -> Cause | None:
        """Start a step unless it was started before; returns why it cannot be."""
        look, _ = await self._sparks.poll(source, record.id, step, 0, record.repo)
        if look.state != "none":
            return None
        label = self._sparks.label(target)
        try:
            there = (await self._sparks.facts(target, record.repo)).measure
        except SparkError as error:
            return _away(label, error.message)
        missing = max(0, (record.repo_bytes or 0) - there.whole_bytes)
        if there.free_bytes is not None and there.free_bytes - missing < RESERVE_BYTES:
            return _too_full(label, missing, there.free_bytes)
        here = await self._sparks.facts(source, record.repo)
        await self._sparks.start_copy(source, record.id, step, record.repo, target, there.hub, here)
        return None

    async def _ended(self, journal: Journal, target: str, end: StepEnd) -> Ending | None:
        record, label = journal.record, self._sparks.label(target)
        if end.how == "cancelled":
            return None
        if end.how == "ended" and end.exit_code == 0:
            size = record.repo_bytes
            await journal.adopt(
                places=record.placed(target, state="ready", done_bytes=size or 0, total_bytes=size)
            )
            return None
        if end.how == "ended" and end.exit_code in (_NO_RSYNC, _NO_WAY_IN):
            why = (
                "rsync is not installed"
                if end.exit_code == _NO_RSYNC
                else f"the other Spark may not log in to {label} without a password"
            )
            return await self._fetching.fetch(
                journal, target, f"The copy is not possible ({why}), so {label} fetches it too. "
            )
        return _failed(end.cause or _copy_failed(label, end))


def _failed(cause: Cause) -> Ending:
    return Ending(JobState.FAILED, cause.sentence, cause, {"bytes_per_second": None})


def _away(label: str, reason: str) -> Cause:
    return Cause(
        code="host_unreachable",
        sentence=f"{label} does not answer, so nothing could be copied there.",
        action=f"When {label} is back, press Download again: only the copy is left to do.",
        evidence=[reason],
    )


def _too_full(label: str, missing: int, free: int) -> Cause:
    return Cause(
        code="no_space",
        sentence=no_room(label, missing, free),
        action=f"Delete a model on {label}, then press Download again: only the copy is left.",
    )


def _copy_failed(label: str, end: StepEnd) -> Cause:
    lines = plain_lines(end.log.encode())[-5:]
    if _FULL in end.log.lower():
        return Cause(
            code="disk_full",
            sentence=f"The disk of {label} is full.",
            action=f"Delete a model on {label}, then press Download again: only the copy is left.",
            evidence=lines,
        )
    return Cause(
        code="copy_failed",
        sentence=f"The copy to {label} broke off (exit code {end.exit_code}).",
        action="Press Download again: the copy goes on where it broke off.",
        evidence=lines,
    )
