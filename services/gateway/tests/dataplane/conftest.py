"""A gateway data plane in this process, an upstream that misbehaves on order, raw clients."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pytest
import uvloop
from fastapi import FastAPI, Request
from gateway_stand.pending import OK as OK_AT_ONCE
from gateway_stand.pending import Notes, Scene, SlowDesk
from uvicorn.config import Config
from uvicorn.server import ServerState

from spark_common.testing.wait import PATIENCE_SECONDS
from spark_gateway.catalogue import Catalogue
from spark_gateway.dataplane.choosing import ModelChooser
from spark_gateway.dataplane.desk import FrontDesk
from spark_gateway.dataplane.free import ByHead, nobody_watches
from spark_gateway.dataplane.heads import RequestHead
from spark_gateway.dataplane.limits import Limits
from spark_gateway.dataplane.meters import Meters
from spark_gateway.dataplane.own_question import OwnQuestion
from spark_gateway.dataplane.ports import (
    Chooser,
    Desk,
    Field,
    Host,
    Passage,
    Refusal,
    Upstream,
    UpstreamNow,
    Visit,
    Watcher,
    Watching,
)
from spark_gateway.dataplane.protocol import make_protocol
from spark_gateway.dataplane.reservation import Reservation
from spark_gateway.dataplane.upstreams import Upstreams
from spark_gateway.dataplane.watch import Served

Script = Callable[["Peer"], Awaitable[None]]
AT_LEISURE = {
    "sweep_seconds": 0.02,
    "connect_seconds": 60.0,
    "idle_upstream_seconds": 60.0,
    "repeat_seconds": 60.0,
}
"""Limits that a test which is not about them never meets, however long the machine stands still."""


class MovableLoop(uvloop.Loop):  # type: ignore[misc]
    """The loop that production runs on; what is measured by its time passes when a test says so."""

    ahead_seconds = 0.0

    def time(self) -> float:
        return float(super().time()) + self.ahead_seconds


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Test on the loop that production runs on: transports differ in their corners."""
    return {"uvloop": MovableLoop}


class Peer:
    """One connection, either side, spoken byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def write(self, data: bytes) -> None:
        self.writer.write(data)

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def head(self) -> bytes:
        """The next head, empty line included; b"" at the end of the connection."""
        try:
            return await self.reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as error:
            return error.partial

    async def exactly(self, count: int) -> bytes:
        return await self.reader.readexactly(count)

    async def chunked(self) -> bytes:
        """A chunked body as it stands on the wire, to its end."""
        raw = b""
        while not raw.endswith(b"0\r\n\r\n"):
            part = await self.reader.read(65536)
            if not part:
                break
            raw += part
        return raw

    async def message(self) -> tuple[bytes, bytes]:
        """Head and body of the next message, framed by Content-Length or chunked."""
        head = await self.head()
        fields = head.lower()
        if b"transfer-encoding: chunked" in fields:
            body = b""
            while True:
                size = int(await self.reader.readuntil(b"\r\n"), 16)
                body += (await self.reader.readexactly(size + 2))[:-2]
                if size == 0:
                    return head, body
        if b"content-length: " in fields:
            length = int(fields.split(b"content-length: ")[1].split(b"\r\n")[0])
            return head, await self.reader.readexactly(length)
        return head, b""

    async def rest(self) -> bytes:
        """Everything until the other side closes; a reset ends it as well."""
        raw = b""
        with contextlib.suppress(ConnectionError):
            while part := await self.reader.read(65536):
                raw += part
        return raw

    async def closed(self) -> None:
        await self.rest()

    def reset(self) -> None:
        self.writer.transport.abort()

    def close(self) -> None:
        self.writer.close()


class ScriptedUpstream:
    """Runs ``script`` for each connection; remembers how many there were."""

    def __init__(self) -> None:
        self.script: Script = answer_ok
        self.connections = 0
        self.heads: list[bytes] = []
        self.bodies: list[bytes] = []
        self._peers: set[Peer] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        peer = Peer(reader, writer)
        self._peers.add(peer)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                await self.script(peer)
        finally:
            self._peers.discard(peer)
            writer.close()

    async def serve(self, peer: Peer, answer: bytes) -> None:
        """Answer every request of a connection alike."""
        while True:
            head, body = await peer.message()
            if not head:
                return
            self.heads.append(head)
            self.bodies.append(body)
            await peer.send(answer)

    def reset_all(self) -> None:
        for peer in self._peers:
            peer.reset()


OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-type: application/json\r\n\r\n{}"


async def answer_ok(peer: Peer) -> None:
    while (await peer.message())[0]:
        await peer.send(OK)


@dataclass
class FixedRouter:
    """Sends everything to one upstream unless told to refuse."""

    upstream: Upstream
    refusal: Refusal | None = None
    asked: list[tuple[bytes, bytes]] = field(default_factory=list)

    def route(self, method: bytes, path: bytes, headers: Sequence[Field]) -> Upstream | Refusal:
        self.asked.append((method, path))
        return self.refusal or self.upstream


class Plane:
    """A listening gateway with its scripted upstream."""

    def __init__(self, upstream: ScriptedUpstream) -> None:
        self.upstream = upstream
        self.router = FixedRouter(Upstream("127.0.0.1", upstream.port))
        self.meters = Meters()
        self.chooser: Chooser = ByHead(self.router)
        self.desk: Desk | None = None
        """Set to something else than the front desk, where a test stands behind it itself."""
        self.watching: Watching = nobody_watches
        self.body_limit: Callable[[bytes], int] | None = None
        self.state = ServerState()
        self.port = 0
        self._stack = contextlib.AsyncExitStack()
        self._peers: list[Peer] = []

    async def listen(self, limits: Limits) -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        self.own = OwnQuestion(lambda: self.router.upstream, "127.0.0.1", self.port)
        protocol = make_protocol(
            self,
            limits,
            self.meters,
            lambda: "a-model",
            lambda *request: self.watching(*request),
            lambda path: self.body_limit(path) if self.body_limit else limits.body_bytes,
        )
        self.shared = protocol.plane
        config = Config(app=asgi_side(), http=protocol, ws="none", log_config=None)
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: protocol(config, self.state, {}), sock=listener)
        self._stack.push_async_callback(server.wait_closed)
        self._stack.callback(server.close)

    def receive(
        self, head: RequestHead, peer: str | None, watcher: Watcher, host: Host, body: bytes = b""
    ) -> Passage | Refusal | Visit:
        desk = self.desk or FrontDesk(self.chooser, self.own)
        return desk.receive(head, peer, watcher, host, body)

    def choose_with(
        self, reservation: Reservation, catalogue: Catalogue | None = None
    ) -> ModelChooser:
        """A chooser that sends everything to the one upstream, under the name of its place."""

        def at(name: str) -> UpstreamNow:
            return lambda: Upstream("127.0.0.1", self.upstream.port, name)

        upstreams = Upstreams(at("llm"), at("embed"), at("audio"), at("redaction"))
        nothing = Catalogue(Served, Served, tuple, lambda: True, tuple, 0)
        return ModelChooser(self.router, upstreams, catalogue or nothing, reservation, frozenset)

    async def later(self, seconds: float) -> None:
        """Let time pass for every limit of the plane, and let its sweep look at what that means."""
        loop = asyncio.get_running_loop()
        assert isinstance(loop, MovableLoop)
        loop.ahead_seconds += seconds
        for _ in range(2):
            # The second one begins after what the first one ended.
            swept = self.shared._sweep
            await until(lambda swept=swept: self.shared._sweep is not swept or swept is None)

    async def connect(self, **options: int) -> Peer:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, **options)
        peer = Peer(reader, writer)
        self._peers.append(peer)
        return peer

    async def ask(self, request: bytes) -> tuple[bytes, bytes]:
        """One request on a connection of its own."""
        peer = await self.connect()
        await peer.send(request)
        answer = await peer.message()
        peer.close()
        return answer

    async def close(self) -> None:
        for peer in self._peers:
            peer.reset()
        self.upstream.reset_all()
        await until(lambda: not self.state.connections)
        await self._stack.aclose()


def asgi_side() -> FastAPI:
    app = FastAPI()

    @app.get("/v1/models")
    async def models() -> dict[str, str]:
        return {"object": "list"}

    @app.post("/api/echo")
    async def echo(request: Request) -> dict[str, int]:
        return {"bytes": len(await request.body())}

    return app


async def until(claim: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until ``claim`` holds; fail when it does not in time."""
    async with asyncio.timeout(seconds):
        while not claim():
            await asyncio.sleep(0.002)


MakePlane = Callable[..., Awaitable[Plane]]


@pytest.fixture
async def make_plane() -> AsyncIterator[MakePlane]:
    """Start a gateway with the limits given as keywords."""
    planes: list[Plane] = []
    servers: list[asyncio.Server] = []

    async def start(**limits: float) -> Plane:
        upstream = ScriptedUpstream()
        server = await asyncio.start_server(upstream, "127.0.0.1", 0)
        servers.append(server)
        upstream.port = server.sockets[0].getsockname()[1]
        plane = Plane(upstream)
        await plane.listen(Limits(**{**AT_LEISURE, **limits}))  # type: ignore[arg-type]
        planes.append(plane)
        return plane

    yield start
    for plane in planes:
        await plane.close()
    for server in servers:
        server.close()
        await server.wait_closed()


@pytest.fixture
async def plane(make_plane: MakePlane) -> Plane:
    return await make_plane()


@pytest.fixture
def eventually() -> Iterator[Callable[[Callable[[], bool]], Awaitable[None]]]:
    return until


@pytest.fixture
async def scene(make_plane):
    async def make(desk=None, **limits):
        plane = await make_plane(**limits)
        plane.desk = desk or SlowDesk()
        notes = []

        def watching(head, peer, request_id, body):
            notes.append(Notes(body))
            return notes[-1]

        plane.watching = watching
        plane.upstream.script = lambda peer: plane.upstream.serve(peer, OK_AT_ONCE)
        return Scene(plane, plane.desk, notes)

    return make
