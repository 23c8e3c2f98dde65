"""Clients and upstreams that leave, stop or hold back where it is least expected."""

import asyncio
import json
import socket

import pytest
from gateway_stand.pending import BODY, NO, SlowDesk, post

from spark_gateway.dataplane.limits import Limits
from spark_gateway.dataplane.ports import Passage
from spark_gateway.dataplane.refusals import refuse

pytestmark = pytest.mark.connected

GET = b"GET /v1/x HTTP/1.1\r\nHost: g\r\n\r\n"
EVENTS = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
TICK = b"9\r\ndata: 1\n\n\r\n"


class Waiting:
    """An upstream that takes requests and answers nothing more than ``first``."""

    def __init__(self, plane, first=b""):
        self.first = first
        self.asked = 0
        self.left = 0
        plane.upstream.script = self

    async def __call__(self, peer):
        await peer.message()
        self.asked += 1
        if self.first:
            await peer.send(self.first)
        await peer.closed()
        self.left += 1


async def flood(peer, size):
    """Bytes enough for nobody to read on, and none after them."""
    await peer.send(GET * (size // len(GET)))


@pytest.mark.parametrize("first", [b"", EVENTS + TICK], ids=["waiting", "streaming"])
async def test_a_client_that_closes_one_half_has_left(plane, eventually, first):
    upstream = Waiting(plane, first)
    client = await plane.connect()
    await client.send(post())
    await eventually(lambda: upstream.asked == 1)
    client.writer.write_eof()
    await eventually(lambda: upstream.left == 1)
    await eventually(lambda: plane.meters.in_flight() == 0 and not plane.state.connections)


async def test_what_was_answered_before_the_end_arrives(plane):
    plane.router.refusal = refuse(b"/v1/x", 503, "no_model_loaded", "nothing")
    client = await plane.connect()
    await client.send(GET * 5)
    client.writer.write_eof()
    assert (await client.rest()).count(b"HTTP/1.1 503 ") == 5


@pytest.mark.parametrize("moment", ["waiting", "held"])
async def test_who_leaves_behind_a_flood_is_heard_although_nobody_reads(
    make_plane, eventually, moment
):
    # No sweep comes to help before the patience of this test has ended.
    plane = await make_plane(sweep_seconds=600.0)
    upstream = Waiting(plane)
    if moment == "held":
        plane.desk = SlowDesk()
    client = await plane.connect()
    await client.send(post())
    await eventually(lambda: upstream.asked == 1 or bool(moment == "held" and plane.desk.visits))
    await flood(client, 100_000)
    (connection,) = plane.state.connections
    await eventually(lambda: connection.flow.read_paused)
    client.close()
    await eventually(lambda: not plane.state.connections)
    assert plane.meters.in_flight() == 0
    if moment == "held":
        assert plane.desk.visits[0].calls[-1] == "left"
    else:
        await eventually(lambda: upstream.left == 1)


async def test_a_client_that_reads_on_after_a_pause_is_served_and_heard(plane, eventually):
    client = await plane.connect()
    for _ in range(2):
        sending = asyncio.ensure_future(flood(client, 100_000))
        for _ in range(100_000 // len(GET)):
            assert (await client.message())[1] == b"{}"
        await sending
    client.close()
    await eventually(lambda: not plane.state.connections)


async def test_who_asks_and_reads_nothing_gets_only_so_much(plane, eventually):
    plane.router.refusal = refuse(b"/v1/x", 503, "no_model_loaded", "nothing")
    client = await plane.connect(limit=1)
    client.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sending = asyncio.ensure_future(client.send(GET * 200_000))
    await eventually(lambda: bool(plane.state.connections))
    (connection,) = plane.state.connections
    await eventually(lambda: connection.flow.write_paused and connection.flow.read_paused)
    answered = plane.meters.refused.get(503, 0)
    await asyncio.sleep(0.05)
    assert plane.meters.refused.get(503, 0) == answered
    assert connection.transport.get_write_buffer_size() < 300_000
    sending.cancel()


async def test_a_client_that_takes_nothing_is_cut_and_a_slow_one_is_not(make_plane, eventually):
    size = 12_000_000
    plane = await make_plane(stall_seconds=60.0, linger_seconds=60.0)

    async def script(peer):
        await peer.message()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size)
        await peer.send(b"x" * size)
        await peer.closed()

    plane.upstream.script = script
    still = await plane.connect(limit=1)
    slow = await plane.connect(limit=1)
    request = post().replace(b"Host: g", b"Host: g\r\nConnection: close")
    await still.send(request)
    await slow.send(request)
    await eventually(lambda: sum(each.write_paused for each in plane.state.connections) == 2)
    got = 0
    while got < size:
        part = await slow.reader.read(1_000_000)
        if not part:
            break
        got += len(part)
        # A look in the middle of a patience, and one at its end: it took something before each.
        await plane.later(31.0)
    raw = got + len(await slow.rest())
    assert raw > size
    slow.close()
    await eventually(lambda: not plane.state.connections)
    assert plane.meters.upstream("llm").aborted == 1
    assert len(await still.rest()) < size


async def test_an_answer_of_which_nothing_more_comes_ends(make_plane):
    plane = await make_plane(silence_seconds=0.1)
    Waiting(plane, EVENTS + TICK)
    client = await plane.connect()
    await client.send(post())
    raw = await client.rest()
    assert raw.count(b'"upstream_disconnected"') == 1
    assert raw.endswith(b"0\r\n\r\n")
    assert plane.meters.upstream("llm").broken == 1


async def test_an_early_answer_is_not_judged_while_its_upload_is_stuck(make_plane, eventually):
    plane = await make_plane(silence_seconds=60.0)
    go = asyncio.Event()

    async def script(peer):
        await peer.head()
        await peer.send(EVENTS + TICK)
        await go.wait()
        await peer.exactly(8_000_000)
        await peer.send(TICK + b"0\r\n\r\n")

    plane.upstream.script = script
    client = await plane.connect()
    client.write(post(b"x" * 8_000_000))
    await client.head()
    await client.exactly(len(TICK))
    (connection,) = plane.state.connections
    await eventually(lambda: connection.flow.read_paused)
    await plane.later(61.0)
    await plane.later(61.0)
    go.set()
    assert await client.chunked() == TICK + b"0\r\n\r\n"


async def test_a_stream_may_take_its_time_before_the_first_event(make_plane):
    plane = await make_plane(silence_seconds=60.0, total_seconds=600.0)
    Waiting(plane, EVENTS)
    client = await plane.connect()
    await client.send(post())
    await client.head()
    for _ in range(9):
        await plane.later(61.0)
    assert plane.state.connections
    await plane.later(61.0)
    raw = await client.rest()
    assert b'"answer_timeout"' in raw


async def test_a_completion_has_half_an_hour():
    limits = Limits()
    assert (limits.first_byte_seconds, limits.total_seconds) == (1800.0, 1800.0)


async def test_an_answer_that_goes_on_slowly_does_not_end(make_plane):
    plane = await make_plane(silence_seconds=60.0)
    next_one = asyncio.Queue()

    async def script(peer):
        await peer.message()
        await peer.send(EVENTS)
        for _ in range(12):
            await next_one.get()
            await peer.send(TICK)
        await peer.send(b"0\r\n\r\n")

    plane.upstream.script = script
    client = await plane.connect()
    await client.send(post())
    await client.head()
    for _ in range(12):
        next_one.put_nowait(None)
        assert await client.exactly(len(TICK)) == TICK
        await plane.later(50.0)
    assert await client.chunked() == b"0\r\n\r\n"


async def test_who_expects_100_may_wait_for_its_turn_longer_than_for_a_body(scene, eventually):
    at = await scene(SlowDesk(reads=False), stall_seconds=60.0)
    client = await at.plane.connect()
    await client.send(post(more=b"Expect: 100-continue\r\n")[: -len(BODY)])
    await eventually(lambda: bool(at.desk.visits))
    await at.plane.later(61.0)
    at.let_pass()
    assert await client.head() == b"HTTP/1.1 100 Continue\r\n\r\n"
    await client.send(BODY)
    assert (await client.message())[1] == b"{}"


async def test_a_body_is_read_on_when_others_have_made_room(scene, eventually):
    at = await scene(SlowDesk(room=1 << 20), kept_bytes=200_000, stall_seconds=60.0)
    first, second = await at.plane.connect(), await at.plane.connect()
    await first.send(post(b"x" * 250_000))
    await eventually(lambda: bool(at.desk.visits) and "whole" in at.visit.calls)
    await second.send(post(b"y" * 100_000)[:-10_000])
    await eventually(lambda: len(at.desk.visits) == 2 and "full" in at.visit.calls)
    await at.plane.later(61.0)
    at.desk.visits[0].host.decided(NO)
    await first.message()
    await second.send(b"y" * 10_000)
    await eventually(lambda: "whole" in at.visit.calls)
    at.let_pass()
    assert (await second.message())[1] == b"{}"
    assert at.plane.upstream.bodies == [b"y" * 100_000]
    assert at.plane.shared.kept_bytes == 0


async def test_a_body_in_tiny_pieces_is_kept_in_few(scene, eventually):
    at = await scene()
    client = await at.plane.connect()
    body = b"x" * 3000
    head = post(body).removesuffix(body)
    await client.send(head)
    for _ in body:
        client.write(b"x")
        await asyncio.sleep(0)
    await eventually(lambda: bool(at.desk.visits) and "whole" in at.visit.calls)
    (connection,) = at.plane.state.connections
    pieces = connection._pending.release()
    assert b"".join(pieces) == body
    assert len(pieces) <= 2
    at.visit.host.decided(NO)
    await client.message()


@pytest.mark.parametrize("end", ["whole", "leaves"])
async def test_a_stream_keeps_company_until_its_answer_begins(scene, eventually, end):
    at = await scene(company_seconds=0.03)
    upstream = Waiting(at.plane)
    client = await at.plane.connect()
    await client.send(post())
    await eventually(lambda: bool(at.desk.visits) and "whole" in at.visit.calls)
    assert b"200 OK" in await client.head()
    at.let_pass()
    await eventually(lambda: upstream.asked == 1)
    comment = b"b\r\n: waiting\n\n\r\n"
    assert await client.exactly(len(comment) * 5) == comment * 5
    if end == "whole":
        at.plane.upstream.reset_all()
        events = await client.rest()
        assert events.count(b'"upstream_disconnected"') == 1
        assert events.endswith(b"0\r\n\r\n")
    else:
        client.close()
        await eventually(lambda: upstream.left == 1)


async def test_a_reused_connection_that_dies_over_a_request_is_not_asked_again(make_plane):
    plane = await make_plane()

    async def script(peer):
        await peer.message()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
        await peer.message()
        await plane.later(61.0)
        peer.reset()

    plane.upstream.script = script
    client = await plane.connect()
    await client.send(post())
    await client.message()
    await client.send(post())
    assert (await client.message())[0].startswith(b"HTTP/1.1 502 ")
    assert plane.upstream.connections == 1


async def test_who_is_not_answered_when_the_server_ends_is_told_to_come_again(
    make_plane, eventually
):
    plane = await make_plane(drain_seconds=0.05)
    upstream = Waiting(plane)
    client = await plane.connect()
    await client.send(post())
    await eventually(lambda: upstream.asked == 1)
    for connection in list(plane.state.connections):
        connection.shutdown()
    head, body = await client.message()
    assert head.startswith(b"HTTP/1.1 503 ")
    assert b"retry-after: " in head
    assert json.loads(body)["error"]["code"] == "restarting"
    await eventually(lambda: upstream.left == 1)


@pytest.mark.parametrize("early", [b"", EVENTS + TICK], ids=["silent", "early answer"])
async def test_no_server_gets_the_end_of_a_body_that_is_refused_after_all(scene, eventually, early):
    desk = SlowDesk(room=0, refused=NO)
    at = await scene(desk)
    desk.options["decide_at"] = {"full": Passage(at.to_upstream, on_trial=True)}
    got = b""

    async def script(peer):
        nonlocal got
        await peer.head()
        await peer.send(early)
        got = await peer.rest()

    at.plane.upstream.script = script
    client = await at.plane.connect()
    await client.send(post(b"x" * 200_000)[:-1])
    await eventually(lambda: bool(at.desk.visits) and "full" in at.visit.calls)
    if early:
        assert b"200 OK" in await client.head()
    await client.send(b"!")
    raw = await client.rest() if early else (await client.message())[1]
    assert raw.count(b'"model_loading"') == 1
    await eventually(lambda: at.plane.meters.in_flight() == 0 and got)
    assert b"!" not in got
