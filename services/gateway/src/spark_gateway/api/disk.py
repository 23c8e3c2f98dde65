"""``/api/models/{key}/disk``: what deleting a model frees, and deleting it."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request

from spark_common.contracts.disk import (
    DELETE_FROM_DISK,
    PLAN_DELETE,
    Deleted,
    DeleteFromDisk,
    DeletePlan,
    PlanDelete,
)
from spark_common.contracts.downloads import HostName
from spark_common.errors import DeadlineExceededError, OutcomeUnknownError
from spark_gateway.api.asking import WhoAsked, ask
from spark_gateway.api.errors_doc import READ, REMOVE, problems
from spark_gateway.control_route import ControlRoute

_PLAN_SECONDS = 30.0
_DELETE_SECONDS = 180.0
"""Longer than the swapper gives a Spark to remove files, through a container if need be."""

router = APIRouter(prefix="/api/models", tags=["models"], route_class=ControlRoute)

KeyInPath = Annotated[
    str, Path(description="Key of a model on the menu.", min_length=1, max_length=200)
]


@router.get("/{key}/disk", responses=problems(404, *READ))
async def plan_delete(request: Request, key: KeyInPath) -> DeletePlan:
    """The bytes that deleting would free on each Spark, and why it would be refused."""
    return await ask(request, PLAN_DELETE, PlanDelete(model=key), _PLAN_SECONDS)


@router.delete("/{key}/disk", responses=problems(404, *REMOVE))
async def delete_from_disk(
    request: Request,
    key: KeyInPath,
    host: Annotated[
        list[HostName] | None,
        Query(description="Only on these Sparks; everywhere unless given.", max_length=16),
    ] = None,
    requested_by: WhoAsked = "someone",
) -> Deleted:
    """Delete the model's files. Asking again is harmless; `complete` says that none are left."""
    question = DeleteFromDisk(model=key, hosts=host or [], requested_by=requested_by)
    try:
        return await ask(request, DELETE_FROM_DISK, question, _DELETE_SECONDS)
    except DeadlineExceededError as late:
        raise OutcomeUnknownError(
            "no answer in time: the files may be gone or not; ask again, that is harmless"
        ) from late
