"""Streams that begin before there is an answer: comments, and what comes of them."""

import asyncio
import json

import pytest
from gateway_stand.pending import BODY, EVENTS, NO, post

from spark_gateway.dataplane.company import opening

pytestmark = pytest.mark.connected


async def waiting_stream(scene, eventually, version=b"1.1", body=BODY):
    """A client that has heard twice that it still waits."""
    at = await scene(company_seconds=0.05)
    client = await at.plane.connect()
    await client.send(post(body, version=version))
    await eventually(lambda: bool(at.desk.visits) and "whole" in at.visit.calls)
    head = await client.head()
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"content-type: text/event-stream" in head
    assert b"x-request-id: " in head
    assert b"access-control-expose-headers: x-request-id, " in head
    comment = b": waiting\n\n" if version == b"1.0" else b"b\r\n: waiting\n\n\r\n"
    assert await client.exactly(2 * len(comment)) == comment * 2
    return at, client, comment


def payload(raw):
    """The events of a chunked stream; fails when it does not end as it should."""
    out = b""
    while raw:
        size, _, raw = raw.partition(b"\r\n")
        count = int(size, 16)
        out += raw[:count]
        assert raw[count : count + 2] == b"\r\n"
        raw = raw[count + 2 :]
        if count == 0:
            assert raw == b""
            return out
    raise AssertionError("no end")


def without_comments(events):
    return events.replace(b": waiting\n\n", b"")


@pytest.mark.parametrize("framing", ["chunked", "length", "until close"])
@pytest.mark.parametrize("version", [b"1.1", b"1.0"])
async def test_a_stream_that_was_kept_company_goes_on_with_the_answer(
    scene, eventually, framing, version
):
    at, client, _ = await waiting_stream(scene, eventually, version)
    text = b'data: {"n":1}\n\ndata: [DONE]\n\n'

    async def script(peer):
        await peer.message()
        if framing == "chunked":
            await peer.send(EVENTS + b"transfer-encoding: chunked\r\n\r\n")
            for at in range(0, len(text), 5):
                piece = text[at : at + 5]
                await peer.send(b"%x\r\n%b\r\n" % (len(piece), piece))
            await peer.send(b"0\r\n\r\n")
        elif framing == "length":
            await peer.send(EVENTS + b"content-length: %d\r\n\r\n" % len(text) + text)
        else:
            await peer.send(EVENTS + b"\r\n" + text)

    at.plane.upstream.script = script
    at.let_pass()
    if version == b"1.0":
        assert without_comments(await client.rest()) == text
    else:
        assert without_comments(payload(await client.chunked())) == text
    await eventually(lambda: at.notes[0].ends == [(200, "complete")])
    meter = at.plane.meters.upstream("llm")
    assert (meter.in_flight, meter.waiting, meter.by_class[2]) == (0, 0, 1)


@pytest.mark.parametrize("version", [b"1.1", b"1.0"])
async def test_a_late_refusal_becomes_an_event(scene, eventually, version):
    at, client, _ = await waiting_stream(scene, eventually, version)
    at.visit.host.decided(NO)
    raw = await client.rest()
    events = without_comments(raw if version == b"1.0" else payload(raw))
    assert json.loads(events.removeprefix(b"data: "))["error"]["code"] == "model_loading"
    assert b"[DONE]" not in raw
    assert at.notes[0].ends == [(503, "refused")]


@pytest.mark.parametrize("framing", ["length", "until close", "silence", "half"])
async def test_an_upstream_that_fails_after_company_becomes_an_event(scene, eventually, framing):
    at, client, _ = await waiting_stream(scene, eventually)
    error = b'{\n"error":{"message":"bad","code":400}}'

    async def script(peer):
        await peer.message()
        if framing == "half":
            await peer.send(EVENTS + b"transfer-encoding: chunked\r\n\r\n5\r\ndata:")
            peer.reset()
        elif framing == "silence":
            peer.reset()
        else:
            length = b"content-length: %d\r\n" % len(error) if framing == "length" else b""
            await peer.send(b"HTTP/1.1 400 Bad\r\n" + length + b"\r\n" + error)

    at.plane.upstream.script = script
    at.let_pass()
    events = without_comments(payload(await client.chunked()))
    data = events.rpartition(b"data: {")[2]
    told = json.loads(b"{" + data.replace(b"data: ", b""))
    assert told["error"]["message"]
    assert told["error"]["code"] == (
        400 if framing in ("length", "until close") else "upstream_disconnected"
    )


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b"HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n", 500),
        (b"HTTP/1.1 204 Nothing\r\n\r\n", 204),
        (b"HTTP/1.1 502 Bad\r\ncontent-length: 12\r\n\r\n<b>\nOops</b>", 502),
        (b'HTTP/1.1 404 No\r\ncontent-length: 22\r\n\r\n{"detail":"Not Found"}', 404),
        (b'HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n{"a":1}', 200),
        (b"HTTP/1.1 400 Bad\r\ncontent-length: 9\r\n\r\n" + b"[" * 9, 400),
    ],
)
async def test_what_is_neither_a_stream_nor_an_error_is_told_as_an_error(
    scene, eventually, answer, status
):
    at, client, _ = await waiting_stream(scene, eventually)

    async def script(peer):
        await peer.message()
        await peer.send(answer)

    at.plane.upstream.script = script
    at.let_pass()
    events = without_comments(payload(await client.chunked()))
    (data,) = (line for line in events.splitlines() if line.startswith(b"data: "))
    told = json.loads(data.removeprefix(b"data: "))["error"]
    assert (told["code"], told["src"]) == ("upstream_unavailable", "upstream")
    assert str(status) in told["message"]


async def test_a_client_that_wants_no_stream_gets_no_comments(scene, eventually):
    at = await scene(company_seconds=0.02)
    client = await at.plane.connect()
    await client.send(post(b'{"model":"auto","stream":false}'))
    await asyncio.sleep(0.15)
    at.visit.host.decided(NO)
    assert (await client.message())[0].startswith(b"HTTP/1.1 503")


def test_clients_of_anthropic_are_told_the_number_of_a_request_that_waits():
    for path, told in ((b"/v1/messages", 1), (b"/v1/messages/count_tokens", 1), (b"/v1/x", 0)):
        assert opening(path, (), b"r1", http10=False).count(b"\r\nrequest-id: r1\r\n") == told
