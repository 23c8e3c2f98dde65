"""The verbs of the speech container: how it is, changing it, and the jobs of that."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from spark_common.bus.port import Serving
from spark_common.clock import Clock
from spark_common.contracts.jobs import CancelJob, GetJob, JobLog
from spark_common.contracts.speech_models import (
    CANCEL_SPEECH_JOB,
    GET_SPEECH_JOB,
    GET_SPEECH_MODELS,
    READ_SPEECH_LOG,
    REAPPLY_SPEECH,
    RESTART_SPEECH,
    UNDO_SPEECH,
    ChangeSpeechModels,
    GetSpeechModels,
    SpeechAction,
    SpeechJobView,
    SpeechModels,
)
from spark_common.errors import (
    ConflictError,
    JobInProgressError,
    RemoteCommandError,
    SparkError,
    UnavailableError,
)
from spark_common.ids import new_id
from spark_common.jobs import JobRunner
from spark_health.overlay.record import EXCLUSIVE, OverlayRecord
from spark_health.overlay.server import Said
from spark_health.overlay.sight import Sight
from spark_health.overlay.source import NoSourceError, Shipped
from spark_health.overlay.spark import SpeechSpark
from spark_health.overlay.target import Target
from spark_health.overlay.view import models_view, why_no_undo
from spark_health.remedies.gate import Obstacles

_NOBODY = -1
"""No lease has this number: whoever holds it is in the way of whoever asks."""
_FIRST = {
    "reapply": "Our files are put into {container} on {label}.",
    "undo": "What was in {container} on {label} before is brought back.",
    "restart": "{container} on {label} is restarted.",
}


@dataclass(frozen=True)
class Beside:
    """Where it is, what is shipped, and what says how it is."""

    target: Callable[[], Target]
    shipped: Callable[[], Shipped]
    spark: SpeechSpark
    ask: Callable[[str], Awaitable[Said]]


class SpeechVerbs:
    """Answers questions about the speech container."""

    def __init__(
        self, runner: JobRunner[OverlayRecord], beside: Beside, obstacles: Obstacles, clock: Clock
    ) -> None:
        self._runner = runner
        self._beside = beside
        self._obstacles = obstacles
        self._clock = clock

    def verbs(self) -> Sequence[Serving]:
        """Return every verb with its function."""
        return (
            Serving(GET_SPEECH_MODELS, self.get, limit=4),
            Serving(REAPPLY_SPEECH, self.reapply, limit=2),
            Serving(UNDO_SPEECH, self.undo, limit=2),
            Serving(RESTART_SPEECH, self.restart, limit=2),
            Serving(GET_SPEECH_JOB, self.get_job),
            Serving(CANCEL_SPEECH_JOB, self.cancel),
            Serving(READ_SPEECH_LOG, self.read_log),
        )

    async def get(self, request: GetSpeechModels) -> SpeechModels:
        """Return how it is now."""
        target = self._beside.target()
        said, job, sight = await asyncio.gather(
            self._beside.ask(target.url), self._latest(), self._sight(target)
        )
        blockers = []
        try:
            shipped = await asyncio.to_thread(self._beside.shipped)
        except NoSourceError as error:
            shipped = None
            blockers.append(str(error))
        if isinstance(sight, str):
            blockers.append(sight)
        elif sight.status is None:
            blockers.append(_no_container(target))
        here = target.host.name if target.host is not None else ""
        if (reason := await self._obstacles.now(here, _NOBODY)) is not None:
            blockers.append(f"{reason[0].upper()}{reason[1:]}.")
        seen = sight if isinstance(sight, Sight) else None
        return models_view(target, shipped, seen, said, blockers, job)

    async def reapply(self, request: ChangeSpeechModels) -> SpeechJobView:
        """Put our files in place; raises as the others do, ConflictError without the files."""
        return await self._begin("reapply", request)

    async def undo(self, request: ChangeSpeechModels) -> SpeechJobView:
        """Bring back what the latest reapply replaced; ConflictError when that is nothing."""
        return await self._begin("undo", request)

    async def restart(self, request: ChangeSpeechModels) -> SpeechJobView:
        """Restart the container.

        Raises ConflictError, JobInProgressError, SwapInProgressError, LeaseHeldError,
        HostUnreachableError, UnavailableError.
        """
        return await self._begin("restart", request)

    async def get_job(self, request: GetJob) -> SpeechJobView:
        """Return one job; raises NotFoundError."""
        return (await self._runner.get(request.id)).view()

    async def cancel(self, request: CancelJob) -> SpeechJobView:
        """Ask one to stop; one that is over stays as it is."""
        return (await self._runner.cancel(request.id, request.requested_by)).view()

    async def read_log(self, request: GetJob) -> JobLog:
        """Return what its steps wrote."""
        return JobLog(lines=list((await self._runner.get(request.id)).lines))

    async def _begin(self, action: SpeechAction, request: ChangeSpeechModels) -> SpeechJobView:
        digest = hashlib.sha256(f"speech {action}".encode()).hexdigest()
        known = await self._runner.repeated(request.id, digest)
        if known is not None:
            return known.view()
        target = self._beside.target()
        if target.host is None:
            raise ConflictError(_no_spark(target))
        epoch = await self._obstacles.admit(target.host.name, request.lock_token)
        sight = await self._beside.spark.look(target)
        if sight.status is None:
            raise ConflictError(_no_container(target))
        hashes = self._wanted(action, sight)
        message = _FIRST[action].format(label=target.host.label, container=target.container)
        record = OverlayRecord(
            id=request.id or new_id(),
            requested_by=request.requested_by,
            body_sha256=digest,
            exclusive=EXCLUSIVE,
            created_at=self._clock.now(),
            action=action,
            step="accepted",
            message=message,
            host=target.host.name,
            label=target.host.label,
            address=target.address,
            port=target.port,
            container=target.container,
            user=target.user,
            hashes=hashes,
            hashes_differ=not sight.has(hashes) if action == "reapply" else True,
            epoch=epoch,
        )
        try:
            return (await self._runner.request(record)).view()
        except JobInProgressError as busy:
            raise JobInProgressError(
                "the speech container is being changed already; wait for that or cancel it",
                **busy.details,
            ) from busy

    def _wanted(self, action: SpeechAction, sight: Sight) -> Mapping[str, str]:
        if action == "reapply":
            try:
                return self._beside.shipped().hashes
            except NoSourceError as error:
                raise ConflictError(str(error)) from error
        if action == "undo":
            if (why := why_no_undo(sight)) is not None:
                raise ConflictError(why)
            return sight.kept.hashes if sight.kept is not None else {}
        return {}

    async def _sight(self, target: Target) -> Sight | str:
        """Return what is seen on the Spark, or why nothing is."""
        if target.host is None:
            return _no_spark(target)
        try:
            return await self._beside.spark.look(target)
        except (UnavailableError, RemoteCommandError) as error:
            return f"{error.message}."

    async def _latest(self) -> SpeechJobView | None:
        try:
            found = await self._runner.live() or await self._runner.recent(1)
        except SparkError:
            return None
        return found[0].view() if found else None


def _no_spark(target: Target) -> str:
    return f"{target.address} is none of the Sparks; care for the container there by hand."


def _no_container(target: Target) -> str:
    label = target.host.label if target.host is not None else target.address
    return (
        f"There is no container {target.container} on {label}. Start it there, or say its name in "
        "the settings (PARAKEET_CONTAINER)."
    )
