"""A coordinator that dies in the middle: the next one goes on, and nothing happens twice."""

import asyncio

import pytest

from spark_common.errors import UnavailableError
from spark_coordinator.schedules.record import run_id

pytestmark = pytest.mark.connected
MISFIRE = {"policy": "run_once", "within_minutes": 30}


async def swapping(bench):
    await bench.put(kind="swap", model="qwen", at=bench.in_minutes(1), misfire=MISFIRE)
    await bench.until(lambda: bool(bench.cluster.loads))


async def test_killed_while_it_swaps_the_next_one_tells_the_outcome(led):
    await swapping(led)
    await led.kill()
    assert led.lease.holder == "schedule one"
    await led.start()
    (run,) = (await led.over()).runs
    assert run.state == "done"
    await led.until(lambda: "finished" in led.told())
    assert led.cluster.loads == ["qwen"]
    # Whoever takes over extends first: nobody knows how long nobody was there.
    assert [what for what, _ in led.lease.story] == ["acquired", "extended", "released"]
    assert led.told() == ["registered", "due", "finished"]


async def test_killed_while_it_waits_in_line_the_next_one_keeps_the_place(led):
    led.lease.take("agent")
    await led.put(kind="swap", model="qwen", at=led.in_minutes(1), misfire=MISFIRE)
    await led.until(lambda: bool(led.lease.waiting))
    await led.kill()
    await led.start()
    await led.passes(10)
    assert led.lease.waiting == ["schedule one"]
    led.lease.free()
    assert (await led.over()).runs[0].state == "done"
    assert led.cluster.loads == ["qwen"]


async def test_killed_before_it_wrote_down_its_proof_the_next_one_gets_its_own_lease_back(led):
    await swapping_to_the_lease(led)
    await led.redis.delete("sc:sched:token:" + (await led.get()).last.id)
    await led.start()
    (run,) = (await led.over()).runs
    assert (run.state, led.cluster.loads) == ("done", ["qwen"])
    assert ("forced", "schedule one") in led.lease.story
    assert led.lease.holder is None


async def test_somebody_who_only_calls_himself_like_the_schedule_keeps_the_lease(led):
    led.lease.take("schedule one")
    await led.put(kind="swap", model="qwen", at=led.in_minutes(1))
    (run,) = (await led.over()).runs
    assert run.state == "missed"
    assert led.lease.story == []
    assert led.lease.holder == "schedule one"


async def swapping_to_the_lease(bench):
    """Kill a coordinator that has the lease before it did anything with it."""
    live = bench.part().runs
    await bench.kill()
    part = bench.part()
    await bench.put(kind="swap", model="qwen", at=bench.in_minutes(1), misfire=MISFIRE)
    await bench.clock.advance(61)
    (run,) = await part.scheduler._firing.look()

    async def never():
        return None

    holding = part.scheduler._carrying._holding
    assert await holding.take(run, never) is not None
    assert (await live.live())[0].stage == "due"


async def before_it_asks(bench):
    """Kill a coordinator between the lease of a run and what it is for."""
    bench.cluster.broken = UnavailableError("a test")
    await bench.put(kind="swap", model="qwen", at=bench.in_minutes(1), misfire=MISFIRE)
    await bench.until(lambda: bool(bench.cluster.asked))
    await bench.kill()
    bench.cluster.broken = None
    bench.cluster.asked.clear()


async def hours_pass(bench):
    """Let the lease of the run end, with what proves it: Redis counts that time itself."""
    await bench.clock.advance(3 * 3600)
    await bench.redis.delete(*[key async for key in bench.redis.scan_iter("sc:sched:token:*")])


async def test_what_was_not_asked_for_while_nobody_was_there_for_hours_is_missed(led):
    await before_it_asks(led)
    await hours_pass(led)
    await led.start()
    (run,) = (await led.over()).runs
    assert (run.state, led.cluster.asked) == ("missed", [])
    assert run.message == "nobody went on with it before its lease ended"
    await led.until(lambda: "missed" in led.told())
    assert led.lease.holder is None


async def test_what_was_asked_for_before_nobody_was_there_for_hours_is_followed(led):
    await swapping(led)
    (run,) = await led.part().runs.live()
    await led.kill()
    assert await led.part().runs.save((await led.part().runs.live())[0], stage="acting")
    await hours_pass(led)
    await led.start()
    assert (await led.over()).runs[0].state == "done"
    assert (run.id, led.cluster.loads) == (led.cluster.asked[0].id, ["qwen"])


async def test_two_that_lead_at_once_are_one(bench):
    parts = [bench.part() for _ in range(3)]
    for part in parts:
        part.leadership._fence, part.leadership._until = 1, 1e9
    for name, model in (("one", "qwen"), ("two", "gemma")):
        await bench.put(name, kind="swap", model=model, every_seconds=600)
    bench.cluster.seconds = 5

    async def runs():
        logs = await parts[0].runs.logs(["one", "two"])
        return min(len(log) for log in logs.values()) >= 3

    began = bench.clock.monotonic()
    while not await runs():
        assert bench.clock.monotonic() - began < 4000
        await bench.clock.advance(20)
        await asyncio.gather(*(part.scheduler.turn() for part in parts))
        await bench.breathe()
    for part in parts:
        while await part.outbox.tell_next():
            pass
        await part.scheduler._let_go()
    due = [event["run_id"] for event in bench.events("due")]
    finished = [event["run_id"] for event in bench.events("finished")]
    assert len(due) == len(set(due))
    assert len(finished) == len(set(finished))
    swapped = [request.id for request in bench.cluster.asked]
    assert {one for one in swapped if one.startswith("one-")} <= set(due)
    logs = await parts[0].runs.logs(["one", "two"])
    for log in logs.values():
        ids = [run.id for run in log]
        assert len(ids) == len(set(ids))


async def test_the_lease_of_a_run_that_was_written_off_is_not_given_back_twice(led):
    await swapping(led)
    await led.over()
    assert await led.redis.exists(f"sc:sched:token:{(await led.get()).last.id}") == 0
    assert await led.redis.hlen("sc:sched:live") == 0


async def test_a_token_of_the_lease_is_in_no_event_view_or_record(led):
    await swapping(led)
    seen = [
        (await led.get()).model_dump_json(),
        *(
            message.payload.decode()
            for message in led.broker.stream("SC_SCHED_EVT").messages.values()
        ),
        *(await led.redis.hvals("sc:sched:live")),
        *(await led.redis.lrange("sc:sched:outbox", 0, -1)),
    ]
    token = led.cluster.asked[0].lock_token.get_secret_value()
    assert token
    assert not [text for text in seen if token in text]
    assert run_id("one", (await led.get()).last.nominal) == (await led.get()).last.id
