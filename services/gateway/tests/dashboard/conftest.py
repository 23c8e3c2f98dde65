"""A stage for the dashboard: its real files and policy, and a gateway that says what is set."""

import asyncio
import json
import threading
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from spark_common.clock import SystemClock
from spark_common.contracts.models import (
    HostView,
    Menu,
    ModelCopy,
    ModelView,
    RecipeView,
    RuntimeView,
)
from spark_common.contracts.swaps import Cause, Phase, PhaseMark, Swaps, SwapView
from spark_common.events import SwapComplete, SwapFailed, SwapProgress
from spark_gateway.dashboard_files import DashboardRoute, read_dashboard
from spark_gateway.security_headers import add_security_headers

FILES = read_dashboard()
CHROMIUM = Path("/usr/bin/chromium")
QUIET_CHROMIUM = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


class Stage:
    """Plays the gateway. What a test sets is what the page is told; what the page sends is kept."""

    def __init__(self) -> None:
        self.snapshot: dict[str, Any] = {}
        self.story: list[tuple[str, dict[str, Any]]] = []
        self.logs: dict[str, list[tuple[str, dict[str, Any]]]] = {}
        self.commands: list[tuple[str, str, dict[str, Any]]] = []
        self.answers: dict[str, tuple[int, dict[str, Any]]] = {}
        self.replies: dict[tuple[str, str], tuple[int, Any]] = {}
        """Of every other path, by method; text is sent as an event stream, the rest as JSON."""
        self.asked: list[tuple[str, str, Any]] = []
        self.away = False
        self.url = ""
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
        status, content = self.answers[request.method]
        return JSONResponse(content, status_code=status)

    async def other(self, request: Request) -> Response:
        """Answer what the test prepared for any other path; what it did not is not there."""
        body = await request.body()
        path = request.url.path
        self.asked.append((request.method, path, json.loads(body) if body else {}))
        missing = {"title": "Not Found", "detail": "no such path", "code": "not_found"}
        status, content = self.replies.get((request.method, path), (404, missing))
        if isinstance(content, str):
            return Response(content, status_code=status, media_type="text/event-stream")
        return JSONResponse(content, status_code=status)

    async def models(self, request: Request) -> Response:
        """Answer ``/api/models``."""
        self.commands.append(("GET", "", dict(request.query_params)))
        return JSONResponse(self.snapshot["menu"])

    async def livez(self, request: Request) -> Response:
        """Answer ``/livez``."""
        return Response("ok", status_code=503 if self.away else 200)

    def app(self) -> Any:
        """Return the ASGI application, with the headers of the real gateway."""
        routes = [
            Route("/livez", self.livez),
            Route("/api/live", self.live),
            Route("/api/models", self.models),
            Route("/api/swap", self.command, methods=["POST"]),
            Route("/api/swap/{id}", self.command, methods=["DELETE"]),
            Route("/api/swap/{id}/stream", self.log),
            Route("/api/{rest:path}", self.other, methods=["GET", "POST", "PUT", "DELETE"]),
            DashboardRoute(FILES),
        ]
        return _with_headers(Starlette(routes=routes))


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


@pytest.fixture
def stage() -> Iterator[Stage]:
    """A running stage on a free loopback port."""
    stage = Stage()
    config = uvicorn.Config(
        stage.app(),
        host="127.0.0.1",
        port=0,
        log_level="critical",
        timeout_graceful_shutdown=1,
        lifespan="off",
    )
    server = uvicorn.Server(config)
    listening = config.bind_socket()
    stage.url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    with closing(listening):
        thread.start()
        yield stage
        server.should_exit = True
        if stage._loop is not None:
            stage.hang_up(away=True)
        thread.join(10)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium."""
    if not CHROMIUM.exists():
        pytest.skip(f"no Chromium at {CHROMIUM}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET_CHROMIUM)
        yield browser
        browser.close()


class Visit:
    """An open page, and everything it complained about."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.expected: tuple[str, ...] = ()
        self.strangers: list[str] = []
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.on("request", lambda request: self._request(request.url, url))

    def _console(self, message: Any) -> None:
        # A browser complains about every 404; the page itself goes on without a plan or a record.
        missed = message.location.get("url", "").endswith(("/plan", "/log?after=0&limit=5000"))
        if message.type in ("error", "warning") and not any(
            word in message.text for word in (*self.expected, *(["404"] if missed else []))
        ):
            self.complaints.append(f"{message.type}: {message.text}")

    def _request(self, asked: str, own: str) -> None:
        if not asked.startswith((own, "data:")):
            self.strangers.append(asked)


@pytest.fixture
def visit(chromium: Browser, stage: Stage) -> Iterator[Any]:
    """Opens the page; at the end nothing may have been complained about or fetched elsewhere."""
    opened: list[tuple[BrowserContext, Visit]] = []

    def open_page(
        width: int = 1440,
        height: int = 1000,
        scheme: Literal["light", "dark"] = "light",
        **more: Any,
    ) -> Visit:
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            locale="en-GB",
            timezone_id="UTC",
            **more,
        )
        context.grant_permissions(["clipboard-read", "clipboard-write"], origin=stage.url)
        context.set_default_timeout(8000)
        visit = Visit(context, stage.url)
        opened.append((context, visit))
        visit.page.goto(stage.url)
        return visit

    yield open_page
    for context, visit in opened:
        context.close()
        assert visit.complaints == []
        assert visit.strangers == []


GB = 1_000_000_000
GIB = 2**30


class Scenes:
    """What the gateway may say, built from the contracts, so that it cannot drift from them."""

    def __init__(self) -> None:
        self.now = SystemClock().now()

    def ago(self, seconds: float) -> datetime:
        """Return the moment that many seconds ago."""
        return self.now - timedelta(seconds=seconds)

    def host(self, number: int, **changes: Any) -> HostView:
        """Return a Spark that is well."""
        used = {1: 92.3, 2: 19.2}[number]
        return HostView(
            name=f"spark{number}",
            label=f"Spark {number}",
            state="online",
            seen_at=self.ago(4),
            disk_total_bytes=3_670 * GB,
            disk_free_bytes={1: 2_250, 2: 3_060}[number] * GB,
            memory_total_bytes=int(119.7 * GIB),
            memory_available_bytes=int((119.7 - used) * GIB),
        ).model_copy(update=changes)

    def model(self, key: str, name: str, repo: str, **changes: Any) -> ModelView:
        """Return a model that is ready on the first Spark."""
        size = int(changes.pop("gigabytes", 23.4) * GB)
        hosts = changes.pop("hosts", ["spark1"])
        state = changes.get("state", "ready")
        kind = {"needs_setup": "ready", "incomplete": "incomplete", "downloading": "downloading"}
        copies = [
            ModelCopy(host=host, size_bytes=size, state=kind.get(state, "ready")) for host in hosts
        ]
        return ModelView(
            key=key,
            name=name,
            repo=repo,
            served_name=repo.split("/")[-1],
            copies=copies,
            size_bytes=size,
            **{
                "state": "ready",
                "source": None if state == "needs_setup" else "bundled",
                "capabilities": ["chat", "tools"],
                **changes,
            },
        )

    def models(self, loaded: str | None = "qwen3.6-35b-a3b") -> list[ModelView]:
        """Return the models of the simulated Sparks."""
        every = ["chat", "vision", "tools", "reasoning"]
        both = ["spark1", "spark2"]
        found = [
            self.model(
                "qwen3.6-35b-a3b", "Qwen3.6 35B A3B", "nvidia/Qwen3.6-35B-A3B-NVFP4",
                capabilities=every, context_length=262_144, load_seconds=110.0,
            ),
            self.model(
                "gpt-oss-120b", "gpt-oss-120b", "openai/gpt-oss-120b", gigabytes=63.4,
                capabilities=["chat", "tools", "reasoning"], context_length=131_072,
                load_seconds=200.0,
            ),
            self.model(
                "gemma-4-26b", "Gemma 4 26B", "google/gemma-4-26b-it", gigabytes=51.6, hosts=both,
                capabilities=["chat", "vision", "tools"],
            ),
            self.model(
                "minimax-m2.7", "MiniMax M2.7", "MiniMaxAI/MiniMax-M2.7-AWQ", gigabytes=61.4,
                hosts=both, mode="cluster", load_seconds=580.0,
            ),
            self.model(
                "nemotron", "Nemotron-3-Nano-30B-A3B", "nvidia/Nemotron-3-Nano-30B-A3B-FP8",
                gigabytes=32.1, state="needs_setup", capabilities=[],
            ),
            self.model(
                "llama-4-scout", "Llama 4 Scout", "nvidia/Llama-4-Scout-17B-16E-NVFP4",
                gigabytes=24.9, state="incomplete",
            ),
        ]  # fmt: skip
        return [model.model_copy(update={"loaded": model.key == loaded}) for model in found]

    def menu(self, loaded: str | None = "qwen3.6-35b-a3b", **changes: Any) -> Menu:
        """Return the menu with one model loaded, or none."""
        models = self.models(loaded)
        mine = next((model for model in models if model.loaded), None)
        runtime = RuntimeView(state="idle", since=self.ago(900))
        if mine is not None:
            runtime = RuntimeView(
                state="serving",
                model=mine.key,
                served_name=mine.served_name,
                context_length=mine.context_length,
                since=self.ago(13_200),
            )
        return Menu(
            models=models,
            recipes=[
                RecipeView(
                    key="deepseek-v4", name="DeepSeek V4 Flash",
                    repo="deepseek-ai/DeepSeek-V4-Flash", mode="cluster",
                ),
            ],
            hosts=[self.host(1), self.host(2)],
            runtime=runtime,
            as_of=self.ago(4),
        ).model_copy(update=changes)  # fmt: skip

    def swap(
        self, phase: str, marks: Mapping[str, float | None] | None = None, **changes: Any
    ) -> SwapView:
        """Return a swap to gpt-oss-120b; ``marks`` are phases with their seconds, in order."""
        marks = marks or {}
        begun = self.ago(sum(seconds or 0 for seconds in marks.values()) + changes.pop("since", 0))
        at = begun
        phases = []
        for name, seconds in marks.items():
            phases.append(PhaseMark(phase=Phase(name), at=at, seconds=seconds))
            at += timedelta(seconds=seconds or 0)
        fields: dict[str, Any] = {
            "id": "swap-1", "model": "gpt-oss-120b", "model_name": "gpt-oss-120b",
            "previous": "qwen3.6-35b-a3b", "requested_by": "Alice", "rollback": True,
            "phase": phase, "phases": phases, "usual_seconds": 200.0, "created_at": begun, "n": 6,
        }  # fmt: skip
        return SwapView(**(fields | changes))

    def loading(self, **changes: Any) -> SwapView:
        """Return a swap that has loaded 60 % of the weights."""
        marks = {
            "queued": 0.2,
            "preflight": 3,
            "draining": 14,
            "stopping": 7,
            "launching": 23,
            "loading": None,
        }
        fields = {"since": 39, "percent": 60.0, "eta_seconds": 80.0, "message": "Part 9 of 15"}
        return self.swap("loading", marks, **(fields | changes))

    def ended(self, phase: str = "failed", **changes: Any) -> SwapView:
        """Return a swap that ended without its model."""
        marks = {"preflight": 3, "draining": 14, "stopping": 7, "launching": 23, phase: None}
        cause = Cause(
            code="not_enough_memory",
            sentence="Not enough free memory: it asked for 101.7 GB, 88.4 GB was free.",
            action="Close what else uses memory on Spark 1, then try again.",
            evidence=[
                "ValueError: Free memory on device cuda:0 (88.41/119.69 GiB) is less than desired."
            ],
        )
        fields: dict[str, Any] = {"cause": cause, "finished_at": self.ago(60), "since": 60}
        return self.swap(phase, marks, **(fields | changes))

    def recent(self) -> list[SwapView]:
        """Return a short history, newest first."""

        def old(
            number: int, model: str, name: str, phase: str, hours: float, took: float
        ) -> SwapView:
            return self.swap(
                phase, {"preflight": took}, id=f"old-{number}", model=model, model_name=name,
                since=hours * 3600, finished_at=self.ago(hours * 3600), cause=None,
                requested_by=["Bob", "nightly-summary", "Alice"][number % 3], previous=None,
            )  # fmt: skip

        return [
            old(1, "qwen3.6-35b-a3b", "Qwen3.6 35B A3B", "ready", 3.66, 112),
            old(2, "gpt-oss-120b", "gpt-oss-120b", "rolled_back", 14, 209),
            old(3, "gpt-oss-120b", "gpt-oss-120b", "ready", 18, 198),
            old(4, "minimax-m2.7", "MiniMax M2.7", "failed", 70, 601),
            old(5, "gemma-4-26b", "Gemma 4 26B", "cancelled", 71, 31),
        ]

    def snapshot(
        self,
        menu: Menu | None = None,
        current: SwapView | None = None,
        queue: list[SwapView] | None = None,
        recent: list[SwapView] | None = None,
        **changes: Any,
    ) -> dict[str, Any]:
        """Return what ``/api/live`` says first; by default all is well."""
        names = ("audio-proxy", "coordinator", "gateway", "health", "redaction", "swapper")
        swaps = Swaps(
            current=current, queue=queue or [], recent=self.recent() if recent is None else recent
        )
        return {
            "menu": (menu or self.menu()).model_dump(mode="json"),
            "swaps": swaps.model_dump(mode="json"),
            "components": [{"name": name, "state": "up"} for name in names],
            "bus": {"connected": True, "detail": None},
            "version": "0.1.0",
            "demo": False,
            **changes,
        }

    def progress(self, n: int, phase: str, **changes: Any) -> dict[str, Any]:
        """Return the content of a ``swap.progress``."""
        fields: dict[str, Any] = {
            "swap_id": "swap-1", "n": n, "model": "gpt-oss-120b", "phase": phase, "at": self.now,
        }  # fmt: skip
        return SwapProgress(**(fields | changes)).model_dump(mode="json")

    def complete(self) -> dict[str, Any]:
        """Return the content of a ``swap.complete``."""
        return SwapComplete(
            swap_id="swap-1", model="gpt-oss-120b", served_name="gpt-oss-120b",
            previous="qwen3.6-35b-a3b", requested_by="Alice", total_seconds=182.0,
            finished_at=self.now,
        ).model_dump(mode="json")  # fmt: skip

    def failed(self, outcome: str, serving: str | None) -> dict[str, Any]:
        """Return the content of a ``swap.failed``."""
        cause = self.ended().cause
        return SwapFailed(
            swap_id="swap-1", model="gpt-oss-120b", previous="qwen3.6-35b-a3b",
            requested_by="Alice", outcome=outcome, cause=cause,
            failed_in="launching", serving=serving,
            total_seconds=48.0, finished_at=self.now,
        ).model_dump(mode="json")  # fmt: skip


@pytest.fixture
def scenes() -> Scenes:
    """Builders of what the gateway may say."""
    return Scenes()
