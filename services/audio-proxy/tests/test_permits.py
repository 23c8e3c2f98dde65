"""The line and its permits: order, bounds, promises, and callers who leave."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from spark_audio_proxy.permits.line import AGEING_SECONDS, Line, Place
from spark_audio_proxy.permits.pace import Pace
from spark_audio_proxy.permits.permits import Permits
from spark_audio_proxy.permits.ports import Ask, Gate, Permit, Urgency
from spark_audio_proxy.problems import SpeechError
from spark_audio_proxy.testing.memory_gate import MemoryGate
from spark_common.clock import SystemClock
from spark_common.settings.speech import SpeechSettings
from spark_common.tasks import end
from spark_common.testing.wait import until


def ask(
    client: str = "alice", urgency: Urgency = "interactive", seconds: float = 10.0, **more
) -> Ask:
    return Ask("hearing", urgency, client, seconds, 60.0, **more)


class TestTheLine:
    def order(self, *places: tuple[str, Ask], at: float = 1.0) -> list[str]:
        line = Line()
        for number, (name, one) in enumerate(places):
            line.join(Place(name, one, number / 1000))
        found = []
        while (place := line.first("hearing", at)) is not None:
            found.append(place.id)
            line.taken(place)
        return found

    def test_goes_by_class(self) -> None:
        three = [("c", ask("c", "batch")), ("b", ask("b", "normal")), ("a", ask("a"))]
        assert self.order(*three) == ["a", "b", "c"]

    def test_lets_clients_take_turns(self) -> None:
        many = [(f"many{n}", ask("greedy")) for n in range(4)]
        assert self.order(*many, ("one", ask("modest")))[:2] == ["many0", "one"]

    def test_lets_nobody_wait_for_ever(self) -> None:
        line = Line()
        line.join(Place("old", ask("b", "batch"), 0.0))
        late = 2 * AGEING_SECONDS + 1
        line.join(Place("new", ask("a"), late))
        line.taken(Place("x", ask("a"), 0.0))
        first = line.first("hearing", late)
        assert first is not None
        assert first.id == "old"

    def test_staying_away_saves_up_no_turns(self) -> None:
        line = Line()
        for n in range(5):
            line.join(Place(f"b{n}", ask("busy"), n / 10))
            line.taken(Place(f"b{n}", ask("busy"), n / 10))
        line.join(Place("busy", ask("busy"), 1.0))
        line.join(Place("late", ask("late"), 2.0))
        first = line.first("hearing", 2.0)
        assert first is not None
        assert first.id == "busy"

    def test_one_kind_does_not_stand_in_the_way_of_the_other(self) -> None:
        line = Line()
        line.join(Place("hears", ask(), 0.0))
        line.join(Place("speaks", Ask("speaking", "interactive", "bob", 1, 60), 1.0))
        first = line.first("speaking", 2.0)
        assert first is not None
        assert first.id == "speaks"


@asynccontextmanager
async def permits(gate: Gate, **settings) -> AsyncIterator[Permits]:
    speech = SpeechSettings(**settings)
    made = Permits(gate, lambda: speech, SystemClock(), Pace())
    running = asyncio.create_task(made.run())
    try:
        yield made
    finally:
        await end([running])
        await made.close()


class Crowd:
    """Calls that are held until they are told to end."""

    def __init__(self, made: Permits) -> None:
        self.made = made
        self.inside: list[str] = []
        self.finish = asyncio.Event()
        self.tasks: list[asyncio.Task[None]] = []

    def come(self, name: str, one: Ask) -> asyncio.Task[None]:
        async def stay() -> None:
            async with self.made.permit(one):
                self.inside.append(name)
                await self.finish.wait()

        task = asyncio.create_task(stay())
        self.tasks.append(task)
        return task

    async def end(self) -> None:
        self.finish.set()
        await asyncio.gather(*self.tasks, return_exceptions=True)


class TestPermits:
    async def test_let_two_in_and_share_a_ceiling_with_speaking(self) -> None:
        gate = MemoryGate()
        async with permits(gate) as made:
            crowd = Crowd(made)
            for number in range(3):
                crowd.come(f"h{number}", ask(f"client{number}"))
            await until(lambda: len(crowd.inside) == 2, "two hear")
            for number in range(2):
                crowd.come(f"s{number}", Ask("speaking", "interactive", "bob", 1, 60))
            await until(lambda: len(crowd.inside) == 3, "one speaks beside them")
            assert crowd.inside[2] == "s0"
            await crowd.end()
        assert gate.most == 3
        assert gate.permits == {}

    async def test_refuse_with_an_honest_time_when_the_line_is_full(self) -> None:
        async with permits(MemoryGate(), audio_queue_depth=2) as made, AsyncExitStack() as held:
            for number in range(2):
                await held.enter_async_context(made.permit(ask(f"c{number}")))
            crowd = Crowd(made)
            for number in range(2):
                crowd.come(f"w{number}", ask(f"w{number}", "normal", 300.0))
            await until(lambda: made.standing()["waiting"]["normal"] == 2, "two wait")
            with pytest.raises(SpeechError) as full:
                await held.enter_async_context(made.permit(ask()))
            assert full.value.code == "queue_full"
            # Six hundred seconds wait and twenty are half done, at fifteen times real time.
            assert full.value.retry_after == pytest.approx((600 + 10) / 15)
            await held.aclose()
            await crowd.end()

    async def test_refuse_whoever_waited_too_long(self) -> None:
        async with permits(MemoryGate(), audio_queue_wait_s=0.05) as made, AsyncExitStack() as held:
            for number in range(2):
                await held.enter_async_context(made.permit(ask(f"c{number}")))
            with pytest.raises(SpeechError) as late:
                await held.enter_async_context(made.permit(ask()))
            assert late.value.code == "queue_full"
            assert made.standing()["waiting"]["interactive"] == 0

    async def test_whoever_leaves_the_line_was_never_there(self) -> None:
        gate = MemoryGate()
        async with permits(gate, audio_inflight=1) as made:
            crowd = Crowd(made)
            crowd.come("first", ask("a"))
            await until(lambda: crowd.inside == ["first"], "the first is in")
            leaving = crowd.come("leaves", ask("b"))
            crowd.come("stays", ask("c"))
            await until(lambda: made.standing()["waiting"]["interactive"] == 2, "both wait")
            await end([leaving])
            await crowd.end()
            assert crowd.inside == ["first", "stays"]
            await until(lambda: gate.permits == {}, "all is given back")

    async def test_a_busy_one_is_held_until_the_server_is_idle(self) -> None:
        idle = asyncio.Event()

        async def is_idle(left_seconds_ago: float) -> bool:
            return idle.is_set()

        gate = MemoryGate()
        async with permits(gate, audio_inflight=1) as made:
            permit: Permit
            async with made.permit(ask()) as permit:
                permit.idle, permit.busy = is_idle, True
            crowd = Crowd(made)
            crowd.come("next", ask("b"))
            await until(lambda: made.standing()["waiting"]["interactive"] == 1, "the next waits")
            assert made.standing()["draining"] == 1
            assert crowd.inside == []
            idle.set()
            await until(lambda: crowd.inside == ["next"], "the next is in")
            assert gate.most == 1
            await crowd.end()

    async def test_a_busy_one_is_held_no_longer_than_its_call_may_take(self) -> None:
        async def never(left_seconds_ago: float) -> bool:
            return False

        async with permits(MemoryGate(), audio_inflight=1) as made:
            short = Ask("hearing", "interactive", "alice", 1.0, 0.05)
            async with made.permit(short) as permit:
                permit.idle, permit.busy = never, True
            async with made.permit(ask("b")):
                assert made.standing()["draining"] == 0

    async def test_one_at_a_time_while_nobody_counts(self) -> None:
        gate = MemoryGate()
        gate.away = True
        async with permits(gate) as made:
            crowd = Crowd(made)
            crowd.come("a", ask("a"))
            crowd.come("b", ask("b"))
            await until(lambda: len(crowd.inside) == 1 and not made.shared, "one is in")
            assert made.standing()["waiting"]["interactive"] == 1
            gate.away = False
            await until(lambda: len(crowd.inside) == 2, "the other one is in")
            # What was let in meanwhile is counted from then on.
            assert len(gate.permits) == 2
            await crowd.end()
