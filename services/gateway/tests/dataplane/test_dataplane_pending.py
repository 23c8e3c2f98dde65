"""Requests about which nothing is decided yet: what is kept, who leaves, and late decisions."""

import asyncio
import json
import socket
import struct
from dataclasses import dataclass, field

import pytest

from spark_gateway.dataplane.ports import Edit, Passage, Upstream
from spark_gateway.dataplane.refusals import refuse

pytestmark = pytest.mark.connected

BODY = b'{"model":"auto","stream":true}'
EDIT = Edit(10, 14, b"a-much-longer-name")
EDITED = b'{"model":"a-much-longer-name","stream":true}'
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
EVENTS = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
NO = refuse(b"/v1/chat/completions", 503, "model_loading", "not yet")


@dataclass
class SlowVisit:
    """Decides when the test says so."""

    host: object
    watcher: object
    room: int = 1 << 20
    reads: bool = True
    body: bytes = b""
    calls: list[str] = field(default_factory=list)
    refused: object = None
    decide_at: dict = field(default_factory=dict)

    def _at(self, moment):
        self.calls.append(moment)
        if moment in self.decide_at:
            self.host.decided(self.decide_at[moment])

    def begin(self):
        self._at("begin")

    def feed(self, content, *, last):
        self.body += content
        if last:
            self._at("whole")

    def full(self):
        self._at("full")

    def verdict(self):
        self.calls.append("verdict")
        return self.refused

    def left(self):
        self.calls.append("left")


class Notes:
    """A watcher that remembers."""

    wants_data = True
    wants_body = True
    extra_fields = b"x-extra: 1\r\n"

    def __init__(self):
        self.answer = b""
        self.body = b""
        self.ends = []
        self.went_to = []

    def known(self, identity): ...
    def named(self, model): ...
    def waited(self, seconds, why): ...

    def sent(self, upstream):
        self.went_to.append(upstream.name)

    def received(self, content):
        self.body += content

    def passed(self, data):
        self.answer += data

    def ended(self, status, how):
        self.ends.append((status, how))


class SlowDesk:
    """Gives every request a visit of its own."""

    def __init__(self, **options):
        self.visits = []
        self.options = options

    def receive(self, head, peer, watcher, host):
        visit = SlowVisit(host, watcher, **self.options)
        self.visits.append(visit)
        return visit


@dataclass
class Scene:
    plane: object
    desk: SlowDesk
    notes: list

    @property
    def visit(self):
        return self.desk.visits[-1]

    @property
    def to_upstream(self):
        return Upstream("127.0.0.1", self.plane.upstream.port)

    def let_pass(self, *edits, **more):
        self.visit.host.decided(Passage(self.to_upstream, edits, **more))


@pytest.fixture
async def scene(make_plane):
    async def make(desk=None, **limits):
        plane = await make_plane(**limits)
        plane.desk = desk or SlowDesk()
        notes = []

        def watching(head, peer, request_id):
            notes.append(Notes())
            return notes[-1]

        plane.watching = watching
        plane.upstream.script = lambda peer: plane.upstream.serve(peer, OK)
        return Scene(plane, plane.desk, notes)

    return make


def post(body=BODY, more=b"", version=b"1.1"):
    head = b"POST /v1/chat/completions HTTP/%b\r\nHost: g\r\n%bContent-Length: %d\r\n\r\n"
    return head % (version, more, len(body)) + body


def chunked(body=BODY, size=7):
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return (
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
        + b"0\r\n\r\n"
    )


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


async def test_a_client_that_wants_no_stream_gets_no_comments(scene, eventually):
    at = await scene(company_seconds=0.02)
    client = await at.plane.connect()
    await client.send(post(b'{"model":"auto","stream":false}'))
    await asyncio.sleep(0.15)
    at.visit.host.decided(NO)
    assert (await client.message())[0].startswith(b"HTTP/1.1 503")


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
