"""Requests through the data plane to an upstream and back."""

import asyncio
import json

import pytest

from spark_gateway.dataplane.ports import Refusal, Upstream
from spark_gateway.dataplane.refusals import refuse

pytestmark = pytest.mark.connected

CHAT = b"POST /v1/chat/completions HTTP/1.1\r\nHost: gateway\r\nContent-Length: 7\r\n\r\n"
BODY = b'{"a":1}'
SSE = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)


def chunk(payload: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(payload), payload)


async def test_a_request_and_its_answer_pass(plane) -> None:
    async def script(peer) -> None:
        await plane.upstream.serve(peer, b"HTTP/1.1 201 Made\r\ncontent-length: 2\r\n\r\n{}")

    plane.upstream.script = script
    head, body = await plane.ask(CHAT + BODY)
    assert head.startswith(b"HTTP/1.1 201 Made\r\ncontent-length: 2\r\nx-request-id: req-")
    assert body == b"{}"
    assert plane.upstream.bodies == [BODY]
    sent = plane.upstream.heads[0]
    assert sent.startswith(b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:")
    assert sent.split(b"x-request-id: ")[1].split(b"\r\n")[0] in head


@pytest.mark.parametrize("method", [b"GET", b"PUT", b"PATCH", b"DELETE", b"OPTIONS", b"POST"])
async def test_every_method_passes(plane, method: bytes) -> None:
    head, body = await plane.ask(method + b" /v1/things/7?x=%20 HTTP/1.1\r\nHost: g\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK")
    assert body == b"{}"
    assert plane.router.asked == [(method, b"/v1/things/7")]


async def test_head_has_no_body_and_keeps_the_connection(plane) -> None:
    async def script(peer) -> None:
        while await peer.head():
            await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n")

    plane.upstream.script = script
    peer = await plane.connect()
    for _ in range(3):
        await peer.send(b"HEAD /v1/files/1 HTTP/1.1\r\nHost: g\r\n\r\n")
        assert b"content-length: 500" in await peer.head()
    assert plane.upstream.connections == 1


async def test_a_chunked_body_is_framed_anew(plane) -> None:
    async def script(peer) -> None:
        await plane.upstream.serve(peer, b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

    plane.upstream.script = script
    peer = await plane.connect()
    head = b"POST /v1/x HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: Chunked\r\nTrailer: x\r\n\r\n"
    for piece in (head, b"3;a=b\r\nab", b"c\r\n2", b"\r\nde\r\n0\r\nx: y\r\n", b"\r\n"):
        await peer.send(piece)
        await asyncio.sleep(0.01)
    await peer.head()
    assert plane.upstream.bodies == [b"abcde"]
    assert b"transfer-encoding: chunked\r\n" in plane.upstream.heads[0]
    assert b"railer" not in plane.upstream.heads[0]


async def test_the_body_is_streamed_up_as_it_arrives(plane) -> None:
    seen = asyncio.Queue()

    async def script(peer) -> None:
        await peer.head()
        seen.put_nowait(await peer.exactly(3))
        seen.put_nowait(await peer.exactly(4))
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

    plane.upstream.script = script
    peer = await plane.connect()
    await peer.send(CHAT + BODY[:3])
    assert await seen.get() == BODY[:3]
    await peer.send(BODY[3:])
    assert await seen.get() == BODY[3:]
    assert (await peer.head()).startswith(b"HTTP/1.1 200")


async def test_events_arrive_one_by_one(plane) -> None:
    go = asyncio.Event()

    async def script(peer) -> None:
        await peer.message()
        await peer.send(SSE + chunk(b"data: 1\n\n"))
        await go.wait()
        await peer.send(chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n")

    plane.upstream.script = script
    peer = await plane.connect()
    await peer.send(CHAT + BODY)
    await peer.head()
    assert await peer.exactly(14) == chunk(b"data: 1\n\n")
    go.set()
    assert await peer.chunked() == chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n"


async def test_one_upstream_connection_serves_one_request_after_the_other(plane) -> None:
    peer = await plane.connect()
    for _ in range(5):
        await peer.send(CHAT + BODY)
        assert (await peer.message())[1] == b"{}"
    other = await plane.connect()
    await other.send(CHAT + BODY)
    await other.message()
    assert plane.upstream.connections == 1
    assert plane.meters.upstream("llm").total == 6
    assert plane.meters.in_flight() == 0


async def test_an_old_idle_connection_is_not_used_again(make_plane, eventually) -> None:
    plane = await make_plane()
    peer = await plane.connect()
    await peer.send(CHAT + BODY)
    await peer.message()
    await plane.later(61.0)
    await peer.send(CHAT + BODY)
    await peer.message()
    assert plane.upstream.connections == 2


async def test_a_client_that_asks_to_close_is_closed(plane) -> None:
    peer = await plane.connect()
    await peer.send(b"GET /v1/x HTTP/1.1\r\nHost: g\r\nConnection: close\r\n\r\n")
    raw = await peer.rest()
    assert b"connection: close\r\n" in raw
    assert raw.endswith(b"{}")


async def test_http_1_0_gets_a_plain_body_and_the_end(plane) -> None:
    async def script(peer) -> None:
        await peer.message()
        await peer.send(SSE + chunk(b"data: 1\n\n") + chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n")

    plane.upstream.script = script
    peer = await plane.connect()
    await peer.send(b"POST /v1/x HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}")
    head, _, body = (await peer.rest()).partition(b"\r\n\r\n")
    assert body == b"data: 1\n\ndata: [DONE]\n\n"
    assert b"transfer-encoding" not in head


async def test_a_client_that_expects_100_gets_it_before_it_sends(plane) -> None:
    peer = await plane.connect()
    await peer.send(CHAT.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"))
    assert await peer.head() == b"HTTP/1.1 100 Continue\r\n\r\n"
    await peer.send(BODY)
    assert (await peer.message())[1] == b"{}"


async def test_a_refused_client_that_expects_100_never_sends_its_body(plane) -> None:
    plane.router.refusal = refuse(b"/v1/x", 503, "no_model_loaded", "nothing")
    peer = await plane.connect()
    await peer.send(CHAT.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"))
    raw = await peer.rest()
    assert raw.startswith(b"HTTP/1.1 503 ")
    assert b"connection: close" in raw


async def test_a_refusal_keeps_the_connection_for_the_next_try(plane) -> None:
    plane.router.refusal = refuse(b"/v1/x", 503, "no_model_loaded", "nothing")
    peer = await plane.connect()
    await peer.send(CHAT + BODY[:3])
    head, body = await peer.message()
    assert head.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert json.loads(body)["error"]["code"] == "no_model_loaded"
    plane.router.refusal = None
    await peer.send(BODY[3:] + CHAT + BODY)
    assert (await peer.message())[1] == b"{}"
    assert plane.meters.refused == {503: 1}


async def test_a_refused_head_request_gets_no_body(plane) -> None:
    plane.router.refusal = refuse(b"/v1/x", 503, "no_model_loaded", "nothing")
    peer = await plane.connect()
    await peer.send(b"HEAD /v1/x HTTP/1.1\r\nHost: g\r\n\r\n")
    assert b"content-length: " in await peer.head()
    plane.router.refusal = Refusal(204, b"", ())
    await peer.send(b"GET /v1/x HTTP/1.1\r\nHost: g\r\n\r\n")
    assert (await peer.head()).startswith(b"HTTP/1.1 204 No Content\r\n")


async def test_a_dead_upstream_is_a_502_that_names_nothing_internal(plane, unused_tcp_port) -> None:
    plane.router.upstream = Upstream("127.0.0.1", unused_tcp_port)
    peer = await plane.connect()
    for path, shape in ((b"/v1/chat/completions", "openai"), (b"/v1/messages?beta=true", "claude")):
        await peer.send(b"POST " + path + b" HTTP/1.1\r\nHost: g\r\nContent-Length: 2\r\n\r\n{}")
        head, body = await peer.message()
        assert head.startswith(b"HTTP/1.1 502 Bad Gateway\r\n")
        assert b"x-request-id: " in head
        assert b"127.0.0.1" not in head + body
        assert str(unused_tcp_port).encode() not in body
        error = json.loads(body)
        if shape == "openai":
            assert error["error"].keys() == {"message", "type", "param", "code", "src"}
            assert error["error"]["code"] == "upstream_unavailable"
        else:
            assert error["type"] == "error"
            assert error["error"]["type"] == "api_error"


async def test_an_upstream_that_drops_a_new_connection_is_a_502(plane) -> None:
    async def script(peer) -> None:
        await peer.message()
        peer.reset()

    plane.upstream.script = script
    head, _ = await plane.ask(CHAT + BODY)
    assert head.startswith(b"HTTP/1.1 502 ")
    assert plane.upstream.connections == 1


async def test_an_upstream_that_talks_nonsense_is_a_502(plane) -> None:
    async def script(peer) -> None:
        await peer.message()
        await peer.send(b"SSH-2.0-OpenSSH_9\r\n\r\n")

    plane.upstream.script = script
    assert (await plane.ask(CHAT + BODY))[0].startswith(b"HTTP/1.1 502 ")


async def test_a_head_with_a_malformed_body_in_one_segment_is_a_502(plane) -> None:
    async def script(peer) -> None:
        await peer.message()
        await peer.send(SSE + b"zz\r\n")

    plane.upstream.script = script
    assert (await plane.ask(CHAT + BODY))[0].startswith(b"HTTP/1.1 502 ")
    assert plane.meters.upstream("llm").by_class[0] == 1


async def test_a_silent_upstream_is_a_504(make_plane) -> None:
    async def script(peer) -> None:
        await peer.closed()

    plane = await make_plane(first_byte_seconds=0.05)
    plane.upstream.script = script
    head, body = await plane.ask(CHAT + BODY)
    assert head.startswith(b"HTTP/1.1 504 ")
    assert json.loads(body)["error"]["code"] == "upstream_timeout"


async def test_a_reused_connection_that_dies_unanswered_is_replaced_once(plane) -> None:
    async def script(peer) -> None:
        await peer.message()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
        await peer.message()
        peer.reset()

    plane.upstream.script = script
    peer = await plane.connect()
    for _ in range(4):
        await peer.send(CHAT + BODY)
        head, _ = await peer.message()
        assert head.startswith(b"HTTP/1.1 200")
    assert plane.upstream.connections == 4
    assert plane.meters.upstream("llm").retried == 3


async def test_a_body_already_let_go_is_not_sent_again(plane) -> None:
    async def script(peer) -> None:
        await peer.message()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
        await peer.exactly(200_000)
        peer.reset()

    plane.upstream.script = script
    peer = await plane.connect()
    await peer.send(CHAT + BODY)
    await peer.message()
    await peer.send(b"POST /v1/x HTTP/1.1\r\nHost: g\r\nContent-Length: 300000\r\n\r\n")
    await peer.send(b"x" * 200_000)
    assert (await peer.head()).startswith(b"HTTP/1.1 502 ")
    assert plane.upstream.connections == 1


async def test_an_answer_before_the_end_of_the_body_arrives(plane) -> None:
    async def script(peer) -> None:
        await peer.head()
        await peer.send(b"HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\n{}")

    plane.upstream.script = script
    peer = await plane.connect()
    await peer.send(
        b"POST /v1/x HTTP/1.1\r\nHost: g\r\nContent-Length: 9000000\r\n\r\n" + b"x" * 999
    )
    head, body = await peer.message()
    assert head.startswith(b"HTTP/1.1 413 Too Large\r\n")
    assert b"connection: close" in head
    assert body == b"{}"
    assert await peer.rest() == b""


async def test_a_broken_answer_with_a_length_is_cut_short(plane) -> None:
    async def script(peer) -> None:
        await peer.message()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc")
        peer.reset()

    plane.upstream.script = script
    peer = await plane.connect()
    await peer.send(CHAT + BODY)
    assert (await peer.rest()).endswith(b"\r\n\r\nabc")


async def test_a_broken_chunked_answer_is_not_terminated(plane) -> None:
    async def script(peer) -> None:
        await peer.message()
        await peer.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + chunk(b"abc"))
        peer.close()

    plane.upstream.script = script
    peer = await plane.connect()
    await peer.send(CHAT + BODY)
    assert (await peer.rest()).endswith(b"\r\n\r\n3\r\nabc\r\n")


@pytest.mark.parametrize("path", [b"/v1/chat/completions", b"/v1/messages"])
async def test_a_broken_stream_ends_in_one_error_event(plane, path: bytes) -> None:
    async def script(peer) -> None:
        await peer.message()
        await peer.send(SSE + chunk(b'data: {"n":1}\n\n') + b"20\r\ndata: {")
        peer.reset()

    plane.upstream.script = script
    peer = await plane.connect()
    await peer.send(CHAT.replace(b"/v1/chat/completions", path) + BODY)
    _, _, raw = (await peer.rest()).partition(b"\r\n\r\n")
    assert raw.startswith(chunk(b'data: {"n":1}\n\n'))
    assert raw.endswith(b"\r\n0\r\n\r\n")
    assert b"[DONE]" not in raw
    event = raw.split(b"data: ")[-1].split(b"\n\n")[0]
    assert json.loads(event)["error"]["message"]
    assert (b"event: error\n" in raw) is (path == b"/v1/messages")
    assert plane.meters.upstream("llm").broken == 1


async def test_a_closing_upstream_connection_is_not_kept(plane) -> None:
    async def script(peer) -> None:
        await peer.message()
        await peer.send(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}")

    plane.upstream.script = script
    peer = await plane.connect()
    for _ in range(2):
        await peer.send(CHAT + BODY)
        head, _ = await peer.message()
        assert b"connection" not in head
    assert plane.upstream.connections == 2


async def test_the_total_time_ends_a_stream_with_an_error(make_plane) -> None:
    async def script(peer) -> None:
        await peer.message()
        await peer.send(SSE + chunk(b"data: 1\n\n"))
        await peer.closed()

    plane = await make_plane(total_seconds=600.0)
    plane.upstream.script = script
    peer = await plane.connect()
    await peer.send(CHAT + BODY)
    await peer.head()
    await plane.later(601.0)
    raw = await peer.rest()
    assert b'"answer_timeout"' in raw
    assert raw.endswith(b"0\r\n\r\n")
