"""The verbs of the NIM installer: the catalogue, installing, removing, and the job."""

import re
from collections.abc import Callable, Sequence
from typing import Final

from pydantic import SecretStr

from spark_common.bus.port import Bus, Serving
from spark_common.clock import Clock
from spark_common.contracts.jobs import CancelJob, GetJob, JobLog
from spark_common.contracts.nim import (
    CANCEL_NIM_JOB,
    GET_NIM_CATALOG,
    GET_NIM_JOB,
    INSTALL_NIM,
    READ_NIM_LOG,
    REMOVE_NIM,
    GetNimCatalog,
    InstallNim,
    NimCatalog,
    NimChoice,
    NimInstallView,
    NimRemoved,
    NimService,
    RemoveNim,
)
from spark_common.errors import (
    ConflictError,
    IdempotencyConflictError,
    InvalidRequestError,
    JobInProgressError,
    NotFoundError,
    UnavailableError,
)
from spark_common.ids import new_id
from spark_common.jobs import JobRunner
from spark_common.jobs.kind import OUTCOME_STREAM
from spark_common.logs.redact import mask_secrets
from spark_common.remote import RemoteShell
from spark_common.remote.detached import LOG_BYTES, DetachedSteps
from spark_common.remote.output_lines import OutputLines
from spark_common.settings import HostsSettings
from spark_common.subjects import job_complete, job_failed
from spark_health.nim import removing
from spark_health.nim.admission import NimAdmission, needed_gb
from spark_health.nim.catalogue import Catalogue
from spark_health.nim.choosing import choose, digest_of, host_of, require_free, volume_of
from spark_health.nim.probing import address_of, url_of
from spark_health.nim.record import NIM_INSTALLS, NimRecord
from spark_health.nim.services_port import InstalledNims
from spark_health.nim.waiting_keys import WaitingKeys
from spark_health.nim.work import STEP

_KEY: Final = re.compile(r"[\x21-\x7e]{1,500}\Z")
_MARK: Final = "spark-control: "


class NimVerbs:
    """Answers questions about NIM services."""

    def __init__(
        self,
        *,
        runner: JobRunner[NimRecord],
        installed: InstalledNims,
        catalogue: Callable[[], Catalogue],
        keys: WaitingKeys,
        hosts: HostsSettings,
        used: Callable[[], Sequence[tuple[str, str, int]]],
        watched: Callable[[], frozenset[str]],
        shell: RemoteShell,
        admission: NimAdmission,
        bus: Bus,
        clock: Clock,
    ) -> None:
        """``used``: label, address and port of what the settings name; ``watched``: its names."""
        self._runner = runner
        self._installed = installed
        self._catalogue = catalogue
        self._keys = keys
        self._hosts = hosts
        self._used = used
        self._watched = watched
        self._shell = shell
        self._admission = admission
        self._steps = DetachedSteps(shell)
        self._bus = bus
        self._clock = clock

    def verbs(self) -> Sequence[Serving]:
        """Return every verb with its function."""
        return (
            Serving(GET_NIM_CATALOG, self.catalog, limit=4),
            Serving(INSTALL_NIM, self.install, limit=2),
            Serving(REMOVE_NIM, self.remove, limit=2),
            Serving(GET_NIM_JOB, self.get_job),
            Serving(CANCEL_NIM_JOB, self.cancel),
            Serving(READ_NIM_LOG, self.read_log, limit=2),
        )

    async def catalog(self, request: GetNimCatalog) -> NimCatalog:
        """Return what can be installed and what is."""
        known = self._catalogue()
        problems = list(known.problems)
        try:
            services = await self._installed.all()
        except UnavailableError as error:
            services, problems = [], [*problems, error.message]
        entries = [
            NimChoice(
                **entry.model_dump(),
                own=name in known.own,
                installed_on=[one.host for one in services if one.name == name],
            )
            for name, entry in known.entries.items()
        ]
        return NimCatalog(
            entries=entries,
            services=[self._shown(one) for one in services],
            key_set=self._keys.in_settings,
            problems=problems,
            job=await self._latest(),
        )

    async def install(self, request: InstallNim) -> NimInstallView:
        """Begin.

        Raises what ``choose``, ``require_free`` and ``NimAdmission`` do, JobInProgressError.
        """
        digest = digest_of(request)
        known = await self._runner.repeated(request.id, digest)
        if known is not None:
            return known.view()
        await self._require_own(request.id)
        entry = choose(request, self._catalogue())
        host = host_of(request.host, self._hosts)
        key = self._key(request.ngc_api_key)
        installed = await self._installed.all()
        require_free(entry, host, installed, self._used(), self._watched())
        epoch = await self._admission.require(
            entry,
            host,
            request.lock_token,
            force=request.force,
            runs=any((one.name, one.host) == (entry.name, host.name) for one in installed),
        )
        record = NimRecord(
            id=request.id or new_id(),
            requested_by=request.requested_by,
            body_sha256=digest,
            exclusive=f"a NIM on {host.label}",
            created_at=self._clock.now(),
            step="checking",
            message=f"Looking at {host.label} and asking NVIDIA's registry for the image.",
            entry=entry,
            host=host.name,
            label=host.label,
            volume=volume_of(entry),
            address=host.address,
            needs_gb=0 if request.force else needed_gb(entry),
            forced=request.force,
            epoch=epoch,
        )
        self._keys.keep(record.id, key)
        try:
            return (await self._runner.request(record)).view()
        except Exception:
            self._keys.forget(record.id)
            raise

    async def remove(self, request: RemoveNim) -> NimRemoved:
        """Remove one; raises NotFoundError, ConflictError, JobInProgressError."""
        service = next(
            (one for one in await self._installed.all() if one.name == request.name), None
        )
        if service is None:
            raise NotFoundError(f"no NIM named {request.name!r} is installed", name=request.name)
        for job in await self._runner.live():
            if job.entry.name == request.name:
                raise JobInProgressError(
                    f"{request.name} is being installed; cancel that first", job_id=job.id
                )
        label = next((host.label for host in self._hosts.hosts if host.name == service.host), None)
        if label is None:
            # Nobody can reach it there any more.
            await self._installed.drop(service.name)
            raise ConflictError(
                f"{service.host} is no Spark of ours any more: {service.label} was taken from the "
                "list, and its container was left alone",
                host=service.host,
            )
        removed = await removing.remove(self._shell, service, label, request.volume)
        await self._installed.drop(service.name)
        return removed

    async def get_job(self, request: GetJob) -> NimInstallView:
        """Return one installation; raises NotFoundError."""
        return (await self._runner.get(request.id)).view()

    async def cancel(self, request: CancelJob) -> NimInstallView:
        """Ask one to stop; one that is over stays as it is."""
        return (await self._runner.cancel(request.id, request.requested_by)).view()

    async def read_log(self, request: GetJob) -> JobLog:
        """Return the end of what its programs wrote on the Spark."""
        record = await self._runner.get(request.id)
        start = max(0, record.told - LOG_BYTES // 2)
        look = await self._steps.poll(record.host, record.id, STEP, start)
        lines = list(OutputLines().feed(look.log, last=True))[1 if start else 0 :]
        shown = [mask_secrets(line) for line in lines if not line.startswith(_MARK)]
        return JobLog(lines=shown, complete=start == 0)

    def _key(self, given: SecretStr | None) -> SecretStr | None:
        """Return the given key, None where that of the settings is used; refuses to have none."""
        if given is None:
            if not self._keys.in_settings:
                raise InvalidRequestError(
                    "a key of NVIDIA NGC is needed: give ngc_api_key, or put NGC_API_KEY into the "
                    "settings"
                )
            return None
        key = given.get_secret_value().strip()
        if not _KEY.match(key):
            # Never say what it is.
            raise InvalidRequestError("ngc_api_key: a key has no blanks and no special characters")
        return SecretStr(key)

    async def _require_own(self, id: str | None) -> None:
        """Raise IdempotencyConflictError for the id of an installation that is no NIM's.

        They are told on the same subjects, where one id has one outcome.
        """
        if id is None:
            return
        for subject in (job_complete, job_failed):
            standing = await self._bus.last_message(OUTCOME_STREAM, subject(NIM_INSTALLS.name, id))
            if standing is not None:
                raise IdempotencyConflictError(f"the key {id!r} belongs to another install", id=id)

    async def _latest(self) -> NimInstallView | None:
        try:
            found = await self._runner.live() or await self._runner.recent(1)
        except UnavailableError:
            return None
        return found[0].view() if found else None

    def _shown(self, service: NimService) -> NimService:
        address = address_of(service, self._hosts)
        url = url_of(address, service.port) if address is not None else ""
        return service.model_copy(update={"url": url})
