"""The verbs of cluster software: each translates, asks, and translates back."""

from collections.abc import Callable, Sequence

from spark_common.bus.port import Serving
from spark_common.contracts.jobs import CancelJob, GetJob, JobLog
from spark_common.contracts.updates import (
    APPLY_UPDATES,
    CANCEL_UPDATE,
    GET_UPDATE_JOB,
    GET_UPDATES,
    READ_UPDATE_LOG,
    REVERT_UPDATES,
    ApplyUpdates,
    GetUpdates,
    RevertUpdates,
    Updates,
    UpdateView,
)
from spark_common.errors import UnavailableError
from spark_common.jobs import JobRunner
from spark_common.remote.detached import LOG_BYTES, DetachedSteps
from spark_swapper.updates.build_log import BuildLog
from spark_swapper.updates.following import UPDATE_STEP
from spark_swapper.updates.looking import SoftwareLook
from spark_swapper.updates.record import UpdateRecord
from spark_swapper.updates.requesting import Requesting
from spark_swapper.updates.view import updates_view


class UpdateVerbs:
    """Answers questions about the cluster software."""

    def __init__(
        self,
        runner: JobRunner[UpdateRecord],
        requesting: Requesting,
        look: SoftwareLook,
        steps: DetachedSteps,
        default_image: Callable[[], str],
    ) -> None:
        self._runner = runner
        self._requesting = requesting
        self._look = look
        self._steps = steps
        self._default_image = default_image

    def verbs(self) -> Sequence[Serving]:
        """Return every verb with its function."""
        return (
            Serving(GET_UPDATES, self.get_updates, limit=4),
            Serving(APPLY_UPDATES, self.apply, limit=2),
            Serving(REVERT_UPDATES, self.revert, limit=2),
            Serving(GET_UPDATE_JOB, self.get_job),
            Serving(CANCEL_UPDATE, self.cancel),
            Serving(READ_UPDATE_LOG, self.read_log, limit=2),
        )

    async def get_updates(self, request: GetUpdates) -> Updates:
        """Return what is installed, pending, and kept; waits for Sparks only to ``refresh``."""
        job = await self._latest()
        if request.refresh:
            # A fetch beside the one of a running update would make that one fail.
            await self._look.look(refresh=job is None or job.over)
        sights = await self._look.recent()
        return updates_view(
            sights,
            default_image=self._default_image(),
            blockers=await self._requesting.blockers(sights),
            job=job,
        )

    async def apply(self, request: ApplyUpdates) -> UpdateView:
        """Begin an update."""
        return (await self._requesting.apply(request)).view()

    async def revert(self, request: RevertUpdates) -> UpdateView:
        """Begin the way back."""
        return (await self._requesting.revert(request)).view()

    async def get_job(self, request: GetJob) -> UpdateView:
        """Return one update; raises NotFoundError."""
        return (await self._runner.get(request.id)).view()

    async def cancel(self, request: CancelJob) -> UpdateView:
        """Ask an update to stop; one that is over stays as it is."""
        return (await self._runner.cancel(request.id, request.requested_by)).view()

    async def read_log(self, request: GetJob) -> JobLog:
        """Return the end of what the update's programs wrote on the Spark."""
        record = await self._runner.get(request.id)
        if record.direction == "revert" or not record.hosts:
            return JobLog()
        start = max(0, record.told.get(UPDATE_STEP, 0) - LOG_BYTES // 2)
        look = await self._steps.poll(record.hosts[0], record.id, UPDATE_STEP, start)
        lines = [line for line, _ in BuildLog().feed(look.log, last=True)]
        return JobLog(lines=lines[1:] if start else lines, complete=start == 0)

    async def _latest(self) -> UpdateView | None:
        try:
            live = await self._runner.live()
            recent = live or await self._runner.recent(1)
        except UnavailableError:
            return None
        return recent[0].view() if recent else None
