"""The verbs of the embedding server: how it is, installing it, and the job of that."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from spark_common.bus.port import Serving
from spark_common.clock import Clock
from spark_common.contracts.embedding import (
    CANCEL_INSTALL,
    GET_EMBEDDING,
    GET_INSTALL,
    INSTALL_EMBEDDING,
    READ_INSTALL_LOG,
    EmbeddingView,
    GetEmbedding,
    InstallEmbedding,
    InstallView,
)
from spark_common.contracts.jobs import CancelJob, GetJob, JobLog
from spark_common.errors import ConflictError, UnavailableError
from spark_common.ids import new_id
from spark_common.jobs import JobRunner
from spark_common.remote.detached import LOG_BYTES, DetachedSteps
from spark_common.remote.output_lines import OutputLines
from spark_common.settings import HostSettings, HostsSettings
from spark_common.settings.support import EmbedSettings
from spark_swapper.installing.health import Health
from spark_swapper.installing.record import InstallRecord
from spark_swapper.installing.source import NoSourceError, Packed
from spark_swapper.installing.work import STEP

IMAGE = "spark-embed"
_EXCLUSIVE = "the embedding server"


@dataclass(frozen=True)
class Target:
    """Where the embedding server is, by the settings."""

    address: str
    port: int
    container: str
    host: HostSettings | None


def target_of(settings: EmbedSettings, hosts: HostsSettings) -> Target:
    """Return where it is: the machine that is named, or the Spark beside the model."""
    address = settings.embed_host or hosts.beside.address
    spark = hosts.beside if settings.embed_host is None else None
    for host in hosts.hosts:
        if spark is None and host.address == address:
            spark = host
    return Target(address, settings.embed_port, settings.embed_container, spark)


class EmbeddingVerbs:
    """Answers questions about the embedding server."""

    def __init__(
        self,
        runner: JobRunner[InstallRecord],
        target: Callable[[], Target],
        packed: Callable[[], Packed],
        healthy: Callable[[str, int], Awaitable[Health]],
        steps: DetachedSteps,
        clock: Clock,
    ) -> None:
        """``packed`` raises NoSourceError where the files are not on this machine."""
        self._runner = runner
        self._target = target
        self._packed = packed
        self._healthy = healthy
        self._steps = steps
        self._clock = clock

    def verbs(self) -> Sequence[Serving]:
        """Return every verb with its function."""
        return (
            Serving(GET_EMBEDDING, self.get, limit=4),
            Serving(INSTALL_EMBEDDING, self.install, limit=2),
            Serving(GET_INSTALL, self.get_job),
            Serving(CANCEL_INSTALL, self.cancel),
            Serving(READ_INSTALL_LOG, self.read_log, limit=2),
        )

    async def get(self, request: GetEmbedding) -> EmbeddingView:
        """Return how it is now, as it says itself."""
        target = self._target()
        health, job = await asyncio.gather(
            self._healthy(target.address, target.port), self._latest()
        )
        blockers, _ = await self._blockers(target)
        return EmbeddingView(
            address=target.address,
            port=target.port,
            container=target.container,
            host=target.host.name if target.host is not None else None,
            state=health.state,
            problem=health.problem,
            models=list(health.models),
            blockers=blockers,
            job=job,
        )

    async def install(self, request: InstallEmbedding) -> InstallView:
        """Begin; raises ConflictError with what is in the way, JobInProgressError."""
        digest = hashlib.sha256(b"install embeddings").hexdigest()
        known = await self._runner.repeated(request.id, digest)
        if known is not None:
            return known.view()
        target = self._target()
        blockers, packed = await self._blockers(target)
        if target.host is None or packed is None:
            raise ConflictError(" ".join(blockers), blockers=[*blockers])
        record = InstallRecord(
            id=request.id or new_id(),
            requested_by=request.requested_by,
            body_sha256=digest,
            exclusive=_EXCLUSIVE,
            created_at=self._clock.now(),
            step="copying",
            message=f"Copying the files to {target.host.label}.",
            host=target.host.name,
            label=target.host.label,
            address=target.address,
            port=target.port,
            container=target.container,
            image=f"{IMAGE}:{packed.version}",
        )
        return (await self._runner.request(record)).view()

    async def get_job(self, request: GetJob) -> InstallView:
        """Return one installation; raises NotFoundError."""
        return (await self._runner.get(request.id)).view()

    async def cancel(self, request: CancelJob) -> InstallView:
        """Ask one to stop; one that is over stays as it is."""
        return (await self._runner.cancel(request.id, request.requested_by)).view()

    async def read_log(self, request: GetJob) -> JobLog:
        """Return the end of what its programs wrote on the Spark."""
        record = await self._runner.get(request.id)
        start = max(0, record.told - LOG_BYTES // 2)
        look = await self._steps.poll(record.host, record.id, STEP, start)
        lines = list(OutputLines().feed(look.log, last=True))
        return JobLog(lines=lines[1:] if start else lines, complete=start == 0)

    async def _blockers(self, target: Target) -> tuple[list[str], Packed | None]:
        try:
            packed = await asyncio.to_thread(self._packed)
        except NoSourceError as error:
            return [str(error)], None
        if target.host is None:
            away = f"{target.address} is none of the Sparks; install it there by hand."
            return [away], packed
        return [], packed

    async def _latest(self) -> InstallView | None:
        try:
            found = await self._runner.live() or await self._runner.recent(1)
        except UnavailableError:
            return None
        return found[0].view() if found else None
