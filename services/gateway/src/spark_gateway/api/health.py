"""``/api/endpoints``, ``connectivity``, ``health-event``, ``maintenance``: how everything is."""

from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Request, Response

from spark_common.contracts.health import (
    BEGIN_MAINTENANCE,
    END_MAINTENANCE,
    GET_CONNECTIVITY,
    GET_ENDPOINTS,
    LIST_MAINTENANCE,
    REPORT_HEALTH,
    BeginMaintenance,
    Connectivity,
    EndMaintenance,
    Endpoints,
    GetConnectivity,
    GetEndpoints,
    ListMaintenance,
    Maintenance,
    MaintenanceWindows,
    ReportHealth,
    ReportTaken,
    TargetName,
)
from spark_gateway.api.asking import WhoAsked, ask, locate
from spark_gateway.api.errors_doc import CHANGE, READ, REMOVE, problems
from spark_gateway.control_route import ControlRoute

router = APIRouter(prefix="/api", tags=["health"], route_class=ControlRoute)


@router.get("/endpoints", responses=problems(*READ))
async def get_endpoints(request: Request) -> Endpoints:
    """The direct address of every service; `disabled` are those that the owner hid."""
    return await ask(request, GET_ENDPOINTS, GetEndpoints())


@router.get("/connectivity", responses=problems(*READ))
async def get_connectivity(
    request: Request,
    target: Annotated[
        TargetName | None, Query(description="Only this host or service, by its name.")
    ] = None,
    hours: Annotated[float, Query(gt=0, le=2160, description="The last hours.")] = 24.0,
    limit: Annotated[int, Query(ge=1, le=1000, description="At most so many transitions.")] = 200,
) -> Connectivity:
    """Every transition with how long it lasted, uptime, and apart from it what apps told."""
    return await ask(
        request, GET_CONNECTIVITY, GetConnectivity(target=target, hours=hours, limit=limit)
    )


@router.post("/health-event", status_code=202, responses=problems(*CHANGE))
async def report_health(request: Request, report: Annotated[ReportHealth, Body()]) -> ReportTaken:
    """Tell how a service served you; it is shown and counted, and changes no state."""
    return await ask(request, REPORT_HEALTH, report, 8.0)


@router.get("/maintenance", responses=problems(*READ))
async def list_maintenance(request: Request) -> MaintenanceWindows:
    """The windows that run or come."""
    return await ask(request, LIST_MAINTENANCE, ListMaintenance())


@router.post("/maintenance", status_code=201, responses=problems(404, *CHANGE))
async def begin_maintenance(
    request: Request, response: Response, order: Annotated[BeginMaintenance, Body()]
) -> Maintenance:
    """Announce maintenance of one target or of `all`: noted, told to nobody, not counted."""
    window = await ask(request, BEGIN_MAINTENANCE, order)
    locate(response, "api", "maintenance", window.id)
    return window


@router.delete("/maintenance/{id}", responses=problems(404, *REMOVE))
async def end_maintenance(
    request: Request,
    id: Annotated[TargetName, Path(description="Id of the window.")],
    requested_by: WhoAsked = "someone",
) -> MaintenanceWindows:
    """End a window now, or call it off; returns the others."""
    return await ask(request, END_MAINTENANCE, EndMaintenance(id=id, requested_by=requested_by))
