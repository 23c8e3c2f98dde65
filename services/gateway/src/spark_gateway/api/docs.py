"""The machine-readable documents: OpenAPI of the routes, AsyncAPI of the bus."""

import hashlib
from functools import cache
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.openapi.utils import get_openapi
from starlette.responses import JSONResponse, Response

from spark_common import schemas
from spark_gateway.api.errors_doc import ERROR_SCHEMAS
from spark_gateway.api.relayed import relayed_paths
from spark_gateway.control_route import ControlRoute
from spark_gateway.dashboard_files import DashboardFile
from spark_gateway.parts import Parts, parts_of

router = APIRouter(tags=["docs"], route_class=ControlRoute)


@router.get("/openapi.json", response_class=Response, include_in_schema=False)
async def openapi(request: Request, parts: Annotated[Parts, Depends(parts_of)]) -> Response:
    """The OpenAPI document of everything this port answers."""
    return JSONResponse(openapi_document(request.app.routes, parts.version))


@router.get("/asyncapi.json", response_class=Response, include_in_schema=False)
async def asyncapi(request: Request) -> Response:
    """The AsyncAPI document of everything said on the bus, made from the same types."""
    return _bus_document().answer(request.headers, request.query_params)


@cache
def _bus_document() -> DashboardFile:
    content = schemas.documents()["asyncapi.json"].encode()
    return DashboardFile(content, "application/json", hashlib.sha256(content).hexdigest()[:32])


def openapi_document(routes: list[Any], version: str) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document: our own routes, and those whose bytes pass through."""
    document = get_openapi(
        title="spark-control",
        version=version,
        description="One port for a cluster of Sparks: models, swaps and the OpenAI API.",
        routes=routes,
    )
    document["paths"] |= relayed_paths()
    document.setdefault("components", {}).setdefault("schemas", {}).update(ERROR_SCHEMAS)
    return document
