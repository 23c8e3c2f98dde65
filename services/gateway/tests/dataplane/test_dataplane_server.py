"""The protocol class inside a real uvicorn, with a real client of OpenAI's API."""

import asyncio
import json
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from spark_common.testing.later import Later
from spark_gateway.dataplane.desk import FrontDesk
from spark_gateway.dataplane.free import ByHead
from spark_gateway.dataplane.limits import Limits
from spark_gateway.dataplane.meters import Meters
from spark_gateway.dataplane.ports import Upstream
from spark_gateway.dataplane.protocol import make_protocol

openai = Later("openai")

pytestmark = pytest.mark.connected

CAPTURES = Path(__file__).parent / "captures"


class EchoingSocket(asyncio.Protocol):
    """Stands where a WebSocket implementation would: takes the connection over and echoes."""

    def __init__(self, config: object, server_state: object, app_state: object) -> None:
        del config, server_state, app_state

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if data.startswith(b"GET /ws "):
            self.transport.write(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
            data = data.partition(b"\r\n\r\n")[2]
        self.transport.write(data)


class Serving:
    def __init__(self, server: uvicorn.Server, port: int, meters: Meters) -> None:
        self.server = server
        self.port = port
        self.meters = meters
        self.url = f"http://127.0.0.1:{port}"


@asynccontextmanager
async def serving(upstream_port: int, **limits: float) -> AsyncIterator[Serving]:
    app = FastAPI()

    @app.get("/v1/models")
    async def models() -> dict[str, object]:
        model = {"id": "tiny", "object": "model", "created": 1, "owned_by": "vllm"}
        return {"object": "list", "data": [model]}

    @app.get("/api/ticks")
    async def ticks() -> StreamingResponse:
        async def tick() -> AsyncIterator[bytes]:
            for number in range(3):
                yield b"data: %d\n\n" % number

        return StreamingResponse(tick(), media_type="text/event-stream")

    class Router:
        def route(self, method: bytes, path: bytes, headers: object) -> Upstream:
            return Upstream("127.0.0.1", upstream_port)

    meters = Meters()
    protocol = make_protocol(
        FrontDesk(ByHead(Router())),
        Limits(sweep_seconds=0.02, **limits),  # type: ignore[arg-type]
        meters,
    )
    sock = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        app, http=protocol, ws=EchoingSocket, log_level="warning", lifespan="off", log_config=None
    )
    server = uvicorn.Server(config)
    # uvicorn takes the signals of the process over; in a test they belong to pytest.
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    running = asyncio.ensure_future(server.serve(sockets=[sock]))
    try:
        yield Serving(server, sock.getsockname()[1], meters)
    finally:
        server.should_exit = True
        await asyncio.wait_for(running, 30)
        for number, handler in handlers.items():
            signal.signal(number, handler)


async def test_the_openai_client_chats_and_streams(plane) -> None:
    whole = CAPTURES.joinpath("chat.txt").read_bytes()
    streamed = CAPTURES.joinpath("chat_stream.raw.txt").read_bytes()

    async def script(peer) -> None:
        while True:
            head, body = await peer.message()
            if not head:
                return
            await peer.send(streamed if json.loads(body).get("stream") else whole)

    plane.upstream.script = script
    async with serving(plane.upstream.port) as gateway:
        client = openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key="any", max_retries=0)
        async with client:
            assert [model.id async for model in await client.models.list()] == ["tiny"]
            answer = await client.chat.completions.create(
                model="tiny", messages=[{"role": "user", "content": "hello"}]
            )
            assert "Paris" in (answer.choices[0].message.content or "")
            assert answer._request_id is not None
            stream = await client.chat.completions.create(
                model="tiny", messages=[{"role": "user", "content": "hello"}], stream=True
            )
            chunks = [chunk async for chunk in stream]
            assert chunks[0].choices[0].delta.role == "assistant"
            assert chunks[-1].choices[0].finish_reason == "length"
        assert gateway.meters.upstream("llm").total == 2


async def test_the_openai_client_raises_when_a_stream_breaks(plane) -> None:
    streamed = CAPTURES.joinpath("chat_stream.raw.txt").read_bytes()

    async def script(peer) -> None:
        await peer.message()
        await peer.send(streamed[:900])
        peer.reset()

    plane.upstream.script = script
    async with serving(plane.upstream.port) as gateway:
        client = openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key="any", max_retries=0)
        async with client:
            stream = await client.chat.completions.create(
                model="tiny", messages=[{"role": "user", "content": "hello"}], stream=True
            )
            with pytest.raises(openai.APIError, match="in the middle of the answer"):
                _ = [chunk async for chunk in stream]


async def test_everything_else_is_the_applications(plane) -> None:
    async with serving(plane.upstream.port) as gateway, httpx.AsyncClient(timeout=60) as client:
        for _ in range(3):
            assert (await client.get(f"{gateway.url}/v1/models")).json()["object"] == "list"
            assert (await client.post(f"{gateway.url}/v1/chat/completions", json={})).json() == {}
            assert (await client.get(f"{gateway.url}/nothing")).status_code == 404
            ticks = await client.get(f"{gateway.url}/api/ticks")
            assert ticks.text == "data: 0\n\ndata: 1\n\ndata: 2\n\n"
    assert plane.upstream.connections == 1


async def test_a_websocket_on_an_asgi_path_takes_the_connection_over(plane) -> None:
    async with serving(plane.upstream.port) as gateway:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        writer.write(
            b"GET /ws HTTP/1.1\r\nHost: g\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: eA==\r\n\r\nearly"
        )
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 101 Switching Protocols\r\n\r\n"
        assert await reader.readexactly(5) == b"early"
        frame = b"POST /v1/x HTTP/1.1\r\n\r\n"
        writer.write(frame)
        assert await reader.readexactly(len(frame)) == frame
        writer.transport.abort()


async def test_answers_under_way_finish_when_the_server_stops(plane) -> None:
    go = asyncio.Event()
    chunk = b"9\r\ndata: 1\n\n\r\n"

    async def script(peer) -> None:
        await peer.message()
        await peer.send(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
            b"transfer-encoding: chunked\r\n\r\n" + chunk
        )
        await go.wait()
        await peer.send(chunk + b"0\r\n\r\n")

    plane.upstream.script = script
    async with serving(plane.upstream.port) as gateway:
        idle = await asyncio.open_connection("127.0.0.1", gateway.port)
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        writer.write(b"POST /v1/x HTTP/1.1\r\nHost: g\r\nContent-Length: 0\r\n\r\n")
        await reader.readuntil(chunk)
        gateway.server.should_exit = True
        assert await idle[0].read() == b""
        go.set()
        assert await reader.read() == chunk + b"0\r\n\r\n"
        writer.close()
        idle[1].close()


async def test_an_answer_that_takes_too_long_does_not_keep_the_server(
    plane, eventually: Callable[..., object]
) -> None:
    async def script(peer) -> None:
        await peer.message()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc")
        await peer.closed()

    plane.upstream.script = script
    async with serving(plane.upstream.port, drain_seconds=0.1) as gateway:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        writer.write(b"POST /v1/x HTTP/1.1\r\nHost: g\r\nContent-Length: 0\r\n\r\n")
        await reader.readuntil(b"abc")
        gateway.server.should_exit = True
        assert await reader.read() == b""
        writer.close()
