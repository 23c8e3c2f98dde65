"""``/api/services``: what is always on beside the model; starting, stopping, logs."""

from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from spark_common.contracts.health import TargetName
from spark_common.contracts.jobs import JobId
from spark_common.contracts.services import (
    ACT_ON_SERVICE,
    LIST_SERVICES,
    REMOVE_SERVICE,
    SAVE_SERVICE,
    ActOnService,
    ListServices,
    Reason,
    RemoveService,
    SaveService,
    ServiceAct,
    ServiceActed,
    ServiceLog,
    ServiceRemoved,
    Services,
    ServiceView,
)
from spark_common.contracts.swaps import Text
from spark_common.errors import NotFoundError
from spark_gateway.api import container_logs
from spark_gateway.api.asking import (
    IdempotencyKey,
    LockToken,
    PartsOf,
    WhoAsked,
    ask,
    begin,
    change,
    locate,
)
from spark_gateway.api.errors_doc import CHANGE, READ, REMOVE, problems
from spark_gateway.api.live import EVENT_STREAM
from spark_gateway.control_route import ControlRoute
from spark_gateway.idempotency import id_for

ACT_SECONDS = 115.0
"""docker gives a container ten seconds to end, or what that asked for; a Spark may be slow."""

router = APIRouter(prefix="/api/services", tags=["services"], route_class=ControlRoute)

NameInPath = Annotated[TargetName, Path(description="Name of the service.")]


class ActOrder(BaseModel):
    """The body of a press; it may be empty."""

    model_config = ConfigDict(extra="forbid")

    requested_by: Text = "someone"
    reason: Reason = ""
    id: JobId | None = Field(default=None, description="Idempotency key, as the header.")
    force: bool = Field(
        default=False,
        description="Act on what is on the GPU although somebody else holds the cluster.",
    )


Order = Annotated[ActOrder | None, Body()]


@router.get("", responses=problems(*READ))
async def get_services(request: Request) -> Services:
    """Every service that is not hidden: its state, its container, what may be pressed."""
    return await ask(request, LIST_SERVICES, ListServices())


@router.post("", status_code=201, responses=problems(*CHANGE))
async def save_service(request: Request, response: Response, order: SaveService) -> ServiceView:
    """Put a service of your own on the list; it is watched from now on.

    `http` answers on a port, `vllm` too and is watched only, a `bot` has a container and no port.
    """
    view = await change(request, SAVE_SERVICE, order)
    locate(response, "api", "services", view.name)
    return view


@router.get("/{name}", responses=problems(404, *READ))
async def get_service(request: Request, name: NameInPath) -> ServiceView:
    """One service."""
    found = await ask(request, LIST_SERVICES, ListServices(name=name))
    if not found.services:
        raise NotFoundError(f"there is no service {name!r}", name=name)
    return found.services[0]


@router.delete("/{name}", responses=problems(404, *REMOVE))
async def remove_service(
    request: Request,
    name: NameInPath,
    requested_by: WhoAsked = "someone",
    reason: Annotated[Reason, Query(description="Why.")] = "",
) -> ServiceRemoved:
    """Take a service of your own from the list; its container is left alone."""
    question = RemoveService(name=name, requested_by=requested_by, reason=reason)
    return await change(request, REMOVE_SERVICE, question)


@router.post("/{name}/start", responses=problems(404, 502, *CHANGE))
async def start_service(
    request: Request,
    name: NameInPath,
    order: Order = None,
    key: IdempotencyKey = None,
    lock_token: LockToken = None,
) -> ServiceActed:
    """Start its container. Refused while a swap runs on that Spark.

    What is on the GPU is also refused while somebody else holds the cluster, unless forced.
    """
    return await act(request, name, "start", order, key, lock_token)


@router.post("/{name}/stop", responses=problems(404, 502, *CHANGE))
async def stop_service(
    request: Request,
    name: NameInPath,
    order: Order = None,
    key: IdempotencyKey = None,
    lock_token: LockToken = None,
) -> ServiceActed:
    """Stop its container; it stays stopped until somebody starts it."""
    return await act(request, name, "stop", order, key, lock_token)


@router.post("/{name}/restart", responses=problems(404, 502, *CHANGE))
async def restart_service(
    request: Request,
    name: NameInPath,
    order: Order = None,
    key: IdempotencyKey = None,
    lock_token: LockToken = None,
) -> ServiceActed:
    """Restart its container."""
    return await act(request, name, "restart", order, key, lock_token)


@router.get("/{name}/logs", responses=problems(404, 409, *READ))
async def read_service_log(
    request: Request,
    name: NameInPath,
    tail: container_logs.Tail = 200,
    after: container_logs.After = None,
) -> ServiceLog:
    """The end of its container's log, without what looks like a secret."""
    return await container_logs.read(request, name, tail, after)


@router.get(
    "/{name}/logs/stream",
    response_class=Response,
    responses={**EVENT_STREAM, **problems(404, 409, 429, *READ)},
)
async def follow_service_log(
    request: Request,
    parts: PartsOf,
    name: NameInPath,
    tail: container_logs.Tail = 100,
    last_event_id: container_logs.LastMark = None,
) -> Response:
    """The log as it grows, for at most a quarter hour; a reconnect goes on where it was.

    Events: `lines` with `lines` and `skipped` (more was written than fits), then `end` or `error`.
    """
    return await container_logs.follow(request, parts, name, tail, last_event_id)


async def act(
    request: Request,
    name: str,
    action: ServiceAct,
    order: ActOrder | None,
    key: str | None,
    lock_token: SecretStr | None = None,
) -> ServiceActed:
    """Have it done; a repeat with the same key acts once."""
    order = order or ActOrder()
    job_id = id_for(key, order.id)
    question = ActOnService(
        name=name,
        action=action,
        requested_by=order.requested_by,
        reason=order.reason,
        id=job_id,
        lock_token=lock_token,
        force=order.force,
    )
    return await begin(request, ACT_ON_SERVICE, question, "job", job_id, ACT_SECONDS)
