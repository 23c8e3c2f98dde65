"""Clients that lie, stall or send too much."""

import asyncio
import json

import pytest

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
    await asyncio.wait_for(left.wait(), 1)


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
    started = asyncio.get_running_loop().time()
    peer.write(POST)
    answer = asyncio.ensure_future(peer.rest())
    while not answer.done():
        peer.write(b"X")
        await asyncio.sleep(0.02)
    assert answer.result().startswith(b"HTTP/1.1 408 ")
    assert asyncio.get_running_loop().time() - started < 2


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
    await asyncio.wait_for(left.wait(), 1)


async def test_an_idle_connection_is_closed_without_a_word(make_plane) -> None:
    plane = await make_plane(keep_alive_seconds=0.1)
    peer = await plane.connect()
    assert await peer.rest() == b""
    peer = await plane.connect()
    await peer.send(b"GET /v1/x HTTP/1.1\r\nHost: g\r\n\r\n")
    await peer.message()
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
        await asyncio.sleep(0.02)
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
