"""The ASGI application: routes, errors, files and the layers around them."""

from collections.abc import Mapping

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from spark_common.errors import SparkError
from spark_gateway.allowed_hosts import AllowedHosts
from spark_gateway.boundary import Boundary, answer_error
from spark_gateway.dashboard_files import DashboardFile, DashboardRoute
from spark_gateway.parts import Parts
from spark_gateway.preflight import Preflight
from spark_gateway.routes import all_routes, methods_at


def build_http(
    parts: Parts,
    hosts: AllowedHosts,
    dashboard: Mapping[str, DashboardFile],
) -> ASGIApp:
    """Return the application that answers everything but the bytes of ``/v1``."""
    app = FastAPI(
        title="spark-control",
        version=parts.version,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers={
            SparkError: answer_error,
            RequestValidationError: answer_error,
            HTTPException: _answer_http_error,
            Exception: answer_error,
        },
    )
    app.state.parts = parts
    # Not `include_router`: it would prepare every route once more at the first question.
    app.router.routes.extend(all_routes())
    app.router.routes.append(DashboardRoute(dashboard))
    return Boundary(parts.entrance.door(Preflight(app)), hosts)


async def _answer_http_error(request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException) and error.status_code == 405:
        # The router stops at the first route of a path; Allow has to name all of them.
        allowed = methods_at(request.scope["path"])
        if allowed:
            error = HTTPException(405, headers={"Allow": ", ".join(sorted(allowed))})
    return await answer_error(request, error)
