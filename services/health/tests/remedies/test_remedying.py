"""What is restarted, how often, and what keeps it from happening: by the journal of effects."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio
from health_stand.bench import BUSY, FIVE_HUNDRED, GPU, WELL, Bench, place
from pydantic import SecretStr

from spark_common.embedded import RedisServer
from spark_common.errors import LeaseHeldError
from spark_common.redis_access import connect_redis
from spark_common.service.metrics import REGISTRY
from spark_common.settings.policies import RemedySettings
from spark_health.deep.ports import Outcome
from spark_health.remedies import keys
from spark_health.remedies.holding import InTheWayError
from spark_health.remedies.numbers import RemedyNumbers
from spark_health.remedies.showing import RemedyShow

pytestmark = pytest.mark.connected


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def redis_of_all(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RedisServer]:
    """Yield one redis-server for all of these; every bench begins without a record."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    await server.start()
    yield server
    await server.kill()


@pytest_asyncio.fixture
async def bench(redis_of_all: RedisServer) -> AsyncIterator[Bench]:
    redis = connect_redis(redis_of_all.settings, "health")
    for key in ("parakeet-asr", "vllm"):
        for name in (f"spark1/{key}", f"-/{key}"):
            await redis.delete(
                keys.tries(name), keys.owner(name), keys.circuit(name), keys.suggested(name)
            )
    services = ("parakeet", "diarizer", "vllm")
    await redis.delete(keys.CLAIMS, keys.OUTBOX, *(keys.tries_of(one) for one in services))
    yield Bench(redis)
    await redis.aclose()


RIGHT = [("spark1", "parakeet-asr")]


@pytest.mark.parametrize("outcome", [GPU, FIVE_HUNDRED], ids=["gpu", "500"])
async def test_what_is_stuck_is_restarted_once_with_its_reason(
    bench: Bench, outcome: Outcome
) -> None:
    result = await bench.seen(outcome)
    assert result.state == "wedged"
    await bench.remedies.turn()
    assert bench.journal == RIGHT
    [event] = await bench.told()
    assert (event["service"], event["action"], event["ok"]) == ("parakeet", "restart", True)
    assert event["automatic"] is True
    assert event["container"] == "parakeet-asr"
    assert event["reason"]
    assert event["evidence"] == ["HTTP 500"]
    assert bench.leases.log
    assert not bench.leases.held_now
    assert ("parakeet", 90.0) in bench.rechecks


@pytest.mark.parametrize(
    "outcome",
    [
        BUSY,
        Outcome("loading", "HTTP 503"),
        Outcome("down", "nobody listens there"),
        Outcome("failing", "it heard 0 of 9 words"),
        Outcome("failing", "it refuses the job (HTTP 404)", evidence=("HTTP 404",)),
    ],
    ids=lambda one: one.sentence,
)
async def test_busy_loading_down_or_wrong_is_not_stuck(bench: Bench, outcome: Outcome) -> None:
    for _ in range(20):
        await bench.seen(outcome)
        await bench.clock.advance(300)
    assert bench.journal == []
    assert await bench.told() == []


async def test_silence_after_a_fault_of_the_gpu_is_stuck(bench: Bench) -> None:
    await bench.seen(BUSY)
    bench.containers.write("spark1", "parakeet-asr", "CUDA error: an illegal memory access was ...")
    assert bench.journal == []
    await bench.seen(BUSY)
    assert bench.journal == RIGHT
    [event] = await bench.told()
    assert event["evidence"] == ["log: CUDA error: an illegal memory access was"]


async def test_three_in_half_an_hour_then_the_circuit_opens_and_says_what_to_press(
    bench: Bench,
) -> None:
    for _ in range(8):
        await bench.seen(GPU)
        await bench.clock.advance(300)
        await bench.forget_tries(300)
    assert bench.journal == 3 * RIGHT
    events = await bench.told()
    assert [event["decision"] for event in events] == ["acted", "acted", "acted", "gave_up"]
    assert "press" in str(events[-1]["message"])
    numbers = RemedyNumbers(bench.book, lambda: {"parakeet": place()}, bench.clock)
    await numbers.turn()
    shown = {"target": "parakeet"}
    assert REGISTRY.get_sample_value("spark_health_remedy_circuit_open", shown) == 1
    view = await RemedyShow(bench.book, bench.remedies, lambda: bench.policy).view(place(), None)
    assert view.state == "open"
    assert view.press
    await bench.seen(WELL)
    assert await bench.book.circuit("spark1/parakeet-asr") is None


async def test_an_open_circuit_stays_open_when_the_window_has_passed(bench: Bench) -> None:
    for _ in range(4):
        await bench.seen(GPU)
        await bench.clock.advance(300)
        await bench.forget_tries(300)
    await bench.forget_tries(7200)
    await bench.seen(GPU)
    assert bench.journal == 3 * RIGHT
    await bench.book.heal("spark1/parakeet-asr")
    await bench.seen(GPU)
    assert bench.journal == 4 * RIGHT


async def test_two_restarts_are_two_minutes_apart(bench: Bench) -> None:
    await bench.seen(GPU)
    await bench.clock.advance(100)
    await bench.seen(GPU)
    assert bench.journal == RIGHT
    assert "rests" in bench.remedies.standing["spark1/parakeet-asr"].waiting
    await RemedyNumbers(bench.book, lambda: {"parakeet": place()}, bench.clock).turn()
    shown = {"target": "parakeet"}
    assert REGISTRY.get_sample_value("spark_health_remedy_budget_left", shown) == 2
    assert REGISTRY.get_sample_value("spark_health_remedy_circuit_open", shown) == 0
    await bench.forget_tries(130)
    await bench.seen(GPU)
    assert bench.journal == 2 * RIGHT


async def test_a_container_gets_a_minute_after_any_start(bench: Bench) -> None:
    bench.containers.start("spark1", "parakeet-asr", age_seconds=5)
    await bench.clock.advance(20)
    await bench.seen(GPU)
    assert bench.journal == []
    await bench.clock.advance(40)
    await bench.remedies.turn()
    assert bench.journal == RIGHT


async def test_never_while_a_swap_runs_on_that_host(bench: Bench) -> None:
    bench.scene.swaps["spark1"] = "a swap to Gemma runs on it"
    for _ in range(5):
        await bench.seen(GPU)
        await bench.clock.advance(10)
    assert bench.journal == []
    assert bench.leases.log == []
    bench.scene.swaps = {"spark2": "a swap to Qwen runs on it"}
    await bench.remedies.turn()
    assert bench.journal == RIGHT


async def test_a_swap_that_was_admitted_just_before_our_lease_goes_first(bench: Bench) -> None:
    bench.leases.swap_slips_in = True
    await bench.seen(GPU)
    assert bench.journal == []
    assert not bench.leases.held_now
    assert await bench.book.claims() == []
    assert await bench.book.tries("spark1/parakeet-asr") == []


async def test_never_while_somebody_holds_the_lease(bench: Bench) -> None:
    bench.leases.holder = "Bob"
    await bench.seen(GPU)
    assert bench.journal == []
    assert "Bob" in bench.remedies.standing["spark1/parakeet-asr"].waiting
    await bench.clock.advance(200)
    bench.leases.holder = None
    await bench.remedies.turn()
    assert bench.journal == [], "what was seen three minutes ago is seen once more first"
    assert ("parakeet", 0.0) in bench.rechecks
    await bench.seen(GPU)
    assert bench.journal == RIGHT


async def test_one_restart_for_all_that_share_a_container(bench: Bench) -> None:
    await bench.hear(GPU)
    await bench.clock.advance(1)
    await bench.hear(FIVE_HUNDRED, place("diarizer"))
    await bench.remedies.turn()
    await bench.remedies.turn()
    assert bench.journal == RIGHT
    [event] = await bench.told()
    assert "also helps: parakeet" in event["evidence"]  # type: ignore[operator]


async def test_a_run_that_began_after_the_job_is_not_restarted_for_it(bench: Bench) -> None:
    await bench.hear(GPU)
    await bench.clock.advance(100)
    bench.containers.start("spark1", "parakeet-asr", age_seconds=70)
    await bench.remedies.turn()
    assert bench.journal == []
    assert bench.remedies.standing == {}


async def test_a_new_run_that_is_stuck_before_the_lease_is_given_back_is_not_forgotten(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = bench.leases.held

    @asynccontextmanager
    async def slowly_given_back(order: str, reason: str) -> AsyncIterator[None]:
        async with held(order, reason):
            yield
            await bench.clock.advance(70)
            await bench.hear(GPU)

    monkeypatch.setattr(bench.leases, "held", slowly_given_back)
    await bench.seen(GPU)
    assert bench.journal == RIGHT
    assert set(bench.remedies.standing["spark1/parakeet-asr"].victims) == {"parakeet"}
    monkeypatch.setattr(bench.leases, "held", held)
    await bench.forget_tries(600)
    await bench.remedies.turn()
    assert bench.journal == RIGHT * 2
    assert bench.remedies.standing == {}


async def test_suggest_tells_once_and_touches_nothing(bench: Bench) -> None:
    bench.policy = RemedySettings(restarts_suggested=("parakeet",))
    for _ in range(5):
        await bench.seen(GPU)
        await bench.clock.advance(300)
    assert bench.journal == []
    [event] = await bench.told()
    assert event["decision"] == "suggested"
    assert "Press" in str(event["message"])
    await bench.seen(WELL)
    await bench.seen(GPU)
    assert len(await bench.told()) == 2


async def test_the_model_is_never_restarted_here(bench: Bench) -> None:
    await bench.seen(GPU, place("vllm", None))
    assert bench.journal == []
    [event] = await bench.told()
    assert event["decision"] == "suggested"


@pytest.mark.parametrize("happened", [False, True], ids=["before", "after"])
async def test_a_process_killed_around_the_restart_restarts_once(
    bench: Bench, happened: bool
) -> None:
    """Decided and written down, then killed: with the command on its way, or not."""
    await bench.hear(GPU)
    claim = bench.remedies._claim(bench.remedies.standing["spark1/parakeet-asr"], "run 0")
    assert (await bench.book.claim(claim, {})).word == "yours"
    bench.leases.held_now = claim.id
    if happened:
        await bench.containers.restart("spark1", "parakeet-asr", "run 0", 1e9)
    successor = bench.process()
    await successor.turn()
    assert bench.journal == (RIGHT if happened else []), "its predecessor may still be at it"
    await bench.redis.delete(keys.owner("spark1/parakeet-asr"))
    await successor.turn()
    await bench.process().turn()
    assert bench.journal == RIGHT
    assert [event["ok"] for event in await bench.told()] == [True]
    assert len(await bench.book.tries("spark1/parakeet-asr")) == 1
    assert bench.leases.held_now is None, "nobody is left holding the cluster"


async def test_a_lost_answer_is_settled_by_looking(bench: Bench) -> None:
    bench.containers.loses_answers = True
    await bench.seen(GPU)
    assert await bench.told() == []
    await bench.remedies.turn()
    assert bench.journal == RIGHT
    assert [event["ok"] for event in await bench.told()] == [True]


async def test_budgets_hold_over_two_processes(bench: Bench) -> None:
    first, second = bench.remedies, bench.process()
    for _ in range(6):
        for bench.remedies in (first, second):
            await bench.hear(GPU)
        await first.turn()
        await second.turn()
        await bench.clock.advance(300)
        await bench.forget_tries(300)
    assert bench.journal == 3 * RIGHT
    assert [e["decision"] for e in await bench.told()].count("gave_up") == 1


async def test_a_person_may_press_in_spite_of_the_budget_but_not_beside_a_swap(
    bench: Bench,
) -> None:
    for _ in range(4):
        await bench.seen(GPU)
        await bench.clock.advance(300)
        await bench.forget_tries(300)
    bench.scene.swaps["spark1"] = "a swap to Gemma runs on it"
    with pytest.raises(InTheWayError):
        await bench.remedies.press(place(), "Alice")
    bench.scene.swaps.clear()
    await bench.remedies.press(place(), "Alice")
    assert bench.journal == 4 * RIGHT
    event = (await bench.told())[-1]
    assert (event["automatic"], event["requested_by"]) == (False, "Alice")
    assert await bench.book.circuit("spark1/parakeet-asr") is None


async def test_a_person_is_told_who_holds_the_cluster_and_may_go_past_them(bench: Bench) -> None:
    await bench.seen(GPU)
    bench.leases.holder, bench.leases.log[:] = "Bob", []
    with pytest.raises(LeaseHeldError, match="Bob"):
        await bench.remedies.press(place(), "Alice")
    assert bench.journal == RIGHT
    await bench.remedies.press(place(), "Bob", token=SecretStr("Bob"))
    await bench.remedies.press(place(), "Alice", force=True)
    assert bench.journal == 3 * RIGHT
    assert (bench.leases.holder, bench.leases.log) == ("Bob", [])
    bench.scene.swaps["spark1"] = "a swap to Gemma runs on it"
    with pytest.raises(InTheWayError, match="Gemma"):
        await bench.remedies.press(place(), "Alice", force=True)
    assert await bench.book.claims() == []


async def test_an_hour_of_normal_load_restarts_nothing(bench: Bench) -> None:
    """Long recordings, reloads, one 500 that was gone at the second try, a model coming up."""
    hour = [WELL, BUSY, WELL, BUSY, BUSY, BUSY, Outcome("loading", "HTTP 503"), WELL, BUSY, WELL,
            Outcome("failing", "it heard 3 of 9 words"), WELL]  # fmt: skip
    bench.containers.write("spark1", "parakeet-asr", "CUDA out of memory. Tried to allocate 2 GiB")
    for outcome in hour:
        result = await bench.hear(outcome)
        assert result.state != "wedged"
        for _ in range(30):
            await bench.remedies.turn()
            await bench.clock.advance(10)
    assert bench.journal == []
    assert await bench.told() == []
    assert bench.leases.log == []
