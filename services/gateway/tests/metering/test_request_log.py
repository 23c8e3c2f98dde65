"""The log on its way: in batches, kept while nobody takes it, bounded, and never a secret."""

import asyncio
from datetime import timedelta

import pytest

from spark_common.bus import Serving
from spark_common.contracts.requests import APPEND_REQUESTS, Appended
from spark_common.errors import InvalidRequestError, UnavailableError
from spark_common.testing import FakeClock, MemoryBroker, MemoryBus
from spark_gateway.dataplane.heads import RequestHead, parse_request
from spark_gateway.dataplane.ports import Upstream
from spark_gateway.metering.metering import Metering
from spark_gateway.metering.request_log import BATCH, MOST_WAITING, RequestLog

FIELDS = (
    b"user-agent: OpenAI/Python 3.3.1 (\xff\x00)\r\n".replace(b"\x00", b"")
    + b"x-openwebui-user-id: alice-id\r\n"
    + b"x-openwebui-user-name: Alice Example\r\n"
    + b"x-openwebui-user-email: alice@example.invalid\r\n"
    + b"authorization: Bearer sk-secret\r\n"
    + b"x-stainless-retry-count: 2\r\n"
)


class Coordinator:
    """Takes lines, unless it is told to fail."""

    def __init__(self) -> None:
        self.batches = []
        self.error = None

    async def append(self, request):
        self.batches.append(request.lines)
        if self.error is not None:
            raise self.error
        return Appended()

    @property
    def ids(self) -> list[str]:
        return [line.id for batch in self.batches for line in batch]


class Stand:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.broker = MemoryBroker(clock=self.clock)
        self.wanted = True
        self.log = RequestLog(MemoryBus("gateway", self.broker), self.clock, lambda: self.wanted)
        self.metering = Metering(self.clock, lambda: "tiny", self.log.add)
        self.coordinator = Coordinator()

    async def serve(self) -> None:
        bus = MemoryBus("coordinator", self.broker)
        await bus.serve(
            "coordinator", "1", "log", [Serving(APPEND_REQUESTS, self.coordinator.append)]
        )

    def ask(self, number: int, query: bytes = b"", fields: bytes = FIELDS):
        text = b"POST /v1/chat/completions%b HTTP/1.1\r\nhost: x\r\n%b\r\n" % (query, fields)
        self.ask_with(parse_request(text), number)
        self.metering.settle()

    def ask_with(self, head: RequestHead, number: int, status: int = 200) -> None:
        request = self.metering.watch(head, "127.0.0.9", b"req-%d" % number, b"")
        request.received(b"a secret question")
        request.named("org/Name")
        request.sent(Upstream("127.0.0.1", 8888))
        request.begins(b"HTTP/1.1 200 OK\r\n\r\na secret answer")
        request.ended(status, "complete")


@pytest.fixture
async def stand():
    made = Stand()
    await made.serve()
    return made


async def test_a_line_has_ids_and_numbers_and_nothing_else(stand):
    stand.ask(1, b"?token=secret")
    await stand.clock.advance(30)
    assert await stand.log.send()
    ((line,),) = stand.coordinator.batches
    assert line.at == stand.clock.now() - timedelta(seconds=30)
    assert (line.path, line.model, line.upstream) == ("/v1/chat/completions", "org/Name", "llm")
    assert (line.status, line.end, line.retry) == (200, "complete", 2)
    assert (line.bytes_in, line.bytes_out) == (17, 34)
    assert (line.user, line.address) == ("alice-id", "127.0.0.9")
    assert line.client.startswith("OpenAI/Python 3.3.1 (")
    text = line.model_dump_json()
    for word in ("secret", "Alice", "example.invalid", "sk-"):
        assert word not in text


async def test_looks_at_a_status_are_nobodys_business(stand):
    look = parse_request(b"GET /api/audio/status HTTP/1.1\r\nhost: x\r\n\r\n")
    for number in range(3):
        stand.ask_with(look, number)
    stand.metering.settle()
    assert await stand.log.send()
    assert stand.coordinator.batches == []
    stand.ask_with(look, 3)
    stand.ask(4)
    assert await stand.log.send()
    assert stand.coordinator.ids == ["req-4"]
    assert (stand.log.waiting, stand.log.dropped) == (0, 0)


async def test_lines_wait_while_the_coordinator_is_away_and_come_once(stand):
    for number in range(BATCH + 5):
        stand.ask(number)
    stand.coordinator.error = UnavailableError("no room")
    assert not await stand.log.send()
    assert stand.log.waiting == BATCH + 5
    stand.coordinator.error = None
    stand.coordinator.batches.clear()
    running = asyncio.create_task(stand.log.run())
    try:
        await stand.clock.advance(1.5)
    finally:
        running.cancel()
    assert [len(batch) for batch in stand.coordinator.batches] == [BATCH, 5]
    assert stand.coordinator.ids == [f"req-{number}" for number in range(BATCH + 5)]
    marks = [line.mark for batch in stand.coordinator.batches for line in batch]
    assert len(set(marks)) == BATCH + 5
    assert (stand.log.waiting, stand.log.dropped) == (0, 0)


async def test_what_lines_have_in_common_is_nothing_else(stand):
    head = parse_request(b"POST /v1/x HTTP/1.1\r\nhost: x\r\nuser-agent: one\r\n\r\n")
    other = parse_request(b"PUT /v1/y HTTP/1.1\r\nhost: x\r\nuser-agent: two\r\n\r\n")
    asked = [(head, 200), (head.of_length(7), 200), (head, 503), (other, 200), (head, 200)]
    for number, (each, status) in enumerate(asked):
        stand.ask_with(each, number, status)
        await stand.clock.advance(1)
    stand.metering.settle()
    assert await stand.log.send()
    (lines,) = stand.coordinator.batches
    assert [line.id for line in lines] == [f"req-{number}" for number in range(5)]
    assert [(line.method, line.path, line.client, line.status) for line in lines] == [
        ("POST", "/v1/x", "one", 200),
        ("POST", "/v1/x", "one", 200),
        ("POST", "/v1/x", "one", 503),
        ("PUT", "/v1/y", "two", 200),
        ("POST", "/v1/x", "one", 200),
    ]
    assert [(line.at - lines[0].at).total_seconds() for line in lines] == [0, 1, 2, 3, 4]


async def test_batches_that_wait_are_sent_apart(stand):
    for number in range(2 * BATCH + 1):
        stand.ask(number)
    running = asyncio.create_task(stand.log.run())
    try:
        seen = []
        for seconds in (0.9, 0.2, 0.2, 0.2, 0.9):
            await stand.clock.advance(seconds)
            seen.append(len(stand.coordinator.ids))
    finally:
        running.cancel()
    assert seen == [0, BATCH, 2 * BATCH, 2 * BATCH + 1, 2 * BATCH + 1]


async def test_a_batch_that_is_sent_again_has_the_same_marks(stand):
    stand.ask(1)
    stand.coordinator.error = UnavailableError("late")
    await stand.log.send()
    stand.coordinator.error = None
    await stand.log.send()
    first, second = stand.coordinator.batches
    assert first == second


async def test_memory_is_bounded_and_what_is_lost_is_counted(stand):
    for number in range(MOST_WAITING + 7):
        stand.ask(number, fields=b"")
    assert (stand.log.waiting, stand.log.dropped) == (MOST_WAITING, 7)


async def test_of_requests_that_end_together_as_many_are_kept_as_there_is_room_for(stand):
    for number in range(MOST_WAITING - 2):
        stand.ask(number, fields=b"")
    head = parse_request(b"GET /v1/x HTTP/1.1\r\nhost: x\r\n\r\n")
    for number in range(5):
        stand.ask_with(head, number)
    stand.metering.settle()
    assert (stand.log.waiting, stand.log.dropped) == (MOST_WAITING, 3)


async def test_what_is_not_understood_is_dropped_and_counted(stand):
    stand.ask(1)
    stand.coordinator.error = InvalidRequestError("an older coordinator")
    assert await stand.log.send()
    assert (stand.log.waiting, stand.log.dropped) == (0, 1)


async def test_an_owner_who_wants_no_log_gets_none(stand):
    stand.wanted = False
    stand.ask(1)
    assert (stand.log.waiting, stand.log.dropped) == (0, 0)


async def test_the_last_lines_are_sent_at_the_end(stand):
    stand.ask(1)
    await stand.log.close()
    assert stand.coordinator.ids == ["req-1"]


async def test_nobody_to_send_to_does_not_hold_up_the_end():
    stand = Stand()
    stand.ask(1)
    await stand.log.close()
    assert (stand.log.waiting, stand.log.dropped) == (0, 1)


@pytest.mark.parametrize("name", [b"\xff\xfe", b"x" * 5000, "ümläut ☃".encode()])
async def test_whatever_a_client_calls_itself_fits(stand, name):
    stand.ask(1, fields=b"user-agent: %b\r\nx-openwebui-user-id: %b\r\n" % (name, name))
    assert await stand.log.send()
    ((line,),) = stand.coordinator.batches
    assert 0 < len(line.client) <= 120
    assert line.client.isprintable()
