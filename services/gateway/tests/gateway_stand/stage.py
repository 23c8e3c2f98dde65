"""A stage for the dashboard: its real files and policy, and a gateway that says what is set."""

import asyncio
import json
import threading
from collections.abc import AsyncGenerator
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from spark_common.clock import SystemClock
from spark_gateway.dashboard_files import DashboardRoute, read_dashboard
from spark_gateway.security_headers import add_security_headers
from spark_gateway.status_page.page import status_page
from spark_gateway.streams.board import LiveSnapshot

FILES = read_dashboard()

UNWATCHED: dict[str, dict[str, Any]] = {
    "/api/hardware": {"hosts": [], "history": [], "problems": []},
    "/api/advice": {"findings": [], "checks": [], "unread": []},
    "/api/deep-health": {"services": [], "every_seconds": 300.0},
    "/api/connectivity": {
        "transitions": [], "more": False, "uptime": [], "reports": [], "reported": [],
        "maintenance": [], "complete": True,
    },
}  # fmt: skip
"""What health says where nothing is watched: every part of the page asks for some of it."""

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


class Stage:
    """Plays the gateway. What a test sets is what the page is told; what the page sends is kept."""

    def __init__(self, url: str) -> None:
        self.snapshot: dict[str, Any] = {}
        self.story: list[tuple[str, dict[str, Any]]] = []
        self.logs: dict[str, list[tuple[str, dict[str, Any]]]] = {}
        self.commands: list[tuple[str, str, dict[str, Any]]] = []
        self.answers: dict[str, tuple[int, dict[str, Any]]] = {}
        self.replies: dict[tuple[str, str], tuple[int, Any]] = {
            ("GET", "/api/session"): (200, {"needed": False, "signed_in": False}),
            ("GET", "/api/keys"): (200, {"keys": []}),
            ("GET", "/api/events"): (200, ": no event\n\n"),
            ("GET", "/api/settings"): (200, {"version": 0, "settings": [], "warnings": []}),
            ("GET", "/api/requests"): (200, {"requests": []}),
            ("GET", "/api/search/collections"): (200, {"collections": []}),
            **{("GET", path): (200, content) for path, content in UNWATCHED.items()},
        }
        """Of every other path, by method; text is sent as an event stream, the rest as JSON."""
        self.asked: list[tuple[str, str, Any]] = []
        self.shown: list[tuple[str, str, str | None]] = []
        """Method, path with query, and the lease token of every command and other request."""
        self.away = False
        self.url = url
        self._listeners: set[asyncio.Queue[str | None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._listened = threading.Event()

    def tell(self, event: str, content: Any) -> None:
        """Send one event to every open page."""
        self._later(_frame(event, content))

    def hang_up(self, *, away: bool) -> None:
        """End every live connection; ``away`` says whether new ones are refused."""
        self.away = away
        self._later(None)

    def close(self) -> None:
        """Nobody listens any more; a page that never came is not waited for."""
        if self._loop is not None:
            self.hang_up(away=True)

    def _later(self, frame: str | None) -> None:
        assert self._listened.wait(5), "no page is listening"
        assert self._loop is not None
        for queue in list(self._listeners):
            self._loop.call_soon_threadsafe(queue.put_nowait, frame)

    async def live(self, request: Request) -> Response:
        """Answer ``/api/live``: the snapshot, the story so far, then what is told."""
        if self.away:
            return Response(status_code=503)
        self._loop = asyncio.get_running_loop()
        return StreamingResponse(self._frames(), media_type="text/event-stream")

    async def _frames(self) -> AsyncGenerator[str, None]:
        queue: asyncio.Queue[str | None] = asyncio.Queue()
        self._listeners.add(queue)
        self._listened.set()
        try:
            yield _frame("snapshot", self.snapshot)
            for event, content in self.story:
                yield _frame(event, content)
            while (frame := await queue.get()) is not None:
                yield frame
        finally:
            self._listeners.discard(queue)

    async def log(self, request: Request) -> Response:
        """Answer ``/api/swap/{id}/stream`` of a swap that is over."""
        frames = [_frame(*each) for each in self.logs.get(request.path_params["id"], [])]
        return Response("".join(frames), media_type="text/event-stream")

    async def command(self, request: Request) -> Response:
        """Keep a command with its key and answer what the test prepared."""
        body = await request.body()
        key = request.headers.get("idempotency-key", "")
        self.commands.append((request.method, key, json.loads(body) if body else {}))
        self._show(request)
        status, content = self.answers[request.method]
        return JSONResponse(content, status_code=status)

    async def other(self, request: Request) -> Response:
        """Answer what the test prepared for any other path; what it did not is not there."""
        body = await request.body()
        path = request.url.path
        self.asked.append((request.method, path, json.loads(body) if body else {}))
        self._show(request)
        missing = {"title": "Not Found", "detail": "no such path", "code": "not_found"}
        status, content = self.replies.get((request.method, path), (404, missing))
        if isinstance(content, str):
            return Response(content, status_code=status, media_type="text/event-stream")
        return JSONResponse(content, status_code=status)

    def _show(self, request: Request) -> None:
        url = str(request.url)[len(self.url) - 1 :]
        self.shown.append((request.method, url, request.headers.get("x-swap-lock-token")))

    async def models(self, request: Request) -> Response:
        """Answer ``/api/models``."""
        self.commands.append(("GET", "", dict(request.query_params)))
        return JSONResponse(self.snapshot["menu"])

    async def status(self, request: Request) -> Response:
        """Answer ``/status`` from the snapshot."""
        page = status_page(LiveSnapshot.model_validate(self.snapshot), SystemClock().now())
        return Response(page, media_type="text/html; charset=utf-8")

    async def livez(self, request: Request) -> Response:
        """Answer ``/livez``."""
        return Response("ok", status_code=503 if self.away else 200)

    def app(self) -> Any:
        """Return the ASGI application, with the headers of the real gateway."""
        routes = [
            Route("/livez", self.livez),
            Route("/status", self.status),
            Route("/api/live", self.live),
            Route("/api/models", self.models),
            Route("/api/swap", self.command, methods=["POST"]),
            Route("/api/swap/lock", self.other, methods=["GET", "POST", "DELETE"]),
            Route("/api/swap/{id}", self.command, methods=["DELETE"]),
            Route("/api/swap/{id}/stream", self.log),
            Route("/api/{rest:path}", self.other, methods=METHODS),
            DashboardRoute(FILES),
        ]
        return _with_headers(Starlette(routes=routes))


class House:
    """The server in front of the stages of a file: a request goes to the one that is shown."""

    def __init__(self) -> None:
        self.url = ""
        self._shown: Any = None

    def show(self, stage: Stage) -> None:
        """From now on pages come to this stage."""
        self._shown = stage.app()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        await self._shown(scope, receive, send)


def _frame(event: str, content: Any) -> str:
    return f"event: {event}\ndata: {json.dumps(content)}\n\n"


def _with_headers(app: Any) -> Any:
    async def wrapped(scope: Any, receive: Any, send: Any) -> None:
        async def guarded(message: Any) -> None:
            if message["type"] == "http.response.start":
                add_security_headers(MutableHeaders(scope=message), scope["path"])
            await send(message)

        await app(scope, receive, guarded)

    return wrapped
