"""``/api/matrix-bridge``: a bot that is updated from its checkout; hidden without its user."""

from typing import Annotated

from fastapi import APIRouter, Body, Request, Response

from spark_common.contracts.services import (
    CANCEL_BRIDGE_JOB,
    GET_BRIDGE,
    GET_BRIDGE_JOB,
    READ_BRIDGE_LOG,
    UPDATE_BRIDGE,
    BridgeUpdateView,
    BridgeView,
    GetBridge,
    ServiceActed,
    ServiceLog,
    UpdateBridge,
)
from spark_gateway.api import container_logs
from spark_gateway.api.asking import IdempotencyKey, PartsOf, ask, begin, locate
from spark_gateway.api.errors_doc import CHANGE, READ, problems
from spark_gateway.api.job_routes import JobVerbs, add_job_routes
from spark_gateway.api.live import EVENT_STREAM
from spark_gateway.api.services import ActOrder, act
from spark_gateway.control_route import ControlRoute
from spark_gateway.idempotency import id_for

_NAME = "matrix-bridge"

router = APIRouter(prefix="/api/matrix-bridge", tags=["services"], route_class=ControlRoute)

Order = Annotated[ActOrder | None, Body()]


@router.get("", responses=problems(404, *READ))
async def get_bridge(request: Request) -> BridgeView:
    """How the bridge is, and its update that runs or ran last."""
    return await ask(request, GET_BRIDGE, GetBridge())


@router.post("/update", status_code=202, responses=problems(404, *CHANGE))
async def update_bridge(
    request: Request, response: Response, order: Order = None, key: IdempotencyKey = None
) -> BridgeUpdateView:
    """Fetch the newest commit of its checkout, build and start it; at most 25 minutes.

    What ran before stays until the new version was built; it fails loudly.
    """
    order = order or ActOrder()
    job_id = id_for(key, order.id)
    question = UpdateBridge(requested_by=order.requested_by, reason=order.reason, id=job_id)
    view = await begin(request, UPDATE_BRIDGE, question, "job", job_id)
    locate(response, "api", "matrix-bridge", "jobs", view.id)
    return view


@router.post("/start", responses=problems(404, 502, *CHANGE))
async def start_bridge(
    request: Request, order: Order = None, key: IdempotencyKey = None
) -> ServiceActed:
    """Start its container."""
    return await act(request, _NAME, "start", order, key)


@router.post("/stop", responses=problems(404, 502, *CHANGE))
async def stop_bridge(
    request: Request, order: Order = None, key: IdempotencyKey = None
) -> ServiceActed:
    """Stop its container."""
    return await act(request, _NAME, "stop", order, key)


@router.post("/restart", responses=problems(404, 502, *CHANGE))
async def restart_bridge(
    request: Request, order: Order = None, key: IdempotencyKey = None
) -> ServiceActed:
    """Restart its container."""
    return await act(request, _NAME, "restart", order, key)


@router.get("/logs", responses=problems(404, 409, *READ))
async def read_bridge_log(
    request: Request, tail: container_logs.Tail = 200, after: container_logs.After = None
) -> ServiceLog:
    """The end of its container's log, without what looks like a secret."""
    return await container_logs.read(request, _NAME, tail, after)


@router.get(
    "/logs/stream",
    response_class=Response,
    responses={**EVENT_STREAM, **problems(404, 409, 429, *READ)},
)
async def follow_bridge_log(
    request: Request,
    parts: PartsOf,
    tail: container_logs.Tail = 100,
    last_event_id: container_logs.LastMark = None,
) -> Response:
    """The log as it grows: events `lines`, then `end` or `error`."""
    return await container_logs.follow(request, parts, _NAME, tail, last_event_id)


add_job_routes(
    router,
    "/jobs/{id}",
    JobVerbs(
        kind="install",
        get=GET_BRIDGE_JOB,
        cancel=CANCEL_BRIDGE_JOB,
        cancelled="What ran before stays, unless the new version was being started already.",
        log=READ_BRIDGE_LOG,
    ),
)
