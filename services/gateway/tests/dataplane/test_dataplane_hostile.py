"""Clients that lie, stall or send too much."""

import asyncio
import gzip
import json
import time

import pytest

from spark_common.testing.wait import PATIENCE_SECONDS
from spark_gateway.dataplane.desk import FrontDesk
from spark_gateway.dataplane.ports import Choice

pytestmark = pytest.mark.connected

POST = b"POST /v1/x HTTP/1.1\r\nHost: g\r\n"
SMUGGLED = b"GET /v1/smuggled HTTP/1.1\r\nHost: g\r\n\r\n"

ATTACKS = {
    "length and coding": POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "coding and length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
    "two lengths": POST + b"Content-Length: 0\r\nContent-Length: 44\r\n\r\n",
    "length list": POST + b"Content-Length: 0, 44\r\n\r\n",
    "signed length": POST + b"Content-Length: +0\r\n\r\n",
    "obfuscated coding": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "coding with vertical tab": POST + b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
    "space before colon": POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "folded": POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "bare line feeds": b"POST /v1/x HTTP/1.1\nHost: g\nContent-Length: 0\n\n",
    "one bare line feed": POST + b"X: y\nContent-Length: 44\r\n\r\n",
    "bare carriage return": POST + b"X: y\rContent-Length: 44\r\n\r\n",
    "bad chunk size": POST + b"Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n",
    "chunk size with sign": POST + b"Transfer-Encoding: chunked\r\n\r\n-0\r\n\r\n",
    "chunk size too long": POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"0" * 40 + b"\r\n\r\n",
    "chunk without its end": POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
    "chunk with bare line feeds": POST + b"Transfer-Encoding: chunked\r\n\r\n0\n\n",
    "coding in HTTP/1.0": b"POST /v1/x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "lengths of two values": POST + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcd",
    "length in hexadecimal": POST + b"Content-Length: 0x4\r\n\r\nabcd",
    "length of many digits": POST + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n",
    "empty length": POST + b"Content-Length: \r\n\r\n",
    "length with a space": POST + b"Content-Length: 4 4\r\n\r\n",
    "two codings": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n",
    "list of codings": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked twice": POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "quoted coding": POST + b'Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n',
    "empty coding": POST + b"Transfer-Encoding: \r\n\r\n0\r\n\r\n",
    "length in disguise": POST + b"Content_Length: 44\r\n\r\n",
    "coding in disguise": POST + b"Transfer_Encoding: chunked\r\n\r\n0\r\n\r\n",
    "folded in the first place": b"POST /v1/x HTTP/1.1\r\n X: y\r\nHost: g\r\n\r\n",
    "no name": POST + b": y\r\n\r\n",
    "no colon": POST + b"Content-Length\r\n\r\n",
    "NUL in a name": POST + b"X\x00: y\r\n\r\n",
    "NUL in the target": b"POST /v1/\x00 HTTP/1.1\r\nHost: g\r\n\r\n",
    "two hosts": POST + b"Host: h\r\n\r\n",
    "space in the target": b"POST /v1/ x HTTP/1.1\r\nHost: g\r\n\r\n",
    "tab in the request line": b"POST\t/v1/x\tHTTP/1.1\r\nHost: g\r\n\r\n",
    "two spaces": b"POST  /v1/x HTTP/1.1\r\nHost: g\r\n\r\n",
    "no version": b"POST /v1/x\r\nHost: g\r\n\r\n",
    "authority for a target": b"POST g:80 HTTP/1.1\r\nHost: g\r\n\r\n",
    "scheme nobody speaks": b"POST ftp://g/v1/x HTTP/1.1\r\nHost: g\r\n\r\n",
    "fragment": b"POST /v1/x#y HTTP/1.1\r\nHost: g\r\n\r\n",
    "dot segments": b"POST /v1/x/../../api/echo HTTP/1.1\r\nHost: g\r\n\r\n",
    "encoded dot segments": b"POST /v1/%2E%2e/api/echo HTTP/1.1\r\nHost: g\r\n\r\n",
    "chunk of spaces": POST + b"Transfer-Encoding: chunked\r\n\r\n 1\r\nx\r\n0\r\n\r\n",
    "chunk extension with a line feed": POST
    + b"Transfer-Encoding: chunked\r\n\r\n1;a\nb\r\nx\r\n0\r\n\r\n",
    "trailer without a colon": POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\nx\r\n\r\n",
    "endless trailers": POST
    + b"Transfer-Encoding: chunked\r\n\r\n0\r\n"
    + b"x: y\r\n" * 4000
    + b"\r\n",
    "no host": b"POST /v1/x HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
    "control byte": POST + b"X: \x00\r\nContent-Length: 0\r\n\r\n",
    "asgi, length and coding": b"POST /api/echo HTTP/1.1\r\nHost: g\r\nContent-Length: 4\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "asgi, bad chunk": b"POST /api/echo HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"0x0\r\n\r\n",
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
@pytest.mark.parametrize("step", [1, 100_000], ids=["bytewise", "at once"])
async def test_an_ambiguous_message_is_a_400_and_the_end(plane, attack: bytes, step: int) -> None:
    peer = await plane.connect()
    raw = attack + SMUGGLED
    for start in range(0, len(raw), step):
        peer.write(raw[start : start + step])
        if step == 1:
            await asyncio.sleep(0)
    answer = await peer.rest()
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert answer.count(b"HTTP/1.1 ") == 1
    assert b"connection: close\r\n" in answer
    assert (b"GET", b"/v1/smuggled") not in plane.router.asked


async def test_the_application_does_not_answer_after_a_400(plane, caplog) -> None:
    peer = await plane.connect()
    head = b"POST /api/nothing HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n"
    await peer.send(head + b"0x0\r\n\r\n")
    answer = await peer.rest()
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert answer.count(b"HTTP/1.1 ") == 1
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


async def test_a_head_that_is_too_large_is_a_431(make_plane) -> None:
    plane = await make_plane(head_bytes=2000)
    for filler in (b"X: " + b"y" * 3000 + b"\r\n\r\n", b"X: " + b"y" * 3000):
        peer = await plane.connect()
        await peer.send(POST + filler)
        assert (await peer.rest()).startswith(b"HTTP/1.1 431 ")


async def test_a_body_that_says_it_is_too_large_is_a_413_before_it_is_read(make_plane) -> None:
    plane = await make_plane(body_bytes=1000)
    peer = await plane.connect()
    await peer.send(POST + b"Content-Length: 1001\r\n\r\n")
    raw = await peer.rest()
    assert raw.startswith(b"HTTP/1.1 413 ")
    assert json.loads(raw.partition(b"\r\n\r\n")[2])["error"]["code"] == "request_too_large"
    assert plane.upstream.connections == 0


async def test_a_body_that_grows_too_large_is_a_413(make_plane, eventually) -> None:
    left = asyncio.Event()

    async def script(peer) -> None:
        await peer.closed()
        left.set()

    plane = await make_plane(body_bytes=1000)
    plane.upstream.script = script
    peer = await plane.connect()
    await peer.send(
        POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"190\r\n" + b"x" * 400 + b"\r\n"
    )
    await eventually(lambda: plane.upstream.connections == 1)
    await peer.send(b"190\r\n" + b"x" * 400 + b"\r\n190\r\n" + b"x" * 400 + b"\r\n")
    assert (await peer.rest()).startswith(b"HTTP/1.1 413 ")
    await asyncio.wait_for(left.wait(), PATIENCE_SECONDS)


async def test_the_413_is_readable_while_the_client_still_sends(make_plane) -> None:
    plane = await make_plane(body_bytes=1000)
    peer = await plane.connect()
    await peer.send(POST + b"Content-Length: 5000000\r\n\r\n")
    for _ in range(50):
        await peer.send(b"x" * 100_000)
    assert (await peer.head()).startswith(b"HTTP/1.1 413 ")


async def test_a_slow_head_is_a_408(make_plane) -> None:
    plane = await make_plane(head_seconds=0.1)
    peer = await plane.connect()
    peer.write(POST)
    answer = asyncio.ensure_future(peer.rest())
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not answer.done():
            peer.write(b"X")
            await asyncio.sleep(0.02)
    assert answer.result().startswith(b"HTTP/1.1 408 ")


async def test_a_stalled_body_is_a_408_and_frees_the_upstream(make_plane) -> None:
    left = asyncio.Event()

    async def script(peer) -> None:
        await peer.closed()
        left.set()

    plane = await make_plane(stall_seconds=0.1)
    plane.upstream.script = script
    peer = await plane.connect()
    await peer.send(POST + b"Content-Length: 100\r\n\r\nabc")
    assert (await peer.rest()).startswith(b"HTTP/1.1 408 ")
    await asyncio.wait_for(left.wait(), PATIENCE_SECONDS)


async def test_an_idle_connection_is_closed_without_a_word(make_plane, eventually) -> None:
    plane = await make_plane(keep_alive_seconds=60.0)
    peers = [await plane.connect() for _ in range(2)]
    await peers[1].send(b"GET /v1/x HTTP/1.1\r\nHost: g\r\n\r\n")
    await peers[1].message()
    await eventually(lambda: len(plane.state.connections) == 2)
    await plane.later(59.0)
    assert len(plane.state.connections) == 2
    await plane.later(2.0)
    for peer in peers:
        assert await peer.rest() == b""


async def test_a_client_that_never_closes_is_cut(make_plane, eventually) -> None:
    plane = await make_plane(linger_seconds=0.1)
    peer = await plane.connect()
    await peer.send(b"nonsense\r\n\r\n")
    await peer.head()
    await eventually(lambda: not plane.state.connections)


async def test_an_upstream_that_speaks_unasked_is_dropped(plane, eventually) -> None:
    async def script(peer) -> None:
        await peer.message()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil")
        await peer.closed()

    plane.upstream.script = script
    peer = await plane.connect()
    for _ in range(3):
        await peer.send(b"GET /v1/x HTTP/1.1\r\nHost: g\r\n\r\n")
        assert (await peer.message())[1] == b"{}"
        await eventually(lambda: not any(map(len, plane.shared._pools.values())))
    assert plane.upstream.connections == 3


@pytest.mark.parametrize("method", [b"FOO", b"get", b"CONNECT", b"TRACE"])
@pytest.mark.parametrize("before", [b"", b"GET /api/nothing HTTP/1.1\r\nHost: g\r\n\r\n"])
async def test_a_method_nobody_knows_is_a_405_on_both_sides(plane, method, before) -> None:
    for path in (b"/v1/x", b"/api/echo"):
        peer = await plane.connect()
        await peer.send(before + method + b" " + path + b" HTTP/1.1\r\nHost: g\r\n\r\n")
        if before:
            await peer.message()
        head, body = await peer.message()
        assert head.startswith(b"HTTP/1.1 405 Method Not Allowed\r\n")
        assert b"\r\nallow: GET, HEAD, POST, " in head
        assert b'"code":"method_not_allowed"' in body
        assert await peer.rest() == b""


UNREADABLE = {
    400: b"GET /api/status HTTP/1.1\r\nHost: g\r\nX : y\r\n\r\n",
    417: b"POST /api/swap HTTP/1.1\r\nHost: g\r\nExpect: a-pony\r\n\r\n",
    431: b"GET /api/status HTTP/1.1\r\nHost: g\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
    505: b"GET /api/status HTTP/1.9\r\nHost: g\r\n\r\n",
}


@pytest.mark.parametrize(("status", "raw"), UNREADABLE.items(), ids=map(str, UNREADABLE))
async def test_what_cannot_be_read_is_answered_in_the_dialect_of_its_path(
    plane, status: int, raw: bytes
) -> None:
    head, body = await plane.ask(raw)
    fields = head.lower()
    problem = json.loads(body)
    assert b"content-type: application/problem+json\r\n" in fields
    assert b"access-control-allow-origin" not in fields
    assert fields.count(b"x-request-id: ") == 1
    assert (problem["status"], problem["code"]) == (status, "invalid_request")
    named = problem["instance"].removeprefix("urn:spark-control:request:")
    assert f"x-request-id: {named}\r\n".encode() in fields
    _, body = await plane.ask(raw.replace(b"/api/", b"/v1/"))
    assert json.loads(body)["error"]["code"] == "invalid_request"


async def test_a_broken_body_is_answered_in_the_dialect_of_its_path(plane) -> None:
    broken = b" HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n"
    assert json.loads((await plane.ask(b"POST /api/echo" + broken))[1])["status"] == 400
    assert "error" in json.loads((await plane.ask(b"POST /v1/x" + broken))[1])


@pytest.mark.parametrize("path", [b"/v1/realtime", b"/v1/messages"])
async def test_a_websocket_is_refused_and_other_upgrades_are_ignored(plane, path) -> None:
    asked = b"GET %b HTTP/1.1\r\nHost: g\r\nConnection: Upgrade\r\nUpgrade: %b\r\n\r\n"
    head, body = await plane.ask(asked % (path, b"WebSocket"))
    assert head.startswith(b"HTTP/1.1 501 ")
    assert b"x-should-retry: false" in head
    said = json.loads(body)
    assert said["error"]["message"].startswith("WebSockets are not spoken here")
    assert plane.upstream.connections == 0
    assert (await plane.ask(asked % (path, b"h2c")))[0].startswith(b"HTTP/1.1 200 OK")


async def test_what_only_the_parser_above_refuses_is_a_400_too(plane, caplog) -> None:
    for before in (b"", b"GET /api/nothing HTTP/1.1\r\nHost: g\r\n\r\n"):
        peer = await plane.connect()
        await peer.send(before)
        if before:
            await peer.message()
        head = b"POST /api/nothing HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n"
        await peer.send(head + b'1;"\r\nx\r\n0\r\n\r\n')
        assert (await peer.rest()).startswith(b"HTTP/1.1 400 ")
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


async def test_one_request_has_one_answer_also_when_its_body_breaks_behind_it(plane) -> None:
    peer = await plane.connect()
    await peer.send(
        b"POST /api/nothing HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n"
    )
    assert (await peer.message())[0].startswith(b"HTTP/1.1 404 ")
    await peer.send(b"nonsense\r\n")
    assert await peer.rest() == b""


async def test_a_flood_of_empty_lines_keeps_nobody_waiting(plane) -> None:
    peer, other = await plane.connect(), await plane.connect()
    sending = asyncio.ensure_future(peer.send(b"\r\n" * 2_000_000))
    longest = 0.0
    while not sending.done():
        # What other programs take of the machine meanwhile is none of the flood's.
        began = time.process_time()
        await other.send(b"GET /v1/x HTTP/1.1\r\nHost: g\r\n\r\n")
        assert (await other.message())[1] == b"{}"
        longest = max(longest, time.process_time() - began)
    assert longest < 0.5
    await peer.send(b"GET /v1/x HTTP/1.1\r\nHost: g\r\n\r\n")
    assert (await peer.message())[1] == b"{}"


async def test_empty_lines_do_not_give_a_head_more_time(make_plane) -> None:
    plane = await make_plane(head_seconds=0.1)
    peer = await plane.connect()
    peer.write(b"\r")
    answer = asyncio.ensure_future(peer.rest())
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not answer.done():
            peer.write(b"\n\r")
            await asyncio.sleep(0.01)
    assert answer.result().startswith(b"HTTP/1.1 408 ")


async def test_thousands_of_header_fields_pass_or_are_too_much(plane) -> None:
    many = b"".join(b"x-%d: y\r\n" % number for number in range(4000))
    assert (await plane.ask(POST + many + b"Content-Length: 0\r\n\r\n"))[1] == b"{}"
    assert b" 431 " in (await plane.ask(POST + many * 2 + b"\r\n"))[0]


BOMB = gzip.compress(b"\0" * 20_000_000)


@pytest.mark.parametrize("coding", [b"gzip", b"x-gzip, gzip", b"br"])
async def test_a_compressed_body_passes_as_it_is(plane, coding) -> None:
    async def script(peer) -> None:
        await plane.upstream.serve(peer, b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

    plane.upstream.script = script
    head = POST + b"Content-Encoding: %b\r\nContent-Length: %d\r\n\r\n" % (coding, len(BOMB))
    for desk in (None, FrontDesk(AsksTheBody(plane.router.upstream))):
        plane.desk = desk
        assert b" 200 " in (await plane.ask(head + BOMB))[0]
    assert plane.upstream.bodies == [BOMB, BOMB]
    assert all(b"Content-Encoding: " + coding in sent for sent in plane.upstream.heads)


class AsksTheBody:
    """A chooser that wants to know the model."""

    def __init__(self, upstream) -> None:
        self.upstream = upstream

    def at_head(self, head):
        return None

    def choose(self, head, model):
        return Choice(self.upstream)


DIALECTS = {
    b"/v1/chat/completions": "server",
    b"/v1/messages": "anthropic",
    b"http://g/v1/messages": "anthropic",
    b"/messages": "anthropic",
    b"//v1//messages/": "anthropic",
}


@pytest.mark.parametrize(("target", "dialect"), DIALECTS.items())
async def test_also_what_is_malformed_is_answered_in_the_callers_dialect(
    make_plane, target, dialect
) -> None:
    plane = await make_plane(head_seconds=0.05)
    for rest in (b"X : y\r\n\r\n", b"X: " + b"y" * 70_000, b"X: y"):
        head, body = await plane.ask(b"POST " + target + b" HTTP/1.1\r\nHost: g\r\n" + rest)
        said = json.loads(body)
        assert ("type" in said) is (dialect == "anthropic")
        assert said["error"]["message"]
        assert head.count(b"x-request-id: ") == 1


async def test_apps_of_any_origin_may_read_what_upstreams_answer(plane) -> None:
    asked = b"GET /v1/x HTTP/1.1\r\nHost: g\r\nOrigin: http://app.example\r\n\r\n"
    allowed = b"access-control-allow-origin: "
    assert (await plane.ask(asked))[0].count(allowed + b"*\r\n") == 1
    assert allowed not in (await plane.ask(asked.replace(b"Origin: ", b"X: ")))[0]

    async def script(peer) -> None:
        await plane.upstream.serve(
            peer,
            b"HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: theirs\r\ncontent-length: 0\r\n\r\n",
        )

    plane.upstream.script = script
    plane.upstream.reset_all()
    head, _ = await plane.ask(asked)
    assert head.lower().count(allowed) == 1
    assert b"Origin: theirs" in head
