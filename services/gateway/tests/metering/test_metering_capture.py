"""Bodies are kept only while somebody wants them, within bounds, and reach the coordinator."""

import asyncio
from datetime import timedelta

import pytest

from spark_common.bus import Serving
from spark_common.contracts.captures import GET_CAPTURE, KEEP_BODIES, CaptureView, Kept
from spark_common.errors import UnavailableError
from spark_common.testing import FakeClock, MemoryBroker, MemoryBus
from spark_gateway.dataplane.heads import parse_request
from spark_gateway.dataplane.ports import Upstream
from spark_gateway.metering.capture import MOST_BYTES, Body, CaptureDesk
from spark_gateway.metering.metering import Metering


class Stand:
    def __init__(self) -> None:
        self.clock = FakeClock()
        broker = MemoryBroker(clock=self.clock)
        self.coordinator = MemoryBus("coordinator", broker)
        self.desk = CaptureDesk(MemoryBus("gateway", broker), self.clock)
        self.metering = Metering(self.clock, capture=self.desk)
        self.view = CaptureView()
        self.kept = []
        self.away = False

    async def serve(self) -> None:
        await self.coordinator.serve(
            "coordinator",
            "1",
            "captures",
            [Serving(GET_CAPTURE, self.get), Serving(KEEP_BODIES, self.keep)],
        )

    async def get(self, _request) -> CaptureView:
        return self.view

    async def keep(self, request) -> Kept:
        if self.away:
            raise UnavailableError("no room")
        self.kept.append(request)
        return Kept(kept=True)

    def want(self, minutes=1.0, kilobytes=1) -> None:
        until = self.clock.now() + timedelta(minutes=minutes)
        self.view = CaptureView(on=True, until=until, kilobytes=kilobytes)

    def begin(self, number=1):
        head = parse_request(b"POST /v1/completions HTTP/1.1\r\nhost: x\r\n\r\n")
        request = self.metering.watch(head, None, b"req-%d" % number, b"")
        request.received(b'{"prompt":"private"}')
        request.sent(Upstream("127.0.0.1", 8888))
        return request

    def ask(self, number=1, answer=b"HTTP/1.1 200 OK\r\n\r\nanswer") -> None:
        request = self.begin(number)
        request.begins(answer)
        request.ended(200, "complete")
        self.metering.settle()


@pytest.fixture
async def stand():
    made = Stand()
    await made.serve()
    return made


async def test_nothing_is_kept_until_somebody_wants_it(stand):
    stand.ask()
    stand.want()
    stand.ask()
    await stand.desk.send()
    assert stand.kept == []


async def test_what_is_wanted_reaches_the_coordinator(stand):
    stand.want()
    await stand.desk.look()
    stand.ask(answer=b"HTTP/1.1 200 OK\r\n\r\n" + b"\xff" * 2000)
    await stand.desk.send()
    (kept,) = stand.kept
    assert (kept.id, kept.path, kept.asked) == (
        "req-1",
        "/v1/completions",
        b'{"prompt":"private"}',
    )
    assert (len(kept.answered), kept.answered_bytes) == (1024, 2019)


async def test_a_request_that_outlives_the_time_is_forgotten(stand):
    stand.want()
    await stand.desk.look()
    request = stand.begin()
    stand.ask(2)
    await stand.clock.advance(61)
    request.ended(200, "complete")
    stand.metering.settle()
    await stand.desk.send()
    assert stand.kept == []
    assert stand.desk._reserved == 0
    assert not stand.desk.view.on


async def test_what_nobody_takes_waits_and_is_bounded(stand):
    stand.want(kilobytes=256)
    await stand.desk.look()
    stand.away = True
    room = MOST_BYTES // (512 * 1024)
    for number in range(room + 5):
        stand.ask(number)
    await stand.desk.send()
    assert stand.kept == []
    stand.away = False
    await stand.desk.send()
    assert len(stand.kept) == room
    stand.ask(99)
    await stand.desk.send()
    assert stand.kept[-1].id == "req-99"


async def test_switched_off_here_it_ends_at_once(stand):
    stand.want()
    await stand.desk.look()
    stand.ask()
    stand.desk.tell(CaptureView())
    await stand.desk.send()
    assert stand.kept == []
    assert stand.desk.begin() is None


async def test_it_looks_again_and_again(stand):
    running = asyncio.create_task(stand.desk.run())
    try:
        await stand.clock.advance(1)
        stand.want()
        await stand.clock.advance(2)
        assert stand.desk.view.on
    finally:
        running.cancel()


def test_a_body_keeps_its_beginning():
    body = Body(5)
    for piece in (b"ab", b"", b"cdefg", b"h"):
        body.add(piece)
    assert (body.content, body.kept, body.size) == (b"abcde", 5, 8)
