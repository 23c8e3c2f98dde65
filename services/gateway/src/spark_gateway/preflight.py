"""Answers what browsers ask before they let an app of another origin use ``/v1``."""

import re

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

_METHODS = "GET, HEAD, POST, OPTIONS"
_FIELD_NAMES = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~, -]{1,2000}\Z")


class Preflight:
    """Answers OPTIONS under ``/v1``; everything else passes.

    There are no cookies and every key is sent by hand, so any origin may ask.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] == "http" and scope["method"] == "OPTIONS" and _is_v1(scope["path"]):
            await _answer(Headers(scope=scope))(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _is_v1(path: str) -> bool:
    return path == "/v1" or path.startswith("/v1/")


def _answer(asked: Headers) -> Response:
    response = Response(status_code=204, headers={"allow": _METHODS})
    if "access-control-request-method" in asked:
        response.headers["access-control-allow-methods"] = _METHODS
        response.headers["access-control-max-age"] = "600"
        wanted = asked.get("access-control-request-headers", "")
        if _FIELD_NAMES.match(wanted):
            # "*" would not cover Authorization, which every client sends.
            response.headers["access-control-allow-headers"] = wanted
    response.headers["vary"] = "access-control-request-headers"
    return response
