"""Requests about which nothing is decided yet: what is kept, who leaves, and late decisions."""

import asyncio
import json
import socket
import struct

import pytest
from gateway_stand.pending import BODY, EDIT, EDITED, NO, OK, SlowDesk, chunked, post

from spark_gateway.dataplane.ports import Passage

pytestmark = pytest.mark.connected

WRITERS = pytest.mark.parametrize("write", [post, chunked], ids=["length", "chunked"])


@WRITERS
@pytest.mark.parametrize("edits", [(), (EDIT,)], ids=["as it is", "edited"])
async def test_a_late_passage_sends_the_whole_body(scene, eventually, write, edits):
    at = await scene()
    client = await at.plane.connect()
    for byte in write():
        await client.send(bytes((byte,)))
    await eventually(lambda: at.desk.visits and "whole" in at.visit.calls)
    assert at.visit.body == BODY
    assert at.plane.upstream.connections == 0
    at.let_pass(*edits)
    assert (await client.message())[1] == b"{}"
    assert at.plane.upstream.bodies == [EDITED if edits else BODY]
    (notes,) = at.notes
    assert (notes.went_to, notes.ends) == (["llm"], [(200, "complete")])
    assert notes.body == BODY
    assert notes.answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert notes.answer.endswith(b"\r\n\r\n{}")


@WRITERS
async def test_a_late_refusal_keeps_the_connection(scene, eventually, write):
    at = await scene()
    client = await at.plane.connect()
    for number in range(1, 3):
        await client.send(write())
        await eventually(lambda n=number: len(at.desk.visits) == n and "whole" in at.visit.calls)
        at.visit.host.decided(NO)
        assert json.loads((await client.message())[1])["error"]["code"] == "model_loading"
    assert [each.ends for each in at.notes] == [[(503, "refused")]] * 2
    assert at.plane.meters.in_flight() == 0


@WRITERS
@pytest.mark.parametrize("moment", ["begin", "whole"])
@pytest.mark.parametrize("passes", [True, False])
async def test_decisions_on_the_spot(scene, write, moment, passes):
    desk = SlowDesk()
    at = await scene(desk)
    goal = Passage(at.to_upstream) if passes else NO
    desk.options = {"decide_at": {moment: goal}, "reads": moment == "whole"}
    client = await at.plane.connect()
    for _ in range(3):
        await client.send(write())
        head, _ = await client.message()
        assert head.split()[1] == (b"200" if passes else b"503")
        if b"connection: close" in head:
            client = await at.plane.connect()
    assert at.plane.upstream.bodies == ([BODY] * 3 if passes else [])
    assert [each.ends for each in at.notes] == [
        [(200, "complete") if passes else (503, "refused")]
    ] * 3


@pytest.mark.parametrize("moment", ["in the body", "decided late", "pipelining"])
async def test_a_client_that_leaves_is_not_waited_for(scene, eventually, moment):
    at = await scene()
    client = await at.plane.connect()
    await client.send(post()[:-3] if moment == "in the body" else post())
    if moment == "pipelining":
        await client.send(post())
    await eventually(lambda: bool(at.desk.visits))
    client.close()
    await eventually(lambda: "left" in at.visit.calls)
    at.let_pass()
    at.visit.host.decided(NO)
    await eventually(lambda: not at.plane.state.connections)
    assert at.plane.upstream.connections == 0
    assert [each.ends for each in at.notes] == [[(0, "left")]]


async def test_what_is_pipelined_behind_waits_its_turn(scene, eventually):
    at = await scene()
    client = await at.plane.connect()
    await client.send(post() + chunked() + b"GET /v1/models HTTP/1.1\r\nHost: g\r\n\r\n")
    await eventually(lambda: bool(at.desk.visits) and "whole" in at.visit.calls)
    assert len(at.desk.visits) == 1
    at.visit.host.decided(NO)
    assert (await client.message())[0].startswith(b"HTTP/1.1 503")
    await eventually(lambda: len(at.desk.visits) == 2 and "whole" in at.visit.calls)
    at.let_pass()
    assert (await client.message())[1] == b"{}"
    assert json.loads((await client.message())[1]) == {"object": "list"}


@pytest.mark.parametrize("reads", [True, False])
async def test_a_client_that_expects_100_is_told_when_its_body_is_wanted(scene, eventually, reads):
    at = await scene(SlowDesk(reads=reads))
    client = await at.plane.connect()
    await client.send(post(more=b"Expect: 100-continue\r\n")[: -len(BODY)])
    await eventually(lambda: bool(at.desk.visits))
    if not reads:
        at.let_pass()
    assert await client.head() == b"HTTP/1.1 100 Continue\r\n\r\n"
    await client.send(BODY)
    if reads:
        await eventually(lambda: "whole" in at.visit.calls)
        at.let_pass(EDIT)
    assert (await client.message())[1] == b"{}"
    assert at.plane.upstream.bodies == [EDITED if reads else BODY]


async def test_a_client_that_expects_100_and_is_refused_never_sends(scene, eventually):
    at = await scene(SlowDesk(reads=False))
    client = await at.plane.connect()
    await client.send(post(more=b"Expect: 100-continue\r\n")[: -len(BODY)])
    await eventually(lambda: bool(at.desk.visits))
    at.visit.host.decided(NO)
    raw = await client.rest()
    assert raw.startswith(b"HTTP/1.1 503")
    assert b"connection: close" in raw


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"DELETE"])
@pytest.mark.parametrize("passes", [True, False])
async def test_requests_without_a_body_wait_too(scene, eventually, method, passes):
    at = await scene()

    async def script(peer):
        while await peer.head():
            await peer.send(OK.removesuffix(b"{}") if method == b"HEAD" else OK)

    at.plane.upstream.script = script
    client = await at.plane.connect()
    for number in range(1, 3):
        await client.send(method + b" /v1/files/1 HTTP/1.1\r\nHost: g\r\n\r\n")
        await eventually(lambda n=number: len(at.desk.visits) == n and "whole" in at.visit.calls)
        if passes:
            at.let_pass()
        else:
            at.visit.host.decided(NO)
        head = await client.head()
        assert head.split()[1] == (b"200" if passes else b"503")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        if method != b"HEAD":
            await client.exactly(length)


@pytest.mark.parametrize("passes", [True, False])
async def test_http_1_0_may_wait(scene, eventually, passes):
    at = await scene()
    client = await at.plane.connect()
    await client.send(post(version=b"1.0"))
    await eventually(lambda: bool(at.desk.visits) and "whole" in at.visit.calls)
    if passes:
        at.let_pass(EDIT)
    else:
        at.visit.host.decided(NO)
    raw = await client.rest()
    assert raw.startswith(b"HTTP/1.1 200" if passes else b"HTTP/1.1 503")


async def test_a_server_that_stops_sends_away_who_waits(scene, eventually):
    at = await scene()
    client = await at.plane.connect()
    await client.send(post())
    await eventually(lambda: bool(at.desk.visits) and "whole" in at.visit.calls)
    for connection in list(at.plane.state.connections):
        connection.shutdown()
    head, body = await client.message()
    assert head.startswith(b"HTTP/1.1 503")
    assert b"x-should-retry: true" in head
    assert json.loads(body)["error"]["code"] == "restarting"
    assert at.visit.calls[-1] == "left"
    assert await client.rest() == b""


async def test_nobody_waits_for_ever(scene):
    at = await scene(total_seconds=0.1)
    client = await at.plane.connect()
    await client.send(post())
    head, body = await client.message()
    assert head.startswith(b"HTTP/1.1 503")
    assert json.loads(body)["error"]["code"] == "waited_too_long"


async def test_a_body_that_does_not_come_is_a_408(scene):
    at = await scene(stall_seconds=0.1)
    client = await at.plane.connect()
    await client.send(post()[:-3])
    assert (await client.head()).startswith(b"HTTP/1.1 408")
    assert at.visit.calls[-1] == "left"


async def test_a_body_longer_than_allowed_is_a_413(scene):
    at = await scene(body_bytes=20)
    client = await at.plane.connect()
    await client.send(chunked())
    assert (await client.head()).startswith(b"HTTP/1.1 413")
    assert at.visit.calls[-1] == "left"


@pytest.mark.parametrize("late", [False, True], ids=["at once", "late"])
async def test_without_room_no_more_is_read_until_it_is_decided(scene, eventually, late):
    desk = SlowDesk(room=100_000)
    at = await scene(desk)
    if not late:
        desk.options["decide_at"] = {"full": Passage(at.to_upstream)}
    body = b"x" * 30_000_000
    client = await at.plane.connect()
    sending = asyncio.create_task(client.send(post(body)))
    await eventually(lambda: bool(at.desk.visits) and "full" in at.visit.calls)
    if late:
        await asyncio.sleep(0.05)
        assert len(at.visit.body) < 1_000_000
        at.let_pass()
    assert (await client.message())[1] == b"{}"
    await sending
    assert at.plane.upstream.bodies == [body]


async def test_a_client_that_leaves_while_nothing_is_read_is_noticed(scene, eventually):
    at = await scene(SlowDesk(room=100_000))
    client = await at.plane.connect()
    client.write(post(b"x" * 30_000_000))
    await eventually(lambda: bool(at.desk.visits) and "full" in at.visit.calls)
    # Without this the end of the connection would wait behind what nobody reads.
    sock = client.writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.reset()
    await eventually(lambda: "left" in at.visit.calls)


@pytest.mark.parametrize("refused", [None, NO])
async def test_the_last_piece_of_a_body_on_trial_waits_for_the_verdict(scene, eventually, refused):
    desk = SlowDesk(room=0, refused=refused)
    at = await scene(desk)
    desk.options["decide_at"] = {"full": Passage(at.to_upstream, (EDIT,), on_trial=True)}
    body = BODY + b" " * 900_000
    client = await at.plane.connect()
    await client.send(post(body))
    head, _ = await client.message()
    assert head.split()[1] == (b"200" if refused is None else b"503")
    assert at.visit.body == body
    assert at.plane.upstream.bodies == ([EDITED + b" " * 900_000] if refused is None else [])
    assert at.plane.meters.in_flight() == 0


async def test_many_waiting_bodies_leave_less_room_for_each(scene, eventually):
    at = await scene(SlowDesk(room=1 << 20), kept_bytes=300_000)
    clients = []
    for number in range(1, 4):
        clients.append(await at.plane.connect())
        await clients[-1].send(post(b"x" * 200_000))
        await eventually(
            lambda n=number: (
                len(at.desk.visits) == n and not {"whole", "full"}.isdisjoint(at.visit.calls)
            )
        )
    assert ["full" in visit.calls for visit in at.desk.visits] == [False, True, True]
    for visit in at.desk.visits:
        visit.host.decided(Passage(at.to_upstream))
    for client in clients:
        assert (await client.message())[1] == b"{}"
    assert at.plane.upstream.bodies == [b"x" * 200_000] * 3
