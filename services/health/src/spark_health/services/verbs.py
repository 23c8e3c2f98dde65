"""The verbs of services: the list, one's own services on it, acting, logs."""

from collections.abc import Callable, Sequence

import structlog

from spark_common.bus.port import Serving
from spark_common.clock import Clock
from spark_common.contracts.services import (
    ACT_ON_SERVICE,
    LIST_SERVICES,
    READ_OWN_SERVICES,
    READ_SERVICE_LOG,
    REMOVE_SERVICE,
    SAVE_SERVICE,
    ActOnService,
    CustomService,
    ListServices,
    OwnServices,
    ReadOwnServices,
    ReadServiceLog,
    RemoveService,
    SaveService,
    ServiceActed,
    ServiceLog,
    ServiceRemoved,
    Services,
    ServiceView,
)
from spark_common.errors import ConflictError, InvalidRequestError, NotFoundError, UnavailableError
from spark_common.events import ServiceAction
from spark_common.ids import new_id
from spark_common.logs.redact import mask_secrets
from spark_health.services.acting import Acting
from spark_health.services.acts import Acts
from spark_health.services.book import FILE, YamlServices, checked
from spark_health.services.logs import ServiceLogs
from spark_health.services.registry import Registry
from spark_health.services.service import Service
from spark_health.services.showing import ServiceShow

_log = structlog.get_logger()


class ServiceVerbs:
    """Answers questions about services."""

    def __init__(
        self,
        *,
        registry: Registry,
        book: YamlServices,
        show: ServiceShow,
        acting: Acting,
        acts: Acts,
        logs: ServiceLogs,
        clock: Clock,
        models: Callable[[], str],
    ) -> None:
        """``models``: the container of the model, which is nobody's to touch here."""
        self._registry = registry
        self._book = book
        self._show = show
        self._acting = acting
        self._acts = acts
        self._logs = logs
        self._clock = clock
        self._models = models

    def verbs(self) -> Sequence[Serving]:
        """Return every verb with its function."""
        return (
            Serving(LIST_SERVICES, self.list),
            Serving(READ_OWN_SERVICES, self.own),
            Serving(SAVE_SERVICE, self.save, limit=2),
            Serving(REMOVE_SERVICE, self.remove, limit=2),
            Serving(ACT_ON_SERVICE, self.act, limit=8),
            Serving(READ_SERVICE_LOG, self.read_log, limit=8),
        )

    async def list(self, request: ListServices) -> Services:
        """Return every service, or the one that is named. Raises NotFoundError."""
        services = self._registry.services()
        problems = self._registry.problems()
        if request.name is not None:
            services = {request.name: self.need(request.name)}
        try:
            acting = {one.service: one for one in await self._acts.acting()}
            last = await self._acts.last()
        except UnavailableError as error:
            acting, last, problems = {}, {}, [*problems, f"{error.message}."]
        return Services(
            services=[self._show.view(one, acting, last) for one in services.values()],
            hidden=sorted(self._registry.hidden()),
            problems=problems,
            as_of=self._clock.now(),
        )

    async def own(self, _: ReadOwnServices) -> OwnServices:
        """Return what stands in ``services.yaml`` and can be used."""
        entries = [
            one.model_dump(mode="json", exclude_none=True) for one in self._book.read().services
        ]
        return OwnServices(entries=entries)

    async def save(self, request: SaveService) -> ServiceView:
        """Put one on the list. Raises InvalidRequestError, ConflictError, UnavailableError."""
        fields = request.model_dump(exclude={"replace", "requested_by"})
        try:
            entry = checked(CustomService.model_validate(fields))
        except ValueError as error:
            raise InvalidRequestError(str(error), name=request.name) from None
        if (why := self._registry.refusal(entry)) is not None:
            raise ConflictError(f"{entry.name}: {why}", name=entry.name)
        if entry.name in self._registry.hidden():
            raise ConflictError(
                f"{entry.name} is hidden by DISABLED_SERVICES; take it from there first",
                name=entry.name,
            )
        if entry.container == self._models() and entry.kind != "vllm":
            raise ConflictError(
                f"{entry.container} is the container of the model, which only swaps touch",
                name=entry.name,
            )
        await self._book.put(entry, replace=request.replace)
        return self._show.view(self.need(entry.name), {}, {})

    async def remove(self, request: RemoveService) -> ServiceRemoved:
        """Take a custom one from the list. Raises NotFoundError, ConflictError."""
        service = self._registry.services().get(request.name)
        if service is not None and service.origin != "custom":
            raise ConflictError(_not_removable(service), name=service.name)
        await self._book.drop(request.name)
        label = service.label if service is not None else request.name
        message = f"{label} was taken from the list; its container was left alone."
        event = ServiceAction(
            service=request.name,
            host=service.spark if service is not None else None,
            action="remove",
            requested_by=request.requested_by,
            reason=mask_secrets(request.reason),
            ok=True,
            message=message,
            at=self._clock.now(),
            container=service.container if service is not None else None,
        )
        try:
            await self._acts.tell(f"service:{new_id()}", event)
            await self._acts.forget(request.name)
        except UnavailableError as error:
            _log.warning("services.not_told", service=request.name, reason=error.message)
        return ServiceRemoved(name=request.name, message=message)

    async def act(self, request: ActOnService) -> ServiceActed:
        """Start, stop or restart one; raises what ``Acting.act`` does, NotFoundError."""
        return await self._acting.act(self.need(request.name), request)

    async def read_log(self, request: ReadServiceLog) -> ServiceLog:
        """Return a piece of a log; raises what ``ServiceLogs.read`` does, NotFoundError."""
        return await self._logs.read(self.need(request.name), request)

    def need(self, name: str) -> Service:
        """Return a service by its name. Raises NotFoundError."""
        services = self._registry.services()
        if name in services:
            return services[name]
        if name in self._registry.hidden():
            raise NotFoundError(f"{name} is hidden by DISABLED_SERVICES", name=name)
        if name == "matrix-bridge":
            raise NotFoundError(
                "there is no Matrix bridge: it is shown once MATRIX_BRIDGE_USER is set", name=name
            )
        known = ", ".join(services) or "none"
        raise NotFoundError(f"there is no service {name!r}; there are {known}", name=name)


def _not_removable(service: Service) -> str:
    if service.origin == "nim":
        return f"{service.label} was installed: DELETE /api/nim/{service.name} removes it"
    return f"{service.label} is not of {FILE}; put {service.name} into DISABLED_SERVICES to hide it"
