"""``/api/dead-letters``: messages of the bus that no worker could handle."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from spark_common.contracts.dead_letters import LIST_DEAD_LETTERS, DeadLetters, ListDeadLetters
from spark_gateway.api.asking import ask
from spark_gateway.api.errors_doc import READ, problems
from spark_gateway.control_route import ControlRoute

router = APIRouter(prefix="/api/dead-letters", tags=["events"], route_class=ControlRoute)


@router.get("", responses=problems(*READ))
async def list_dead_letters(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
    before: Annotated[int | None, Query(ge=1, description="`older_before` of a page.")] = None,
) -> DeadLetters:
    """What was not handled in the last thirty days, the newest first, with what to do."""
    return await ask(request, LIST_DEAD_LETTERS, ListDeadLetters(limit=limit, before=before))
