"""A gateway process with everything real clients meet behind it, on a thread of its own.

Clients may block: nothing here runs on the loop of the tests. One town serves all files of a
process; a test that changes something puts it back.
"""

import asyncio
import contextlib
import signal
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from gateway_stand.process import GatewayProcess
from gateway_stand.swapper import MODELS, FakeSwapper

from spark_common import subjects
from spark_common.bus import Bus, Serving
from spark_common.bus.nats import connect_bus
from spark_common.bus.provision import provision
from spark_common.clock import SystemClock
from spark_common.contracts.api_keys import NOTE_USE, READ_RING, Noted, Ring, RingKey
from spark_common.contracts.owner_settings import READ_OVERLAY, Overlay
from spark_common.contracts.swaps import Phase
from spark_common.embedded import NatsServer
from spark_common.events import KeysChanged, SwapProgress
from spark_common.key_text import digest_of, fresh_key
from spark_common.testing.wait import PATIENCE_SECONDS, until
from spark_sim.embed_http.app import EmbedServer
from spark_sim.standing_in import standing_in
from spark_sim.vllm_http.app import VllmApp
from spark_sim.vllm_http.engine import Engine, Served

COMING, LOADED = MODELS
"""The model that swaps bring, and the one that is loaded."""
ALIAS = "google/Gemma-4-26B-it"
Application = Callable[..., Awaitable[None]]
Returned = TypeVar("Returned")


class Runtime:
    """The simulated vLLM, which a test may replace for a while."""

    def __init__(self) -> None:
        self.engine = Engine(
            Served((LOADED, ALIAS), ALIAS, 8192, thinks=True), tokens_per_second=4000,
            drag=lambda: 1.0, note=self._note, wedges=lambda: False, babbles=lambda: False,
        )  # fmt: skip
        self.usual = VllmApp(self.engine, self._forget)
        self.instead: Application | None = None
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        """Method, path and fields of what arrived, but for the looks of the gateway itself."""
        self.left = threading.Event()
        """Set when a client went before its answer was whole."""

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http" and (scope["method"], scope["path"]) != ("GET", "/v1/models"):
            fields = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
            self.seen.append((scope["method"], scope["path"], fields))
            if self.instead is not None:
                await self.instead(scope, receive, send)
                return
        await self.usual(scope, receive, send)

    def _note(self, kind: str, **details: object) -> None:
        if kind == "client_disconnected":
            self.left.set()

    async def _forget(self, _: str) -> None: ...


class KeyOffice:
    """The coordinator, as far as clients notice it: keys, and what the owner set."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self.keys: dict[str, RingKey] = {}
        self.values: dict[str, str] = {}
        self.version = 1

    async def serve(self) -> None:
        verbs = (
            Serving(READ_RING, self.ring),
            Serving(NOTE_USE, self.note),
            Serving(READ_OVERLAY, self.overlay),
        )
        await self.bus.serve("coordinator", "1.0.0", "keys for tests", verbs)

    async def ring(self, request: Any) -> Ring:
        if request.known_version == self.version:
            return Ring(version=self.version)
        return Ring(version=self.version, keys=list(self.keys.values()), session_secret="s" * 43)

    async def note(self, request: Any) -> Noted:
        return Noted()

    async def overlay(self, request: Any) -> Overlay:
        known = request.known_version == self.version
        return Overlay(version=self.version, values=None if known else self.values)

    async def issue(self, **given: Any) -> str:
        text = fresh_key()
        name = f"key{len(self.keys)}"
        given = {"scopes": ["infer"], **given}
        self.keys[name] = RingKey(id=name, name=name, digest=digest_of(text), **given)
        self.version += 1
        hint = KeysChanged(keys_version=self.version, key_id=name, action="created")
        await self.bus.publish(subjects.KEYS_CHANGED, hint, id=f"{name}:{self.version}")
        return text


class Town:
    """The running whole; every method may be called from any thread."""

    gateway: GatewayProcess
    runtime: Runtime
    embed: EmbedServer
    swapper: FakeSwapper
    office: KeyOffice

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._stack = AsyncExitStack()

    @property
    def url(self) -> str:
        """Where the gateway listens, without a path."""
        return self.gateway.url

    def do(
        self, work: Coroutine[Any, Any, Returned], seconds: float = 2 * PATIENCE_SECONDS
    ) -> Returned:
        """Have it done on the loop of the town."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(seconds)

    def start(self) -> None:
        self._thread.start()
        self.do(self._start())

    def stop(self) -> None:
        self.do(self._stack.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    @contextlib.contextmanager
    def answering(self, application: Application) -> Iterator[None]:
        """Have somebody else answer for the model server."""
        self.runtime.instead = application
        try:
            yield
        finally:
            self.runtime.instead = None

    @contextlib.contextmanager
    def loading(self, swap_id: str, eta_seconds: float | None = None) -> Iterator[None]:
        """Let a swap take the loaded model away; at the end the same model is back."""
        self.do(self._away(swap_id, eta_seconds))
        try:
            yield
        finally:
            self.back(swap_id)

    def back(self, swap_id: str) -> None:
        """End a swap, with the loaded model still there."""
        if self.swapper.views[swap_id].phase != Phase.FAILED:
            self.do(self.swapper.fail(swap_id))
        self.do(until(self._answers, "the gateway opens again"))

    @contextlib.contextmanager
    def keys_asked_for(self) -> Iterator[None]:
        """Ask for keys; nobody else has one."""
        self.do(self._set("API_KEYS", "true", 401))
        try:
            yield
        finally:
            self.do(self._set("API_KEYS", "false", 200))

    def key(self, **given: Any) -> str:
        """Give out a key."""
        return self.do(self.office.issue(**given))

    def eventually(self, work: Callable[[], Returned], not_yet: type[Exception]) -> Returned:
        """Do it until it is not refused any more; what else it raises is its result."""
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            with contextlib.suppress(not_yet):
                return work()
            time.sleep(0.05)
        return work()

    async def _start(self) -> None:
        nats = NatsServer(self._folder / "nats")
        await nats.start()
        self._stack.push_async_callback(nats.kill)
        await provision(nats.settings("provisioner"), SystemClock())
        self.runtime, self.embed = Runtime(), EmbedServer()
        port = await self._stack.enter_async_context(standing_in(self.runtime))
        beside = await self._stack.enter_async_context(standing_in(self.embed))
        self.swapper = FakeSwapper(await self._bus(nats, "swapper"))
        self.swapper.loaded = LOADED
        await self.swapper.serve()
        self.office = KeyOffice(await self._bus(nats, "coordinator"))
        await self.office.serve()
        self.gateway = GatewayProcess(nats, port, self._folder / "gateway.log")
        await self.gateway.start(EMBED_HOST="127.0.0.1", EMBED_PORT=str(beside))
        self._stack.push_async_callback(self.gateway.end, signal.SIGTERM)
        await until(self._lists_all, "the gateway knows all models")

    async def _bus(self, nats: NatsServer, name: str) -> Bus:
        bus = await connect_bus(nats.settings(name), name, SystemClock(), on_lost=lambda: None)
        self._stack.push_async_callback(bus.close)
        return bus

    async def _lists_all(self) -> bool:
        _, listed = await self.gateway.ask("GET", "/v1/models")
        return {LOADED, COMING, "BAAI/bge-m3"} <= {model["id"] for model in listed["data"]}

    async def _answers(self) -> bool:
        body = {"model": LOADED, "max_tokens": 1, "messages": [{"role": "user", "content": "Hi"}]}
        status, _ = await self.gateway.ask("POST", "/v1/chat/completions", body)
        return status == 200

    async def _away(self, swap_id: str, eta_seconds: float | None) -> None:
        self.swapper.begin(swap_id, COMING)
        view = self.swapper.views[swap_id]
        self.swapper.views[swap_id] = view.model_copy(update={"eta_seconds": eta_seconds})
        event = SwapProgress(
            swap_id=swap_id, n=1, model=COMING, phase=Phase.LOADING, previous_phase=Phase.LAUNCHING,
            eta_seconds=eta_seconds, at=datetime.now(UTC),
        )  # fmt: skip
        await self.swapper.bus.publish_durable(
            subjects.swap_progress(swap_id), event, id=f"{swap_id}:1"
        )

        async def refused() -> bool:
            return not await self._answers()

        await until(refused, "the gateway refuses")

    async def _set(self, name: str, value: str, status: int) -> None:
        self.office.values = {**self.office.values, name: value}
        self.office.version += 1

        async def holds() -> bool:
            found, _ = await self.gateway.ask("GET", "/v1/models")
            return found == status

        await until(holds, f"{name} is {value}")


def playing(answer: bytes) -> Application:
    """Answer with a recorded message: its status, its kind and its body."""
    head, _, body = answer.partition(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1])
    (kind,) = (
        value
        for name, _, value in (line.partition(b": ") for line in head.split(b"\r\n"))
        if name == b"content-type"
    )

    async def play(scope: dict[str, Any], receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        fields = [(b"content-type", kind)]
        await send({"type": "http.response.start", "status": status, "headers": fields})
        await send({"type": "http.response.body", "body": body})

    return play
