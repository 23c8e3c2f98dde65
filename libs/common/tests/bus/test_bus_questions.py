"""What both buses promise about questions and answers."""

import asyncio

import pytest
import structlog
from pydantic import JsonValue

from spark_common.bus.port import Serving
from spark_common.contracts.rpc import Reply, Request, Rpc
from spark_common.contracts.swaps import LIST_SWAPS, ListSwaps, Swaps
from spark_common.errors import (
    DeadlineExceededError,
    InvalidRequestError,
    ServiceUnavailableError,
    SparkError,
    SwapInProgressError,
    UnavailableError,
)
from spark_common.testing.wait import until


class Ask(Request):
    n: int = 0


class Learn(Request):
    facts: dict[str, JsonValue] = {}


class Told(Reply):
    by: str
    n: int = 0


class Loose(Request):
    n: str = "many"


LEARN = Rpc("rpc.swapper.test.learn", Learn, Told)
COUNT = Rpc("rpc.swapper.test.count", Ask, Told)
WAIT = Rpc("rpc.swapper.test.wait", Ask, Told)


async def count(request: Ask) -> Told:
    return Told(by="one", n=request.n + 1)


def serving(handler, rpc: Rpc = COUNT, limit: int = 16) -> list[Serving]:
    return [Serving(rpc, handler, limit)]


async def test_a_question_is_answered(world) -> None:
    swapper, gateway = await world.join("swapper"), await world.join("gateway")
    await swapper.serve("swapper", "1.0.0", "swaps models", serving(count))
    assert await gateway.call(COUNT, Ask(n=1)) == Told(by="one", n=2)


async def test_an_error_arrives_with_its_code_and_facts(world) -> None:
    swapper, gateway = await world.join("swapper"), await world.join("gateway")

    async def busy(request: Ask) -> Told:
        raise SwapInProgressError("a swap is running", swap_id="s1")

    await swapper.serve("swapper", "1.0.0", "swaps models", serving(busy))
    with pytest.raises(SwapInProgressError, match="a swap is running") as caught:
        await gateway.call(COUNT, Ask())
    assert caught.value.details == {"swap_id": "s1"}


async def test_an_unexpected_fault_is_not_told(world) -> None:
    swapper, gateway = await world.join("swapper"), await world.join("gateway")

    async def broken(request: Ask) -> Told:
        raise ValueError("a detail nobody outside may see")

    await swapper.serve("swapper", "1.0.0", "swaps models", serving(broken))
    with structlog.testing.capture_logs() as logs, pytest.raises(SparkError) as caught:
        await gateway.call(COUNT, Ask())
    assert caught.value.code == "internal"
    assert "detail" not in caught.value.message
    assert [entry["event"] for entry in logs if entry["log_level"] == "error"] == ["rpc.failed"]


async def test_nobody_there_is_told_at_once(world) -> None:
    gateway = await world.join("gateway")
    with pytest.raises(ServiceUnavailableError, match="'swapper' does not answer"):
        await gateway.call(LIST_SWAPS, ListSwaps(), timeout_seconds=30)


async def test_a_slow_answer_is_a_missed_deadline(world) -> None:
    swapper, gateway = await world.join("swapper"), await world.join("gateway")
    never = asyncio.Event()

    async def slow(request: Ask) -> Told:
        await never.wait()
        return Told(by="late")

    await swapper.serve("swapper", "1.0.0", "swaps models", serving(slow))
    with pytest.raises(DeadlineExceededError, match="'swapper' did not answer within"):
        await gateway.call(COUNT, Ask(), timeout_seconds=0.2)
    never.set()


async def test_a_malformed_question_is_refused_without_its_content(world) -> None:
    swapper, gateway = await world.join("swapper"), await world.join("gateway")
    await swapper.serve("swapper", "1.0.0", "swaps models", serving(count))
    with pytest.raises(InvalidRequestError, match="n: ") as caught:
        await gateway.call(Rpc(COUNT.subject, Loose, Told), Loose())
    assert "many" not in caught.value.message


@pytest.mark.parametrize("facts", [{"a": "\ud800"}, {"\udc00": 1}])
async def test_half_a_letter_is_refused_before_it_is_asked(world, facts) -> None:
    gateway = await world.join("gateway")
    with pytest.raises(InvalidRequestError, match="no Unicode"):
        await gateway.call(LEARN, Learn(facts=facts))


async def test_an_answer_of_another_shape_is_an_error(world) -> None:
    swapper, gateway = await world.join("swapper"), await world.join("gateway")

    async def swaps(request: Ask) -> Swaps:
        return Swaps()

    await swapper.serve("swapper", "1.0.0", "swaps models", serving(swaps))
    with pytest.raises(SparkError, match="same version"):
        await gateway.call(COUNT, Ask())


async def test_slow_questions_do_not_hold_up_each_other_up_to_the_limit(world) -> None:
    swapper, gateway = await world.join("swapper"), await world.join("gateway")
    present, most = 0, 0
    gate = asyncio.Event()

    async def crowd(request: Ask) -> Told:
        nonlocal present, most
        present += 1
        most = max(most, present)
        if present == 3:
            gate.set()
        await gate.wait()
        present -= 1
        return Told(by="one", n=request.n)

    await swapper.serve("swapper", "1.0.0", "swaps models", serving(crowd, limit=3))
    answers = await asyncio.gather(*(gateway.call(COUNT, Ask(n=n)) for n in range(10)))
    assert sorted(answer.n for answer in answers) == list(range(10))
    assert most == 3


async def test_too_many_questions_are_sent_away(world) -> None:
    swapper, gateway = await world.join("swapper"), await world.join("gateway")
    gate = asyncio.Event()

    async def stuck(request: Ask) -> Told:
        await gate.wait()
        return Told(by="one")

    await swapper.serve("swapper", "1.0.0", "swaps models", serving(stuck, limit=1))
    calls = [asyncio.create_task(gateway.call(COUNT, Ask(n=n))) for n in range(12)]
    # Not at the first one: what comes while the others are let go finds a place after all.
    await until(lambda: sum(call.done() for call in calls) == 3, "three are sent away")
    assert all(isinstance(call.exception(), UnavailableError) for call in calls if call.done())
    gate.set()
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(outcome, Told) for outcome in outcomes) == 9


async def test_instances_share_the_questions(world) -> None:
    gateway = await world.join("gateway")
    asked: list[str] = []

    def named(name: str):
        async def answer(request: Ask) -> Told:
            asked.append(name)
            return Told(by=name)

        return answer

    for name in ("one", "two"):
        bus = await world.join("swapper")
        await bus.serve("swapper", "1.0.0", "swaps models", serving(named(name)))
    for n in range(60):
        await gateway.call(COUNT, Ask(n=n))
    assert len(asked) == 60
    assert set(asked) == {"one", "two"}


async def test_who_answers_can_be_discovered(world) -> None:
    gateway, health = await world.join("gateway"), await world.join("health")
    assert await gateway.discover() == []
    for _ in range(2):
        bus = await world.join("swapper")
        await bus.serve("swapper", "1.0.0", "swaps models", serving(count))
    await health.serve("health", "1.0.0", "watches", [])
    assert await gateway.discover() == ["health", "swapper"]


async def test_a_service_that_left_does_not_answer(world) -> None:
    swapper, gateway = await world.join("swapper"), await world.join("gateway")
    await swapper.serve("swapper", "1.0.0", "swaps models", serving(count))
    await gateway.call(COUNT, Ask())
    await swapper.close()
    with pytest.raises(ServiceUnavailableError):
        await gateway.call(COUNT, Ask())


async def test_leaving_lets_running_answers_finish(world) -> None:
    swapper, gateway = await world.join("swapper"), await world.join("gateway")
    asked, gate = asyncio.Event(), asyncio.Event()

    async def slow(request: Ask) -> Told:
        asked.set()
        await gate.wait()
        return Told(by="one")

    await swapper.serve("swapper", "1.0.0", "swaps models", serving(slow))
    call = asyncio.create_task(gateway.call(COUNT, Ask()))
    await asked.wait()
    closing = asyncio.create_task(swapper.close())
    await asyncio.wait({closing}, timeout=0.2)
    gate.set()
    assert await call == Told(by="one")
    await closing


async def test_the_correlation_travels_into_the_logs_of_the_answer(world) -> None:
    swapper, gateway = await world.join("swapper"), await world.join("gateway")
    seen: list[object] = []

    async def note(request: Ask) -> Told:
        seen.append(structlog.contextvars.get_contextvars().get("correlation_id"))
        return Told(by="one")

    await swapper.serve("swapper", "1.0.0", "swaps models", serving(note))
    await gateway.call(COUNT, Ask(), correlation_id="request-7")
    assert seen == ["request-7"]
