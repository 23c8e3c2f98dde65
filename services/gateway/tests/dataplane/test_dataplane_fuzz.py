"""Random and nearly right bytes against a live plane: every connection ends, nothing is left."""

import asyncio
import logging
import random
import re
import socket
import threading
import time

import pytest
import uvloop
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from uvicorn.config import Config
from uvicorn.server import ServerState

from spark_common.clock import SystemClock
from spark_common.testing.wait import PATIENCE_SECONDS
from spark_gateway.dataplane.desk import FrontDesk
from spark_gateway.dataplane.limits import Limits
from spark_gateway.dataplane.meters import Meters
from spark_gateway.dataplane.ports import Choice, Upstream
from spark_gateway.dataplane.protocol import make_protocol
from spark_gateway.dataplane.refusals import refuse
from spark_gateway.metering.metering import Metering
from spark_gateway.queueing.turnstile import Bounds, FairTurnstile

pytestmark = pytest.mark.connected

ANSWER = re.compile(rb"HTTP/1\.1 (\d{3}) [^\r\n]*\r\n((?:[^\r\n]+\r\n)*)\r\n")
PIECES = (
    b"GET /v1/x HTTP/1.1\r\nHost: g\r\n\r\n",
    b"HEAD /v1/x HTTP/1.1\r\nHost: g\r\n\r\n",
    b"POST /v1/chat/completions HTTP/1.1\r\nHost: g\r\nContent-Length: 13\r\n\r\n",
    b"POST /v1/messages HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"POST /api/echo HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"POST /api/echo HTTP/1.1\r\nHost: g\r\nContent-Length: 13\r\n\r\n",
    b"GET /v1/models HTTP/1.1\r\nHost: g\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: g\r\n\r\n",
    b"GET http://other/v1/x HTTP/1.1\r\nHost: g\r\n\r\n",
    b"GET https://[::1 HTTP/1.1\r\nHost: g\r\n\r\n",
    b"POST /v1/x HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}",
    b'{"model":"a"}',
    b'{"model":"no"',
    b'd\r\n{"model":"a"}\r\n0\r\n\r\n',
    b"0\r\n\r\n",
    b"1\r\nx\r\n",
    b"ffffffffffffff\r\n",
    b"Expect: 100-continue\r\n",
    b"Connection: close\r\n",
    b"Connection: Upgrade\r\nUpgrade: websocket\r\n",
    b"Connection: Upgrade\r\nUpgrade: h2c\r\n",
    b"Content-Length: 5\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Host: g\r\n",
    b"GET /api/",
    b" HTTP/1.1\r\n",
    b"\r\n",
    b"\n",
    b"\r",
    b"\x00",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"%2e%2e/",
    b"X: " + b"y" * 3000 + b"\r\n",
)


class Chooser:
    """Reads every body, and knows two models."""

    def __init__(self, port):
        self.upstream = Upstream("127.0.0.1", port)

    def at_head(self, head):
        return None if head.chunked or head.length else self.upstream

    def choose(self, head, model):
        if model == "no":
            return refuse(head.path, 404, "model_not_found", "no such model")
        return Choice(self.upstream, "another" if model == "a" else None)


async def upstream(reader, writer):
    """Answers, or breaks off, or says nothing; by its own dice."""
    dice = random.Random(7)
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            lowered = head.lower()
            if b"chunked" in lowered:
                while await reader.readline() != b"0\r\n":
                    pass
            elif b"content-length: " in lowered:
                await reader.readexactly(int(lowered.split(b"content-length: ")[1].split()[0]))
            what = dice.randrange(6)
            if what == 0:
                break
            if what == 1:
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n")
                writer.write(b"transfer-encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n5\r\ndat")
                break
            body = b"" if head.startswith(b"HEAD") else b"{}"
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n" + body)
    except (asyncio.IncompleteReadError, ConnectionError, ValueError, asyncio.LimitOverrunError):
        pass
    finally:
        writer.close()


async def application(scope, receive, send):
    """Reads the body and answers; everything is there."""
    while (await receive()).get("more_body"):
        pass
    fields = [(b"content-length", b"2"), (b"x-request-id", b"theirs")]
    await send({"type": "http.response.start", "status": 200, "headers": fields})
    await send({"type": "http.response.body", "body": b"{}"})


class Live:
    """A plane on a loop of its own, with visits, caps and metering on."""

    def __init__(self):
        self.problems = []
        self.state = ServerState()
        self.meters = Meters()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._ready.wait(10)

    def _run(self):
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._serve())

    async def _serve(self):
        loop = self.loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: self.problems.append(str(context)))
        behind = await asyncio.start_server(upstream, "127.0.0.1", 0)
        clock = SystemClock()
        self.turnstile = FairTurnstile(
            lambda _: 1, lambda: Bounds(4, 0.05), clock.monotonic, capped=lambda: True
        )
        desk = FrontDesk(Chooser(behind.sockets[0].getsockname()[1]), turnstile=self.turnstile)
        limits = Limits(
            head_bytes=8000, body_bytes=5000, head_seconds=0.3, stall_seconds=0.3,
            keep_alive_seconds=0.3, linger_seconds=0.2, first_byte_seconds=1.0,
            total_seconds=2.0, sweep_seconds=0.02,
        )  # fmt: skip
        protocol = make_protocol(desk, limits, self.meters, watching=Metering(clock).watch)
        self.plane = protocol.plane
        config = Config(app=application, http=protocol, ws="none", log_config=None)
        server = await loop.create_server(lambda: protocol(config, self.state, {}), "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._end = asyncio.Event()
        self._ready.set()
        await self._end.wait()
        server.close()
        behind.close()

    def close(self):
        self.loop.call_soon_threadsafe(self._end.set)
        self._thread.join(30)

    def left_over(self):
        """What should be nothing once nobody is there."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            left = (
                len(self.state.connections),
                self.meters.in_flight(),
                self.plane.kept_bytes,
                self.turnstile.inside("llm"),
                self.turnstile.waiting("llm"),
            )
            if not any(left):
                break
            time.sleep(0.01)
        return left

    def say(self, pieces, end):
        """Send pieces apart, end as told, and return all that was answered."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_SECONDS) as client:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            got = b""
            try:
                for piece in pieces:
                    client.sendall(piece)
                if end == "leave":
                    return got
                if end == "half":
                    client.shutdown(socket.SHUT_WR)
                while part := client.recv(65536):
                    got += part
            except (BrokenPipeError, ConnectionResetError):
                pass
            return got


@pytest.fixture(scope="module")
def live():
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    plane = Live()
    yield plane
    plane.close()


pieces = st.lists(
    st.one_of(st.sampled_from(PIECES), st.binary(max_size=40), st.just(PIECES[2] + PIECES[11])),
    min_size=1,
    max_size=8,
)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(pieces=pieces, end=st.sampled_from(("wait", "half", "half", "leave")))
def test_whatever_is_sent_the_connection_ends_and_nothing_is_left(live, caplog, pieces, end):
    got = live.say(pieces, end)
    for status, fields in ANSWER.findall(got):
        if status != b"100":
            assert fields.lower().count(b"x-request-id: ") == 1
    assert live.left_over() == (0, 0, 0, 0, 0)
    assert live.problems == []
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
