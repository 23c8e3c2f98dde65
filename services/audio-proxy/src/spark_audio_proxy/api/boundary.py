"""What holds for every answer: an id, a line in the metrics, and nothing of a framework."""

import re
from typing import Any, Final

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from spark_audio_proxy.api.envelope import answer_error, problem_of
from spark_audio_proxy.metrics import CANCELLED, REQUESTS
from spark_audio_proxy.problems import SpeechError
from spark_audio_proxy.request_news import TellsRequests
from spark_common.clock import Clock
from spark_common.ids import new_id

_ID: Final = re.compile(r"[\x21-\x7e]{1,128}\Z")

LEFT: Final = "client_closed"
"""The code of a request whose caller left; nobody is told it."""

log = structlog.get_logger()


class Boundary:
    """Outermost: ``X-Request-Id`` is the caller's, else a new one; every request is counted.

    Routes put ``format`` (one of the response formats) and ``problem`` (a code) into the state
    of their request; both become labels.
    """

    def __init__(self, app: ASGIApp, clock: Clock, news: TellsRequests) -> None:
        self._app = app
        self._clock = clock
        self._news = news

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = self._clock.monotonic()
        state: dict[str, Any] = scope.setdefault("state", {})
        state["request_id"] = request_id = _asked_id(scope)
        status = 0

        async def with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message).setdefault("x-request-id", request_id)
            await send(message)

        try:
            await self._app(scope, receive, with_id)
            if state.get("problem") == LEFT:
                CANCELLED.labels(state.get("stage", "upload")).inc()
                log.info("audio.client_closed", request_id=request_id)
        finally:
            route = getattr(scope.get("route"), "path", "unmatched")
            REQUESTS.labels(
                route, state.get("format", ""), str(status or 499), state.get("problem", "")
            ).inc()
            if scope["method"] != "GET":
                took = self._clock.monotonic() - began
                self._news.over(route, status or 499, took, state)


def _asked_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            text = value.decode("latin-1")
            return text if _ID.match(text) else new_id()
    return new_id()


class AnyError:
    """Innermost: renders what no handler knows, before the framework would say its own words."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        began = False

        async def noting(message: Message) -> None:
            nonlocal began
            began = True
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except ClientDisconnect:
            # Raised further, the framework would answer nobody with a 500, and count it as one.
            scope["state"]["problem"] = LEFT
        except Exception as error:
            if began:
                # Half an answer must look like half an answer.
                cause = error.__cause__
                said = cause if isinstance(cause, SpeechError) else error
                scope["state"]["problem"] = problem_of(said).code
                raise
            answer = await answer_error(Request(scope, receive), error)
            await answer(scope, receive, send)
