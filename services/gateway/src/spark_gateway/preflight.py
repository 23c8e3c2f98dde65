"""Answers what browsers ask before they let an app of another origin use ``/v1``.

There are no cookies there and every key is sent by hand, so any origin may ask. The answer does not
depend on the runtime: a browser has to be let through to a refusal, or it shows a CORS error in
its place.
"""

import re
from collections.abc import Mapping, Sequence

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from spark_gateway.dataplane.heads import METHODS
from spark_gateway.dataplane.ports import Field, Refusal, Router, Upstream
from spark_gateway.dialect import is_v1

_METHODS = b", ".join(METHODS).decode()
_FIELD_NAMES = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~, -]{1,2000}\Z")


class PreflightRouter:
    """Answers OPTIONS of the data plane; every other request is the inner router's."""

    def __init__(self, router: Router) -> None:
        self._router = router

    def route(self, method: bytes, path: bytes, headers: Sequence[Field]) -> Upstream | Refusal:
        """Return where to send it, or what to answer."""
        if method != b"OPTIONS":
            return self._router.route(method, path, headers)
        asked = {name.lower().decode("latin-1"): value.decode("latin-1") for name, value in headers}
        answer = {"access-control-allow-origin": "*", **_answer(asked)}
        fields = [(name.encode(), value.encode("latin-1")) for name, value in answer.items()]
        return Refusal(204, b"", fields)


class Preflight:
    """Answers OPTIONS under ``/v1`` that reaches the application; everything else passes."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] == "http" and scope["method"] == "OPTIONS" and is_v1(scope["path"]):
            response = Response(status_code=204, headers=_answer(Headers(scope=scope)))
            await response(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _answer(asked: Mapping[str, str]) -> dict[str, str]:
    answer = {"allow": _METHODS, "vary": "access-control-request-headers"}
    if "access-control-request-method" in asked:
        answer["access-control-allow-methods"] = _METHODS
        answer["access-control-max-age"] = "600"
        wanted = asked.get("access-control-request-headers", "")
        if _FIELD_NAMES.match(wanted):
            # "*" would not cover Authorization, which every client sends.
            answer["access-control-allow-headers"] = wanted
    return answer
