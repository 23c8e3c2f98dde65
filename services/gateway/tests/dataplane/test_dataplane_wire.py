"""Answers of a real vLLM through a plane on which everything is switched on: not a byte is changed.

Keys, caps, metering and capture watch; the upstream writes as it likes, and dies where it likes.
"""

import asyncio
import json
import re
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from gateway_stand.office import Office

from spark_common.clock import SystemClock
from spark_common.contracts.captures import CaptureView
from spark_common.settings.policies import QueueSettings
from spark_common.testing import MemoryBroker, MemoryBus
from spark_gateway.dataplane.desk import FrontDesk
from spark_gateway.keys.cutting import cuts
from spark_gateway.keys.doorkeeper import KeyDoorkeeper
from spark_gateway.metering.capture import CaptureDesk
from spark_gateway.metering.metering import Metering
from spark_gateway.queueing.caps import Caps
from spark_gateway.queueing.turnstile import FairTurnstile

pytestmark = pytest.mark.connected

CAPTURES = {path.name.split(".")[0]: path for path in Path(__file__).parent.glob("captures/*.txt")}
STREAMS = (
    # Every position here; elsewhere so many apart: each answer alone is cut everywhere without a
    # plane around it, in test_dataplane_answers.py.
    pytest.param("chat_stream", "/v1/chat/completions", 1, id="chat"),
    pytest.param("messages_stream", "/v1/messages", 4, id="messages"),
    pytest.param("responses_stream", "/v1/responses", 9, id="responses"),
)
ADDED = re.compile(
    rb"(?:(?:request-id|x-request-id|x-spark-overhead-ms|x-spark-queue-ms): [^\r]*"
    rb"|cache-control: no-cache|x-accel-buffering: no)\r\n"
)
TERMINATOR = b"0\r\n\r\n"
SIDE_BY_SIDE = 8


def on_the_wire(name: str) -> bytes:
    """A capture as the server sent it; one that curl decoded is framed as vLLM does it."""
    raw = CAPTURES[name].read_bytes()
    head, _, body = raw.partition(b"\r\n\r\n")
    if b"transfer-encoding: chunked" in head and ".raw" not in CAPTURES[name].name:
        events = [event + b"\n\n" for event in body.split(b"\n\n") if event]
        body = b"".join(b"%x\r\n%b\r\n" % (len(event), event) for event in events) + TERMINATOR
    return head + b"\r\n\r\n" + body


class Everything:
    """A plane with all of its features on, and a client that shows a key."""

    def __init__(self, plane) -> None:
        self.plane = plane
        self.office = Office()
        clock = SystemClock()
        caps = Caps(lambda: QueueSettings(model_requests_at_once=SIDE_BY_SIDE // 2))
        self.turnstile = FairTurnstile(
            caps.of, caps.bounds, clock.monotonic, capped=lambda: caps.any()
        )
        door = KeyDoorkeeper(lambda: self.office.settings, self.office.book, lambda: False)
        plane.desk = FrontDesk(plane.chooser, plane.own, doorkeeper=door, turnstile=self.turnstile)
        self.office.book.on_closed(cuts(plane.shared))
        self.capture = CaptureDesk(MemoryBus("gateway", MemoryBroker()), clock)
        until = clock.now() + timedelta(hours=1)
        self.capture.tell(CaptureView(on=True, until=until, kilobytes=16))
        self.over = []
        self.metering = Metering(clock, lambda: "tiny", self.over.extend, self.capture)
        plane.watching = self.metering.watch
        self.key = self.office.issue(
            "alice", "infer", concurrency=SIDE_BY_SIDE, models=["org/model"]
        )

    def request(self, path: str, number: int) -> bytes:
        body = b'{"model":"org/model","n":%d,"stream":true}' % number
        return (
            b"POST %b HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer %b\r\nContent-Length: %d\r\n\r\n"
            % (path.encode(), self.key.encode(), len(body))
        ) + body

    def settled(self) -> None:
        """Everything that was taken has been given back."""
        shared = self.plane.shared
        assert (shared.kept_bytes, self.plane.meters.in_flight()) == (0, 0)
        assert (self.turnstile.inside("llm"), self.turnstile.waiting("llm")) == (0, 0)


@pytest.fixture
async def everything(plane):
    return Everything(plane)


def number_in(body: bytes) -> int:
    return int(json.loads(body)["n"])


async def side_by_side(plane, numbers, one) -> None:
    """Run ``one`` for each number, several clients at a time; it says whether to go on."""
    waiting = iter(numbers)

    async def client() -> None:
        peer = await plane.connect()
        for number in waiting:
            if not await one(peer, number):
                peer.close()
                peer = await plane.connect()

    await asyncio.gather(*(client() for _ in range(SIDE_BY_SIDE)))


def without_ours(answer: bytes) -> bytes:
    """What the client got, without the field lines that are said to be added."""
    head, end, body = answer.partition(b"\r\n\r\n")
    return ADDED.sub(b"", head + b"\r\n") + end[2:] + body


async def ask_each(everything, path, raw, plans) -> None:
    """Have the same answer written as each plan says: where it is cut."""

    async def script(peer):
        while True:
            head, body = await peer.message()
            if not head:
                return
            plan = plans[number_in(body)]
            for start, end in pairwise((0, *plan, len(raw))):
                if start < end:
                    await peer.send(raw[start:end])
                    await asyncio.sleep(0)

    everything.plane.upstream.script = script

    async def one(peer, number):
        await peer.send(everything.request(path, number))
        head = await peer.head()
        left = len(raw) - (raw.index(b"\r\n\r\n") + 4)
        assert without_ours(head + await peer.exactly(left)) == raw
        return True

    await side_by_side(everything.plane, range(len(plans)), one)
    everything.settled()


@pytest.mark.parametrize(("name", "path", "step"), STREAMS)
async def test_a_stream_in_two_writes_cut_at_every_position(everything, name, path, step):
    raw = on_the_wire(name)
    await ask_each(everything, path, raw, [(cut,) for cut in range(0, len(raw), step)])
    everything.metering.settle()
    assert {(each.status, each.how) for each in everything.over} == {(200, "complete")}


@pytest.mark.parametrize("name", CAPTURES)
async def test_every_answer_byte_by_byte_and_in_one_piece(everything, name):
    raw = on_the_wire(name)
    await ask_each(everything, "/v1/chat/completions", raw, [range(1, len(raw)), ()])


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize(("name", "path", "step"), STREAMS)
async def test_an_upstream_that_dies_at_every_position_of_a_stream(
    everything, name, path, step, how
):
    raw = on_the_wire(name)
    whole = payload_of(raw)
    begins = raw.index(b"\r\n\r\n") + 4
    step *= 3 if how == "reset" else 1

    async def script(peer):
        number = number_in((await peer.message())[1])
        await peer.send(raw[:number])
        if how == "reset":
            await asyncio.sleep(0.001)
            peer.reset()

    everything.plane.upstream.script = script

    async def one(peer, number):
        await peer.send(everything.request(path, number))
        if number < begins:
            head, body = await peer.message()
            assert head.startswith(b"HTTP/1.1 502 ")
            check_error(path, json.loads(body))
        else:
            head = await peer.head()
            check_broken(path, payload_of(head + await peer.rest()), whole)
        assert head.count(b"x-request-id: ") == 1
        return number < begins

    await side_by_side(everything.plane, range(0, len(raw) - 1, step), one)
    everything.settled()
    assert everything.plane.meters.upstream("llm").retried == 0


def check_error(path, said):
    """An error in the dialect of its path."""
    if path == "/v1/messages":
        assert (said["type"], said["error"]["type"]) == ("error", "api_error")
    else:
        assert said["error"]["type"] == "server_error"
    assert said["error"]["message"]


def check_broken(path, payload, whole):
    """The beginning of the stream in whole events, and one error at its end."""
    name = b"event: error\n" if path == "/v1/messages" else b""
    before, mark, last = payload.rpartition(name + b"data: ")
    assert mark
    assert last.endswith(b"\n\n")
    check_error(path, json.loads(last))
    assert last.count(b"\n\n") == 1
    assert whole.startswith(before.removesuffix(b"\n\n"))
    assert before == b"" or before.endswith(b"\n\n")


def payload_of(answer):
    """The payload of a chunked answer; strict, and independent of the code under test."""
    rest = answer.partition(b"\r\n\r\n")[2]
    payload = b""
    while True:
        line, _, rest = rest.partition(b"\r\n")
        size = int(line, 16)
        payload += rest[:size]
        assert rest[size : size + 2] == b"\r\n"
        rest = rest[size + 2 :]
        if size == 0:
            assert rest == b""
            return payload


async def test_an_upstream_that_dies_in_an_answer_in_one_piece(everything):
    raw = on_the_wire("chat")
    begins = raw.index(b"\r\n\r\n") + 4

    async def script(peer):
        await peer.send(raw[: number_in((await peer.message())[1])])

    everything.plane.upstream.script = script

    async def one(peer, number):
        await peer.send(everything.request("/v1/chat/completions", number))
        if number < begins:
            head, body = await peer.message()
            assert head.startswith(b"HTTP/1.1 502 ")
            check_error("/v1/chat/completions", json.loads(body))
        else:
            # Its length was told: that it is missing bytes is plain to see.
            assert without_ours(await peer.rest()) == raw[:number]
        return number < begins

    await side_by_side(everything.plane, range(0, len(raw), 3), one)
    everything.settled()
