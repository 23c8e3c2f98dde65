"""``/api/state``: everything that is state as one file, and back."""

from typing import Annotated

from fastapi import APIRouter, Body, Request, Response

from spark_common.contracts.owner_settings import (
    EXPORT_STATE,
    IMPORT_STATE,
    ExportState,
    Imported,
    ImportState,
    StateDocument,
)
from spark_gateway.api.asking import ask, change
from spark_gateway.api.errors_doc import CHANGE, problems
from spark_gateway.control_route import ControlRoute

router = APIRouter(prefix="/api/state", tags=["settings"], route_class=ControlRoute)

_SECONDS = 15.0
"""The passphrase is stretched on purpose, and the recipes come from another service."""


@router.post("/export", responses=problems(*CHANGE))
async def export_state(
    request: Request, response: Response, order: Annotated[ExportState | None, Body()] = None
) -> StateDocument:
    """Settings, recipes, schedules, webhooks, own services, maintenance, as one document.

    With a `passphrase` the secrets are in it, encrypted; without one they are listed as missing.
    """
    document = await ask(request, EXPORT_STATE, order or ExportState(), _SECONDS)
    name = f"spark-control-{document.exported_at:%Y-%m-%d}.json"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return document


@router.post("/import", responses=problems(*CHANGE))
async def import_state(request: Request, order: Annotated[ImportState, Body()]) -> Imported:
    """Take an exported document in; what is there under the same names is replaced.

    Everything is checked first; with `dry_run` that is all, and `changes` names what would change.
    Repeating the same import is harmless.
    """
    return await change(request, IMPORT_STATE, order, _SECONDS)
