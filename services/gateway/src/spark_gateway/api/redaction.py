"""``/api/redaction/scopes``: what redaction keeps, of every tenant; never what is in it."""

from typing import Annotated

from fastapi import APIRouter, Path, Request

from spark_common.contracts.redaction import Tenant
from spark_common.contracts.redaction_scopes import (
    FORGET_SCOPE,
    LIST_SCOPES,
    ForgetScope,
    ListScopes,
    ScopesView,
    SessionId,
)
from spark_gateway.api.asking import ask
from spark_gateway.api.errors_doc import CHANGE, READ, problems
from spark_gateway.control_route import ControlRoute

router = APIRouter(prefix="/api/redaction/scopes", tags=["redaction"], route_class=ControlRoute)

TenantInPath = Annotated[Tenant, Path(description="Whose it is: `X-Tenant`, else `default`.")]
SessionInPath = Annotated[SessionId, Path(description="`session_id` of the list.")]


@router.get("", responses=problems(*READ))
async def list_scopes(request: Request) -> ScopesView:
    """What is kept, for whom, until when, and how many values of which type."""
    return await ask(request, LIST_SCOPES, ListScopes())


@router.delete("/{tenant}/{session_id}", responses=problems(404, *CHANGE))
async def forget_scope(
    request: Request, tenant: TenantInPath, session_id: SessionInPath
) -> ScopesView:
    """Forget a scope for good: its placeholders stay closed. The others are answered."""
    return await ask(request, FORGET_SCOPE, ForgetScope(tenant=tenant, session_id=session_id))
