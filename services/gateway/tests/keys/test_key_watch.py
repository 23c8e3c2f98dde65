"""What the gateway knows of keys: the newest within two seconds, the last known for ever."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from spark_common.bus import Serving
from spark_common.contracts.api_keys import (
    END_SESSION,
    NOTE_USE,
    READ_RING,
    Noted,
    Ring,
    RingKey,
)
from spark_common.errors import UnavailableError
from spark_common.events import KeysChanged
from spark_common.key_text import digest_of, fresh_key
from spark_common.subjects import KEYS_CHANGED
from spark_common.tasks import end
from spark_common.testing import FakeClock, MemoryBroker, MemoryBus
from spark_gateway.keys.book import KeyBook
from spark_gateway.keys.watch import NOTE_SECONDS, KeyWatch

ONE = "a-session-of-its-own"


class House:
    """A coordinator that has keys, and a watch that runs."""

    def __init__(self) -> None:
        self.clock = FakeClock(datetime(2026, 1, 1, 23, 57, tzinfo=UTC))
        self.broker = MemoryBroker(clock=self.clock)
        self.bus = MemoryBus("coordinator", self.broker)
        self.on = True
        self.silent = False
        self.version = 1
        self.text = fresh_key()
        self.keys = [RingKey(id="k", name="k", digest=digest_of(self.text), scopes=["infer"])]
        self.asked = 0
        self.noted = []
        self.ended = []
        self.book = KeyBook(self.clock, frozenset)
        self.watch = KeyWatch(
            MemoryBus("gateway", self.broker), self.book, lambda: self.on, self.clock
        )

    async def serve(self):
        verbs = [
            Serving(READ_RING, self.ring),
            Serving(NOTE_USE, self.note),
            Serving(END_SESSION, self.end),
        ]
        await self.bus.serve("coordinator", "1", "a fake", verbs)

    async def ring(self, request):
        self.asked += 1
        if self.silent:
            raise UnavailableError("Redis is away")
        if request.known_version == self.version:
            return Ring(version=self.version)
        return Ring(version=self.version, keys=self.keys, session_secret="s", ended=self.ended)

    async def end(self, request):
        if self.silent:
            raise UnavailableError("Redis is away")
        self.ended.append(request.id)
        self.version += 1
        return Noted()

    async def note(self, request):
        if self.silent:
            raise UnavailableError("Redis is away")
        self.noted.append((list(request.ids), request.day))
        return Noted()

    async def revoke(self, *, told: bool):
        self.version += 1
        self.keys = []
        if told:
            hint = KeysChanged(keys_version=self.version, key_id="k", action="removed")
            await self.bus.publish(KEYS_CHANGED, hint, id=str(self.version))

    async def problem(self):
        return await self.watch.check.ask()


@pytest.fixture
async def house():
    made = House()
    await made.serve()
    running = asyncio.create_task(made.watch.run())
    await made.clock.advance(0.01)
    yield made
    await end([running])


async def test_a_revoked_key_is_out_at_once_and_within_two_seconds_unheard(house):
    gone = []
    house.book.on_closed(gone.append)
    holder = house.book.find(house.text)
    await house.revoke(told=True)
    await house.clock.advance(0)
    assert (house.book.find(house.text), gone) == (None, [holder])
    house.version, house.keys = 9, [RingKey(id="k", name="k", digest=digest_of(house.text))]
    await house.clock.advance(1.9)
    assert house.book.find(house.text) is not None
    await house.revoke(told=False)
    await house.clock.advance(1.9)
    assert house.book.find(house.text) is None


async def test_without_an_answer_the_last_keys_count(house):
    house.silent = True
    await house.revoke(told=True)
    await house.clock.advance(30)
    assert house.book.find(house.text) is not None
    assert await house.problem() is None
    house.silent = False
    await house.clock.advance(2)
    assert house.book.find(house.text) is None


async def test_a_record_that_was_lost_is_learned_anew_though_its_number_is_lower(house):
    house.version, house.keys = 0, []
    await house.clock.advance(2)
    assert house.book.find(house.text) is None


async def test_who_never_learned_keys_is_not_ready_but_only_while_they_are_asked_for():
    made = House()
    made.silent = True
    await made.serve()
    running = asyncio.create_task(made.watch.run())
    await made.clock.advance(5)
    assert "nobody is let in" in (await made.problem() or "")
    made.on = False
    assert await made.problem() is None
    await end([running])


async def test_off_nobody_is_asked(house):
    house.on = False
    await house.clock.advance(2)
    before = house.asked
    await house.clock.advance(30)
    assert house.asked == before
    house.on = True
    await house.clock.advance(1)
    assert house.asked > before


async def test_a_sign_out_is_told_until_it_is_heard_and_holds_here_all_the_time(house):
    house.silent = True
    house.book.end_session(ONE, house.clock.now() + timedelta(days=7))
    await house.clock.advance(10)
    assert (house.ended, house.book.is_ended(ONE)) == ([], True)
    house.silent = False
    await house.clock.advance(2)
    assert (house.ended, house.book.is_ended(ONE)) == ([ONE], True)
    house.ended.append("of another gateway")
    house.version += 1
    await house.clock.advance(2)
    assert house.book.is_ended("of another gateway")
    assert len(house.ended) == 2


async def test_the_day_of_use_is_told_once_a_day_and_again_when_it_was_not_heard(house):
    holder = house.book.find(house.text)
    first = house.clock.now().date()
    house.silent = True
    house.book.note_use(holder)
    await house.clock.advance(NOTE_SECONDS + 2)
    assert house.noted == []
    house.silent = False
    for _ in range(3):
        house.book.note_use(holder)
        await house.clock.advance(NOTE_SECONDS + 2)
    assert house.noted == [(["k"], first)]
    await house.clock.advance(60)
    house.book.note_use(holder)
    await house.clock.advance(NOTE_SECONDS + 2)
    assert [day for _, day in house.noted] == [first, house.clock.now().date()]


async def test_what_a_key_has_spent_stays_spent_when_it_is_changed(house):
    house.version, house.keys = 2, [house.keys[0].model_copy(update={"requests_per_minute": 2})]
    await house.clock.advance(1)
    holder = house.book.find(house.text)
    assert [holder.ask(b"/v1/x"), holder.ask(b"/v1/x")] == [None, None]
    assert holder.ask(b"/v1/x") is not None
    house.version, house.keys = 3, [house.keys[0].model_copy(update={"requests_per_minute": 3})]
    await house.clock.advance(1)
    assert house.book.find(house.text) is holder
    assert holder.ask(b"/v1/x") is None
    assert holder.ask(b"/v1/x") is not None
