"""The verbs of the Matrix bridge: how it is, updating it, and the job."""

import hashlib
from collections.abc import Callable, Sequence

from spark_common.bus.port import Bus, Serving
from spark_common.clock import Clock
from spark_common.contracts.jobs import CancelJob, GetJob, JobLog, JobState
from spark_common.contracts.services import (
    CANCEL_BRIDGE_JOB,
    GET_BRIDGE,
    GET_BRIDGE_JOB,
    READ_BRIDGE_LOG,
    UPDATE_BRIDGE,
    BridgeUpdateView,
    BridgeView,
    GetBridge,
    ListServices,
    UpdateBridge,
)
from spark_common.errors import (
    ConflictError,
    IdempotencyConflictError,
    JobInProgressError,
    SwapInProgressError,
    UnavailableError,
)
from spark_common.events import ServiceAction
from spark_common.ids import new_id
from spark_common.jobs import JobRunner
from spark_common.jobs.kind import OUTCOME_STREAM
from spark_common.logs.redact import mask_secrets
from spark_common.remote import RemoteShell
from spark_common.remote.detached import LOG_BYTES, DetachedSteps
from spark_common.remote.output_lines import OutputLines
from spark_common.settings.support import MatrixBridgeSettings
from spark_common.subjects import job_complete, job_failed
from spark_health.deep.scene import Scene
from spark_health.services.acts import Acts
from spark_health.services.bridge.record import BRIDGE_UPDATES, WHAT, BridgeRecord
from spark_health.services.bridge.work import MARK, STEP
from spark_health.services.registry import BRIDGE
from spark_health.services.verbs import ServiceVerbs


class BridgeVerbs:
    """Answers questions about the bridge; without its user there is none."""

    def __init__(
        self,
        *,
        runner: JobRunner[BridgeRecord],
        services: ServiceVerbs,
        settings: Callable[[], MatrixBridgeSettings],
        acts: Acts,
        scene: Scene,
        shell: RemoteShell,
        bus: Bus,
        clock: Clock,
    ) -> None:
        self._runner = runner
        self._services = services
        self._settings = settings
        self._acts = acts
        self._scene = scene
        self._steps = DetachedSteps(shell)
        self._bus = bus
        self._clock = clock

    def verbs(self) -> Sequence[Serving]:
        """Return every verb with its function."""
        return (
            Serving(GET_BRIDGE, self.get),
            Serving(UPDATE_BRIDGE, self.update, limit=2),
            Serving(GET_BRIDGE_JOB, self.get_job),
            Serving(CANCEL_BRIDGE_JOB, self.cancel),
            Serving(READ_BRIDGE_LOG, self.read_log, limit=2),
        )

    async def get(self, request: GetBridge) -> BridgeView:
        """Return how it is. Raises NotFoundError while it is hidden."""
        shown = await self._services.list(ListServices(name=BRIDGE))
        return BridgeView(service=shown.services[0], job=await self._latest())

    async def update(self, request: UpdateBridge) -> BridgeUpdateView:
        """Begin. Raises NotFoundError, SwapInProgressError, JobInProgressError, ConflictError."""
        digest = hashlib.sha256(request.model_dump_json(exclude={"id"}).encode()).hexdigest()
        known = await self._runner.repeated(request.id, digest)
        if known is not None:
            return known.view()
        service = self._services.need(BRIDGE)
        await self._require_own(request.id)
        if not service.actions or service.login is None or service.container is None:
            raise ConflictError("the container of the Matrix bridge is that of the model")
        await self._require_quiet(service.spark)
        record = BridgeRecord(
            id=request.id or new_id(),
            requested_by=request.requested_by,
            body_sha256=digest,
            exclusive="the Matrix bridge",
            created_at=self._clock.now(),
            step="fetching",
            message=f"Fetching the newest commit on {service.login.label}.",
            shell=service.login.shell,
            label=service.login.label,
            spark=service.spark,
            container=service.container,
            directory=self._settings().matrix_bridge_dir,
            reason=mask_secrets(request.reason),
        )
        return (await self._runner.request(record)).view()

    async def get_job(self, request: GetJob) -> BridgeUpdateView:
        """Return one update; raises NotFoundError."""
        return (await self._runner.get(request.id)).view()

    async def cancel(self, request: CancelJob) -> BridgeUpdateView:
        """Ask one to stop; one that is over stays as it is."""
        return (await self._runner.cancel(request.id, request.requested_by)).view()

    async def read_log(self, request: GetJob) -> JobLog:
        """Return the end of what its programs wrote."""
        record = await self._runner.get(request.id)
        start = max(0, record.told - LOG_BYTES // 2)
        look = await self._steps.poll(record.shell, record.id, STEP, start)
        lines = list(OutputLines().feed(look.log, last=True))[1 if start else 0 :]
        shown = [mask_secrets(line) for line in lines if not line.startswith(MARK)]
        return JobLog(lines=shown, complete=start == 0)

    async def over(self, record: BridgeRecord) -> None:
        """Tell that an update is over; called for each one that ended here."""
        event = ServiceAction(
            service=WHAT,
            host=record.spark,
            action="update",
            requested_by=record.requested_by,
            reason=record.reason,
            ok=record.state is JobState.COMPLETE,
            message=record.message,
            at=record.finished_at or self._clock.now(),
            container=record.container,
        )
        await self._acts.tell(f"bridge:{record.id}", event)

    async def at_work(self) -> str | None:
        """Say that an update runs, if one does."""
        live = await self._runner.live()
        if not live:
            return None
        return f"the Matrix bridge is being updated, asked for by {live[0].requested_by}"

    async def _require_quiet(self, spark: str | None) -> None:
        """Raise while a swap runs there, or somebody starts or stops the bridge."""
        for act in await self._acts.acting():
            if act.service == BRIDGE:
                raise JobInProgressError(
                    f"a {act.action} of the Matrix bridge is under way, asked for by "
                    f"{act.requested_by}; wait until it is over"
                )
        if spark is None:
            return
        swapping = await self._scene.swapping()
        if spark in swapping:
            raise SwapInProgressError(
                f"{swapping[spark]}; wait for its end, then update the bridge", host=spark
            )

    async def _require_own(self, id: str | None) -> None:
        """Raise IdempotencyConflictError for the id of a job of another kind.

        They are told on the same subjects, where one id has one outcome.
        """
        if id is None:
            return
        for subject in (job_complete, job_failed):
            found = await self._bus.last_message(OUTCOME_STREAM, subject(BRIDGE_UPDATES.name, id))
            if found is not None:
                raise IdempotencyConflictError(f"the key {id!r} belongs to another job", id=id)

    async def _latest(self) -> BridgeUpdateView | None:
        try:
            found = await self._runner.live() or await self._runner.recent(1)
        except UnavailableError:
            return None
        return found[0].view() if found else None
