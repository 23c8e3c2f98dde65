"""The registry: compare-and-set, bounded, told once, refused while Redis is away."""

import asyncio
import itertools

import pytest

from spark_common.contracts.schedules import (
    GetSchedule,
    ListSchedules,
    PutSchedule,
    RemoveSchedule,
)
from spark_common.errors import ConflictError, InvalidRequestError, NotFoundError, UnavailableError
from spark_coordinator.schedules.registry import Registry

pytestmark = pytest.mark.connected


async def listed(bench):
    return (await bench.verbs.list(ListSchedules())).schedules


async def test_registered_replaced_and_removed_is_told(led):
    first = await led.put(cron="30 2 * * *", owner="Alice", note="backup of the notes")
    assert (first.revision, first.schedule.owner) == (1, "Alice")
    assert f"{first.next_at:%H:%M}" == "02:30"
    second = await led.put(cron="30 4 * * *", owner="Alice")
    assert (second.revision, second.created_at) == (2, first.created_at)
    gone = await led.verbs.remove(RemoveSchedule(id="one", requested_by="Bob"))
    assert (gone.schedule.cron, gone.next_at) == ("30 4 * * *", None)
    await led.until(lambda: "removed" in led.told())
    assert led.told() == ["registered", "registered", "removed"]
    assert [event["replaced"] for event in led.events("registered")] == [False, True]
    assert led.events("removed")[0]["requested_by"] == "Bob"
    with pytest.raises(NotFoundError):
        await led.get()
    with pytest.raises(NotFoundError):
        await led.verbs.remove(RemoveSchedule(id="one"))


async def test_the_same_again_changes_and_tells_nothing(led):
    facts = {"at": led.in_minutes(1), "owner": "Alice"}
    await led.put(**facts)
    await led.until(lambda: "due" in led.told())
    again = await led.put(**facts)
    assert (again.revision, again.next_at) == (1, None)
    await led.passes(5)
    assert led.told() == ["registered", "due"]
    with pytest.raises(InvalidRequestError):
        await led.put(at=led.in_minutes(-1))


async def test_switched_off_it_never_comes_and_on_again_it_does(led):
    await led.put(every_seconds=600)
    off = await led.put(every_seconds=600, enabled=False)
    assert off.next_at is None
    await led.passes(700, step=20)
    assert "due" not in led.told()
    on = await led.put(every_seconds=600)
    assert on.next_at > led.clock.now()


async def test_a_time_that_has_just_come_is_not_lost_by_a_change(bench):
    await bench.put(cron="* * * * *")
    await bench.clock.advance(61)
    changed = await bench.put(cron="* * * * *", note="changed")
    assert changed.next_at <= bench.clock.now()
    await bench.start()
    await bench.until(lambda: "due" in bench.told())


async def test_of_many_writers_none_is_lost(bench):
    parts = [bench.part() for _ in range(4)]
    answers = await asyncio.gather(
        *(
            part.registry.put(PutSchedule(id="one", every_seconds=60 + number))
            for number, part in enumerate(parts)
        )
    )
    assert sorted(entry.revision for entry in answers) == [1, 2, 3, 4]
    assert (await bench.get()).revision == 4


async def test_more_than_are_kept_are_refused_and_replacing_still_works(bench):
    small = Registry(bench.redis, bench.clock, most=3)
    for number in range(3):
        await small.put(PutSchedule(id=f"s{number}", every_seconds=60))
    with pytest.raises(ConflictError) as refused:
        await small.put(PutSchedule(id="one-more", every_seconds=60))
    assert "remove some first" in refused.value.message
    assert (await small.put(PutSchedule(id="s0", every_seconds=120))).revision == 2


async def test_the_list_is_by_the_next_run(bench):
    await bench.put("weekly", cron="0 0 * * 0")
    await bench.put("soon", every_seconds=60)
    await bench.put("off", every_seconds=60, enabled=False)
    assert [view.schedule.id for view in await listed(bench)] == ["soon", "weekly", "off"]


async def test_five_hundred_of_the_largest_fit_into_one_reply(bench):
    wide = "ü" * 200
    large = {"kind": "swap", "model": wide, "name": wide, "owner": wide, "note": "ü" * 500}
    registry, number = bench.part().registry, itertools.count()
    for _ in range(25):
        await asyncio.gather(
            *(
                registry.put(
                    PutSchedule(id=f"{next(number):03d}-{'x' * 60}", every_seconds=3600, **large)
                )
                for _ in range(20)
            )
        )
    answer = await bench.verbs.list(ListSchedules())
    assert len(answer.schedules) == 500
    assert len(answer.model_dump_json().encode()) < 900_000


async def test_a_schedule_that_is_gone_keeps_no_log(led):
    await led.put(kind="sweep", at=led.in_minutes(1))
    await led.over()
    await led.verbs.remove(RemoveSchedule(id="one"))
    await led.put(kind="sweep", at=led.in_minutes(1))
    assert (await led.verbs.get(GetSchedule(id="one"))).runs == []


async def test_removed_in_the_middle_of_a_run_its_outcome_is_told_and_nothing_is_left(led):
    await led.put(kind="swap", model="qwen", at=led.in_minutes(1))
    await led.until(lambda: bool(led.cluster.loads))
    await led.verbs.remove(RemoveSchedule(id="one"))
    await led.until(lambda: "finished" in led.told())
    assert led.told() == ["registered", "due", "removed", "finished"]
    assert led.lease.holder is None
    left = ["sc:sched:one", "sc:sched:log:one", "sc:sched:fired:one", "sc:sched:live"]
    assert await led.redis.exists(*left) == 0


async def test_what_came_once_is_forgotten_a_month_later(led):
    await led.put("once", at=led.in_minutes(1))
    await led.put("daily", cron="0 3 * * *")
    await led.passes(70)
    await led.clock.advance(29 * 86400)
    await led.passes(10)
    assert {view.schedule.id for view in await listed(led)} == {"once", "daily"}
    await led.clock.advance(2 * 86400)
    await led.until(lambda: "removed" in led.told())
    assert [view.schedule.id for view in await listed(led)] == ["daily"]


async def test_while_redis_is_away_everything_is_refused(bench, redis_server):
    await redis_server.kill()
    for asking in (
        bench.put(every_seconds=60),
        bench.get(),
        bench.verbs.list(ListSchedules()),
        bench.verbs.remove(RemoveSchedule(id="one")),
    ):
        with pytest.raises(UnavailableError):
            await asking


async def test_a_killed_redis_forgets_nothing(led, redis_server):
    await led.put(cron="30 2 * * *")
    await redis_server.kill()
    await led.passes(5)
    await redis_server.start()

    async def back() -> bool:
        try:
            return (await led.get()).revision == 1
        except UnavailableError:
            return False

    await led.until(back)
    await led.put("two", kind="sweep", at=led.in_minutes(1))
    assert (await led.over("two")).runs[0].state == "done"


async def test_a_record_that_cannot_be_read_stops_none_of_the_others(led):
    await led.put("bad", kind="sweep", every_seconds=60)
    await led.put("good", kind="sweep", at=led.in_minutes(1))
    await led.redis.hset("sc:sched:bad", "body", '{"schedule": 7}')
    await led.redis.hset("sc:sched:live", "bad-run", "{}")
    assert (await led.over("good")).runs[0].state == "done"
    assert [view.schedule.id for view in await listed(led)] == ["good"]
    with pytest.raises(NotFoundError):
        await led.get("bad")
    assert (await led.put("bad", kind="sweep", every_seconds=60)).revision == 2
