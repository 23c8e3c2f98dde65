"""The verbs of downloads: each translates, asks, and translates back."""

import hashlib
import json
import statistics
from collections.abc import Sequence

from spark_common.bus.port import Serving
from spark_common.clock import Clock
from spark_common.contracts.downloads import (
    CANCEL_DOWNLOAD,
    GET_DOWNLOAD,
    LIST_DOWNLOADS,
    PLAN_DOWNLOAD,
    READ_DOWNLOAD_LOG,
    START_DOWNLOAD,
    DownloadPlace,
    DownloadPlan,
    Downloads,
    DownloadView,
    ListDownloads,
    PlanDownload,
    StartDownload,
)
from spark_common.contracts.jobs import CancelJob, GetJob, JobLog
from spark_common.errors import (
    JobInProgressError,
    NotFoundError,
    SparkError,
)
from spark_common.ids import new_id
from spark_common.jobs import JobRunner
from spark_swapper.downloads.checking import Checked, Checking
from spark_swapper.downloads.others import OtherWork
from spark_swapper.downloads.record import DownloadJob
from spark_swapper.downloads.room import Room, with_room
from spark_swapper.downloads.sparks import DownloadSparks
from spark_swapper.downloads.step_logs import read_step_logs

_TAUGHT_BY = 50


class DownloadVerbs:
    """Answers questions about downloads."""

    def __init__(
        self,
        runner: JobRunner[DownloadJob],
        checking: Checking,
        room: Room,
        others: OtherWork,
        sparks: DownloadSparks,
        clock: Clock,
    ) -> None:
        self._runner = runner
        self._checking = checking
        self._room = room
        self._others = others
        self._sparks = sparks
        self._clock = clock

    def verbs(self) -> Sequence[Serving]:
        """Return every verb with its function."""
        return (
            Serving(PLAN_DOWNLOAD, self.plan, limit=2),
            Serving(START_DOWNLOAD, self.start),
            Serving(GET_DOWNLOAD, self.get),
            Serving(LIST_DOWNLOADS, self.latest),
            Serving(CANCEL_DOWNLOAD, self.cancel),
            Serving(READ_DOWNLOAD_LOG, self.log, limit=4),
        )

    async def plan(self, request: PlanDownload) -> DownloadPlan:
        """Say what a download would need. Touches nothing."""
        hosts = self._chosen(request.hosts or self._sparks.names)
        running = await self._runner.holder(_word(request.repo))
        found = await self._checking.check(request.repo, hosts)
        checked = with_room(found, await self._room.needed_beside(request.repo))
        speed = await self._usual_speed()
        left = checked.missing_bytes
        return DownloadPlan.model_validate(
            {
                "repo": request.repo,
                "total_bytes": checked.repo_bytes,
                "size_source": checked.size_source,
                "missing_bytes": left,
                "places": checked.places,
                "usual_bytes_per_second": speed,
                "eta_seconds": round(left / speed) if speed and left is not None else None,
                "running": running,
                "blockers": await self._blockers(request.repo, checked),
            }
        )

    async def start(self, request: StartDownload) -> DownloadView:
        """Accept a download, or say which one runs already."""
        hosts = self._chosen(request.hosts)
        body = _hash(request.repo, hosts)
        if known := await self._runner.repeated(request.id, body):
            return known.view()
        await self._others.refuse(request.repo)
        now = self._clock.now()
        record = DownloadJob(
            id=request.id or new_id(),
            requested_by=request.requested_by,
            exclusive=_word(request.repo),
            body_sha256=body,
            step="checking",
            message="Waiting to begin.",
            created_at=now,
            repo=request.repo,
            hosts=hosts,
            places=tuple(
                DownloadPlace(host=host, label=self._sparks.label(host), state="unknown")
                for host in hosts
            ),
        )
        try:
            return (await self._runner.request(record)).view()
        except JobInProgressError as busy:
            raise JobInProgressError(
                f"{request.repo} is being downloaded already: follow that download, or cancel it",
                **busy.details,
            ) from busy

    async def get(self, request: GetJob) -> DownloadView:
        """Return one download; raises NotFoundError."""
        return (await self._runner.get(request.id)).view()

    async def latest(self, request: ListDownloads) -> Downloads:
        """Return those that run and the latest that ended, newest first."""
        live = [record.view() for record in await self._runner.live()]
        recent = await self._runner.recent(request.limit + len(live))
        over = [record.view() for record in recent if record.over]
        return Downloads(running=live[::-1], recent=over[: request.limit])

    async def cancel(self, request: CancelJob) -> DownloadView:
        """Remember the wish to stop; a download that is over stays as it is."""
        return (await self._runner.cancel(request.id, request.requested_by)).view()

    async def log(self, request: GetJob) -> JobLog:
        """Return the end of what its programs wrote."""
        return await read_step_logs(self._sparks, await self._runner.get(request.id))

    async def busy_with(self, repo: str) -> str | None:
        """Say why the files of a repository must be left alone, or None."""
        running = await self._runner.holder(_word(repo))
        if running is None:
            return None
        return f"{repo} is being downloaded: cancel the download first."

    def _chosen(self, hosts: Sequence[str]) -> tuple[str, ...]:
        for host in hosts:
            if host not in self._sparks.names:
                known = ", ".join(self._sparks.names)
                raise NotFoundError(f"there is no Spark {host!r}, only {known}", host=host)
        return tuple(host for host in self._sparks.names if host in hosts)

    async def _usual_speed(self) -> float | None:
        try:
            past = await self._runner.recent(_TAUGHT_BY)
        except SparkError:
            return None
        speeds = [job.fetch_bytes_per_second for job in past if job.fetch_bytes_per_second]
        return statistics.median(speeds) if speeds else None

    async def _blockers(self, repo: str, checked: Checked) -> list[str]:
        found = [checked.cause.sentence] if checked.cause is not None else []
        found += [place.problem for place in checked.places if place.problem]
        if why := await self._others.why_not(repo):
            found.append(why)
        return list(dict.fromkeys(found))


def _word(repo: str) -> str:
    return repo.casefold()


def _hash(repo: str, hosts: Sequence[str]) -> str:
    body = json.dumps([repo, sorted(hosts)])
    return hashlib.sha256(body.encode()).hexdigest()
