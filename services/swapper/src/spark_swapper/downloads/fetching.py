"""Fetching a repository from the hub onto one Spark."""

from collections.abc import Callable

from spark_common.clock import Clock
from spark_common.contracts.jobs import JobState
from spark_common.contracts.swaps import Cause
from spark_common.errors import SparkError
from spark_common.jobs import Ending, JobJournal
from spark_common.settings.policies import DownloadTimings
from spark_swapper.downloads.hub_words import cause_of
from spark_swapper.downloads.patience import patiently
from spark_swapper.downloads.record import DownloadJob
from spark_swapper.downloads.slots import Slots
from spark_swapper.downloads.sparks import DownloadSparks
from spark_swapper.downloads.steps import Following, StepEnd, Watched
from spark_swapper.downloads.telling import moved

_MOST_RUNS = 5
Journal = JobJournal[DownloadJob]


class Fetching:
    """Runs the hub's program on a host, at most two there at a time."""

    def __init__(
        self,
        sparks: DownloadSparks,
        following: Following,
        slots: Slots,
        timings: Callable[[], DownloadTimings],
        clock: Clock,
    ) -> None:
        self._sparks = sparks
        self._following = following
        self._slots = slots
        self._timings = timings
        self._clock = clock

    async def fetch(self, journal: Journal, host: str, why: str = "") -> Ending | None:
        """Fetch; None when it is there, or when somebody cancelled before anything began.

        ``why`` is said before: a reason to fetch on this host although another one has it.
        """
        label = self._sparks.label(host)
        if journal.record.step != "fetching":
            if not await self._turn(journal, host):
                return None
            with self._slots.held(host):
                await journal.enter("fetching", f"{why}Fetching on {label}.")
                return await self._run(journal, host)
        with self._slots.held(host):
            return await self._run(journal, host)

    async def _turn(self, journal: Journal, host: str) -> bool:
        """Wait while two others fetch there; False when somebody cancels."""
        label = self._sparks.label(host)
        while self._slots.full(host):
            await journal.note(f"Waiting: two downloads run on {label} already.")
            if await journal.pause(self._timings().download_poll_seconds):
                return False
        return journal.cancelled_by is None

    async def _run(self, journal: Journal, host: str) -> Ending | None:
        label = self._sparks.label(host)
        while True:
            record = journal.record
            step = f"fetch-{host}-{record.fetch_run}"

            async def order(step: str = step) -> None:
                await self._sparks.start_fetch(host, journal.record.id, step, journal.record.repo)

            await patiently(
                journal, self._timings().download_poll_seconds, order, f"Waiting for {label}"
            )
            watched = Watched(host, step, host, f"Fetching on {label}")
            began = self._clock.monotonic(), _bytes_on(record, host)
            end = await self._following.follow(
                journal,
                watched,
                lambda seen, there: moved(journal.record, host, there, seen.speed),
            )
            if end.how == "lost" and record.fetch_run < _MOST_RUNS:
                await journal.adopt(fetch_run=record.fetch_run + 1)
                await journal.note(f"{label} was restarted; fetching goes on.")
                continue
            if end.how == "ended" and end.exit_code == 0:
                await self._fetched(journal, host, *began)
                return None
            return self._failed(record.repo, label, end)

    async def _fetched(self, journal: Journal, host: str, began: float, bytes_before: int) -> None:
        """Keep the exact size and the speed of the whole fetch."""
        place: dict[str, object] = {"state": "ready"}
        try:
            seen = await self._sparks.measure(host, journal.record.repo)
        except SparkError:
            there = _bytes_on(journal.record, host)
        else:
            there = seen.whole_bytes
            place |= {"free_bytes": seen.free_bytes, "free_after_bytes": seen.free_bytes}
        record = journal.record
        seconds = self._clock.monotonic() - began
        fetched = there - bytes_before
        usual = round(fetched / seconds) if seconds >= 1 and fetched > 0 else None
        await journal.adopt(
            repo_bytes=there or record.repo_bytes,
            total_bytes=(there or record.repo_bytes or 0) * len(record.hosts) or None,
            places=record.placed(host, done_bytes=there, total_bytes=there, **place),
            fetch_bytes_per_second=usual or record.fetch_bytes_per_second,
        )

    def _failed(self, repo: str, label: str, end: StepEnd) -> Ending | None:
        if end.how == "cancelled":
            return None
        if end.how == "lost":
            cause = Cause(
                code="lost",
                sentence=f"{label} was restarted again and again during the download.",
                action=f"Look at {label}, then press Download again: whole files are kept.",
            )
        else:
            cause = end.cause or cause_of(end.log, repo, label, end.exit_code)
        return Ending(JobState.FAILED, cause.sentence, cause, {"bytes_per_second": None})


def _bytes_on(record: DownloadJob, host: str) -> int:
    place = record.place(host)
    return place.done_bytes if place is not None else 0
