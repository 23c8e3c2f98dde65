"""A download from the first look to the last: check, fetch once, copy to the others, verify."""

from collections.abc import Awaitable, Callable
from functools import partial

from spark_common.contracts.jobs import JobState
from spark_common.contracts.swaps import Cause
from spark_common.jobs import Ending, JobJournal
from spark_swapper.downloads import words
from spark_swapper.downloads.checking import Checking
from spark_swapper.downloads.copying import Copying
from spark_swapper.downloads.fetching import Fetching
from spark_swapper.downloads.others import OtherWork
from spark_swapper.downloads.patience import patiently
from spark_swapper.downloads.record import DownloadJob
from spark_swapper.downloads.room import Room, with_room

Journal = JobJournal[DownloadJob]


class DownloadWork:
    """The story of a download. Begun again after a restart, it goes on at the record's step."""

    def __init__(
        self,
        checking: Checking,
        room: Room,
        others: OtherWork,
        fetching: Fetching,
        copying: Copying,
        label: Callable[[str], str],
        poll_seconds: Callable[[], float],
    ) -> None:
        self._checking = checking
        self._room = room
        self._others = others
        self._fetching = fetching
        self._copying = copying
        self._label = label
        self._poll_seconds = poll_seconds

    async def __call__(self, journal: Journal) -> Ending:
        """Carry a download to its end."""
        ending: Ending | None = None
        steps: tuple[tuple[str, Callable[[Journal], Awaitable[Ending | None]]], ...] = (
            ("checking", self._check),
            ("fetching", self._fetch),
            ("copying", self._copy),
        )
        names = [name for name, _ in steps]
        begin = names.index(journal.record.step) if journal.record.step in names else len(names)
        for _, step in steps[begin:]:
            ending = await step(journal)
            if journal.cancelled_by is not None and (ending is None or ending.cause is None):
                ending = _cancelled(journal)
            if ending is not None:
                return ending
        return await self._verify(journal)

    async def _check(self, journal: Journal) -> Ending | None:
        record = journal.record
        if record.n == 0:
            await journal.enter("checking", "Looking at the Sparks and asking the hub.")
        await self._wait_for_others(journal)
        if journal.cancelled_by is not None:
            return None
        found = await self._checking.check(record.repo, record.hosts)
        async with self._room.deciding:
            ask = partial(self._room.needed_beside, record.repo)
            needed = await patiently(journal, self._poll_seconds(), ask, "Waiting for the records")
            if needed is None:
                return None
            checked = with_room(found, needed)
            total = checked.repo_bytes * len(record.hosts) if checked.repo_bytes else None
            facts = {
                "places": checked.places,
                "source": checked.source,
                "must_fetch": checked.must_fetch,
                "repo_bytes": checked.repo_bytes,
                "total_bytes": total,
                "done_bytes": sum(place.done_bytes for place in checked.places),
            }
            if checked.cause is None:
                await journal.adopt(**facts)
                return None
        return Ending(JobState.FAILED, checked.cause.sentence, checked.cause, facts)

    async def _wait_for_others(self, journal: Journal) -> None:
        """Let a deletion or an update that began in the same moment end first."""
        ask = partial(self._others.why_not, journal.record.repo)
        seconds = self._poll_seconds()
        while why := await patiently(journal, seconds, ask, "Waiting for the records"):
            await journal.note(f"Waiting. {why}")
            await journal.pause(seconds)

    async def _fetch(self, journal: Journal) -> Ending | None:
        source = journal.record.source
        if not journal.record.must_fetch or source is None:
            return None
        return await self._fetching.fetch(journal, source)

    async def _copy(self, journal: Journal) -> Ending | None:
        for target in journal.record.hosts:
            place = journal.record.place(target)
            if target == journal.record.source or (place is not None and place.state == "ready"):
                continue
            ending = await self._copying.copy(journal, target)
            if ending is not None or journal.cancelled_by is not None:
                return ending
        return None

    async def _verify(self, journal: Journal) -> Ending:
        record = journal.record
        if record.step != "verifying":
            await journal.enter("verifying", "Looking whether every file is there.")
        found = await self._checking.verdicts(record.repo)
        places, causes = record.places, []
        for host in record.hosts:
            verdict = found.get(host)
            place = record.place(host)
            if verdict is None or not verdict.whole:
                causes.append(self._lacks(host, verdict.missing if verdict else None))
                state, done = "failed", place.done_bytes if place else 0
            else:
                state, done = "ready", verdict.size_bytes
            changed = {"state": state, "done_bytes": done, "total_bytes": done}
            places = tuple(
                each.model_copy(update=changed) if each.host == host else each for each in places
            )
        done = sum(place.done_bytes for place in places)
        facts = {"places": places, "done_bytes": done, "bytes_per_second": None}
        if causes:
            return Ending(JobState.FAILED, causes[0].sentence, causes[0], facts)
        where = words.both([self._label(host) for host in record.hosts])
        size = words.size(max((place.done_bytes for place in places), default=0))
        note = "" if all(found[host].weights for host in record.hosts) else "; it has no weights"
        facts |= {"total_bytes": done, "percent": 100.0, "step": "done"}
        return Ending(JobState.COMPLETE, f"Whole on {where} ({size}){note}.", None, facts)

    def _lacks(self, host: str, missing: tuple[str, ...] | None) -> Cause:
        label = self._label(host)
        if missing is None:
            return Cause(
                code="host_unreachable",
                sentence=f"{label} does not answer, so what is there could not be verified.",
                action=f"When {label} is back, press Download again: only what lacks is copied.",
            )
        return Cause(
            code="incomplete",
            sentence=f"After the download, files are still missing on {label}.",
            action="Press Download again: whole files are kept.",
            evidence=list(missing)[:5],
        )


def _cancelled(journal: Journal) -> Ending:
    who = journal.cancelled_by or "Someone"
    cause = Cause(
        code="cancelled",
        sentence=f"{who} cancelled the download.",
        action="Press Download to go on: whole files are kept, one that was under way starts over.",
    )
    there = journal.record.done_bytes
    kept = f"{words.size(there)} are on the disks; whole files are kept."
    message = f"Cancelled by {who}. {kept if there else 'Nothing was fetched.'}"
    return Ending(JobState.CANCELLED, message, cause, {"bytes_per_second": None})
