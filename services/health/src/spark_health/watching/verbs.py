"""The questions about health, answered from memory."""

from collections.abc import Callable, Sequence

from spark_common.bus.port import Serving
from spark_common.clock import Clock
from spark_common.contracts.health import (
    BEGIN_MAINTENANCE,
    END_MAINTENANCE,
    GET_CONNECTIVITY,
    GET_ENDPOINTS,
    GET_HEALTH,
    LIST_MAINTENANCE,
    REPORT_HEALTH,
    BeginMaintenance,
    Connectivity,
    EndMaintenance,
    Endpoint,
    Endpoints,
    GetConnectivity,
    GetEndpoints,
    GetHealth,
    HealthView,
    ListMaintenance,
    Maintenance,
    MaintenanceWindows,
    TargetUptime,
)
from spark_common.errors import NotFoundError
from spark_health.watching.connectivity import Log
from spark_health.watching.maintaining import MaintenanceBook
from spark_health.watching.reports import Reports
from spark_health.watching.uptime import hours_ago
from spark_health.watching.watch import Watch

_UNREAD = "What was known before is not read yet: Redis does not answer."


class WatchVerbs:
    """One method per verb."""

    def __init__(
        self,
        watch: Watch,
        log: Log,
        reports: Reports,
        maintenance: MaintenanceBook,
        endpoints: Callable[[], Sequence[Endpoint]],
        disabled: Callable[[], Sequence[str]],
        clock: Clock,
    ) -> None:
        self._watch = watch
        self._log = log
        self._reports = reports
        self._maintenance = maintenance
        self._endpoints = endpoints
        self._disabled = disabled
        self._clock = clock

    def verbs(self) -> Sequence[Serving]:
        """Return every verb with its function."""
        return (
            Serving(GET_HEALTH, self.health),
            Serving(GET_ENDPOINTS, self.endpoints),
            Serving(GET_CONNECTIVITY, self.connectivity),
            Serving(REPORT_HEALTH, self._reports.put),
            Serving(BEGIN_MAINTENANCE, self.begin),
            Serving(END_MAINTENANCE, self.end),
            Serving(LIST_MAINTENANCE, self.windows),
        )

    async def health(self, request: GetHealth) -> HealthView:
        """Return every target, or those named; raises NotFoundError for one nobody watches."""
        views = self._watch.views()
        if request.targets:
            known = {view.name for view in views}
            for name in request.targets:
                if name not in known:
                    raise NotFoundError(f"nothing named {name!r} is watched")
            views = [view for view in views if view.name in request.targets]
        return HealthView(
            targets=views,
            disabled=sorted(self._disabled()),
            maintenance=self._maintenance.windows,
            problems=[] if self._watch.ready else [_UNREAD],
            as_of=self._clock.now(),
        )

    async def endpoints(self, _request: GetEndpoints) -> Endpoints:
        """Return where everything is, what is hidden included."""
        found = []
        for one in self._endpoints():
            view = self._watch.view(one.name)
            state = view.state if view is not None and not one.disabled else None
            found.append(one.model_copy(update={"state": state}))
        return Endpoints(endpoints=found)

    async def connectivity(self, request: GetConnectivity) -> Connectivity:
        """Return the log, and apart from it what apps told."""
        now = self._clock.now()
        since = hours_ago(now, request.hours)
        rows, more = self._log.transitions(now, since, request.target, request.limit)
        views = [
            view
            for view in self._watch.views()
            if request.target is None or view.name == request.target
        ]
        return Connectivity(
            transitions=rows,
            more=more,
            uptime=[
                TargetUptime(
                    target=view.name,
                    label=view.label,
                    kind=view.kind,
                    state=view.state,
                    uptime=view.uptime,
                )
                for view in views
            ],
            failures=self._log.failures(since, request.target),
            reports=self._reports.newest(since, request.target),
            reported=self._reports.counted(since, request.target),
            maintenance=self._maintenance.windows,
            complete=self._log.complete,
            as_of=now,
        )

    async def begin(self, request: BeginMaintenance) -> Maintenance:
        """Announce maintenance; raises NotFoundError, InvalidRequestError, ConflictError."""
        return await self._maintenance.begin(request, list(self._watch.targets))

    async def end(self, request: EndMaintenance) -> MaintenanceWindows:
        """End a window or call it off; raises NotFoundError."""
        return MaintenanceWindows(windows=await self._maintenance.end(request.id))

    async def windows(self, _request: ListMaintenance) -> MaintenanceWindows:
        """Return those that run or come."""
        await self._maintenance.refresh()
        return MaintenanceWindows(windows=self._maintenance.windows)
