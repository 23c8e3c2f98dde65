"""The ASGI application of audio-proxy: its features' routes, and errors as clients expect them."""

from collections.abc import Callable, Iterable

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from spark_audio_proxy.api.boundary import AnyError, Boundary
from spark_audio_proxy.api.envelope import answer_error
from spark_audio_proxy.intake.limiter import BodyLimiter
from spark_audio_proxy.problems import SpeechError
from spark_audio_proxy.request_news import NobodyHears, TellsRequests
from spark_common.clock import Clock
from spark_common.errors import SparkError


def build_http(
    routers: Iterable[APIRouter],
    upload_limit: Callable[[], int],
    clock: Clock,
    news: TellsRequests | None = None,
) -> ASGIApp:
    """Return the application. ``upload_limit``: bytes of the largest body, now."""
    app = FastAPI(
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers={
            SpeechError: answer_error,
            SparkError: answer_error,
            RequestValidationError: answer_error,
            HTTPException: answer_error,
        },
    )
    app.add_middleware(AnyError)
    for router in routers:
        app.include_router(router)
    return Boundary(BodyLimiter(app, upload_limit), clock, news or NobodyHears())
