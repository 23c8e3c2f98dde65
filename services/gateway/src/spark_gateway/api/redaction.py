"""``/api/redaction/scopes``: what redaction keeps, of every tenant, without what is in it.

An answer of a model is put back for whoever brings its placeholders; the audit says that it was
the operator.
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from spark_common.contracts.redaction import REHYDRATE_TEXT, RehydrateText, Tenant
from spark_common.contracts.redaction_scopes import (
    FORGET_SCOPE,
    LIST_SCOPES,
    ForgetScope,
    ListScopes,
    ScopesView,
    SessionId,
)
from spark_common.errors import UnavailableError
from spark_gateway.api.asking import ask
from spark_gateway.api.errors_doc import CHANGE, READ, problems
from spark_gateway.control_route import ControlRoute

router = APIRouter(prefix="/api/redaction/scopes", tags=["redaction"], route_class=ControlRoute)

TenantInPath = Annotated[Tenant, Path(description="Whose it is: `X-Tenant`, else `default`.")]
SessionInPath = Annotated[SessionId, Path(description="`session_id` of the list.")]
_SECONDS = 10.0
"""Twice what the service gives itself for one text."""


class AnswerText(BaseModel):
    """A text with placeholders."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    text: str = Field(repr=False)
    tolerance: Literal["exact", "standard", "lenient"] = "standard"


class RestoredText(BaseModel):
    """The text with its values, for this house only."""

    text: str = Field(repr=False)
    restored: dict[str, int]
    """How often each placeholder was filled in."""
    normalised: list[dict[str, str]] = []
    """What was bent, and as what it was read."""
    unresolved: list[str] = []
    """Placeholders that are not of this session."""
    blocked: list[str] = []
    """Placeholders inside the address of a page."""


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


@router.post("/{tenant}/{session_id}/rehydrate", responses=problems(404, 410, *CHANGE))
async def rehydrate(
    request: Request, tenant: TenantInPath, session_id: SessionInPath, body: AnswerText
) -> RestoredText:
    """Put the values of a session, also another tenant's, back into an answer of a model."""
    question = {"session_id": session_id, "format": "text", **body.model_dump()}
    asked = RehydrateText(tenant=tenant, asked_by="operator", question=question)
    said = await ask(request, REHYDRATE_TEXT, asked, _SECONDS)
    try:
        return RestoredText.model_validate(said.answer)
    except ValidationError:
        # From None: what did not fit may be what was hidden.
        raise UnavailableError("redaction answers in a form that is not known here") from None
