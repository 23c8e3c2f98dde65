"""Schedules with the real lease, on real NATS and Redis, under the coordinator's own identity."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta

import pytest
import pytest_asyncio
from pydantic import SecretStr

from spark_common.bus.nats import NatsBus, connect_bus
from spark_common.clock import SystemClock
from spark_common.contracts.leases import (
    ACQUIRE_LEASE,
    GET_LEASE,
    RELEASE_LEASE,
    AcquireLease,
    GetLease,
    ReleaseLease,
)
from spark_common.contracts.schedules import (
    GET_CALENDAR,
    GET_SCHEDULE,
    LIST_SCHEDULES,
    PUT_SCHEDULE,
    REMOVE_SCHEDULE,
    GetCalendar,
    GetSchedule,
    ListSchedules,
    PutSchedule,
    RemoveSchedule,
    ScheduleView,
)
from spark_common.errors import InvalidRequestError, LeaseHeldError
from spark_common.leasing import LeaseGate
from spark_common.redis_access import connect_redis
from spark_common.tasks import end
from spark_common.testing.wait import until
from spark_coordinator.leasing import LeasePolicy, wire_lease
from spark_coordinator.schedules.testing import FakeCluster
from spark_coordinator.schedules.token_box import TokenBox
from spark_coordinator.schedules.wiring import wire_schedules

pytestmark = pytest.mark.connected


@dataclass
class Plant:
    """A coordinator on servers, a swapper of tests, and an automation that asks."""

    cluster: FakeCluster
    automation: NatsBus
    gateway: NatsBus
    redis: object

    async def put(self, id, **facts) -> ScheduleView:
        """Register as an automation does."""
        return await self.automation.call(PUT_SCHEDULE, PutSchedule(id=id, **facts))

    async def over(self, id) -> ScheduleView:
        """Wait for the end of a run."""

        async def ended() -> bool:
            view = await self.automation.call(GET_SCHEDULE, GetSchedule(id=id))
            return any(run.finished_at for run in view.runs)

        await until(ended, f"a run of {id} is over")
        return await self.automation.call(GET_SCHEDULE, GetSchedule(id=id))

    async def told(self, *subjects) -> list[tuple[str, dict]]:
        """Return the events of schedules so far."""
        _, _, last = await self.gateway.bounds("SC_SCHED_EVT")
        found = []
        if last == 0:
            return found
        async for message in self.gateway.tail("SC_SCHED_EVT", after_seq=0):
            found.append((message.subject, message.envelope.data))
            if message.seq >= last:
                return found
        return found


@pytest_asyncio.fixture
async def plant(nats_server, redis_server) -> AsyncIterator[Plant]:
    clock = SystemClock()
    async with AsyncExitStack() as exits:
        buses = {}
        for name in ("coordinator", "swapper", "gateway", "automation"):
            buses[name] = await connect_bus(nats_server.settings(name), name, clock)
            exits.push_async_callback(buses[name].close)
        redis = connect_redis(redis_server.settings, "coordinator")
        exits.push_async_callback(redis.aclose)
        gate = LeaseGate(redis)

        async def proves(token) -> bool:
            secret = None if token is None else token.get_secret_value()
            return (await gate.for_caller(secret)).admitted

        cluster = FakeCluster(buses["swapper"], clock, proves, buses["gateway"])
        cluster.seconds = 0.5
        await cluster.serve()
        bus = buses["coordinator"]
        lease = wire_lease(redis=redis, bus=bus, clock=clock, policy=LeasePolicy)
        part = wire_schedules(
            redis=redis,
            bus=bus,
            clock=clock,
            lease=lease.leases,
            box=TokenBox("of all coordinators"),
        )
        features = (lease.feature, part.feature)
        verbs = [verb for feature in features for verb in feature.verbs]
        await bus.serve("coordinator", "1.0.0", "a test", verbs)
        loops = [loop for feature in features for loop in feature.background]
        tasks = [asyncio.create_task(loop()) for loop in loops]
        exits.push_async_callback(end, tasks)
        yield Plant(cluster, buses["automation"], buses["gateway"], redis)


def soon(seconds=1.0):
    return SystemClock().now() + timedelta(seconds=seconds)


async def test_a_swap_and_a_warming_share_the_lease_one_after_the_other(plant):
    misfire = {"policy": "run_once", "within_minutes": 5}
    facts = {"at": soon(), "owner": "Alice", "misfire": misfire}
    first = await plant.put("first", kind="swap", model="qwen", **facts)
    second = await plant.put("second", kind="warm", model="gemma", **facts)
    assert second.conflicts[0].other_id == "first"
    assert first.next_at == second.next_at
    views = [await plant.over(name) for name in ("first", "second")]
    assert [view.runs[0].state for view in views] == ["done", "done"]
    assert sorted(plant.cluster.loads) == ["gemma", "qwen"]
    assert all(request.lock_token is not None for request in plant.cluster.asked)

    async def free() -> bool:
        return (await plant.automation.call(GET_LEASE, GetLease())).state == "free"

    await until(free, "the lease is free again")

    async def all_told() -> bool:
        return [word for word, _ in await plant.told()].count("schedule.finished") == 2

    await until(all_told, "both outcomes are told")
    told = await plant.told()
    assert [word for word, _ in told].count("schedule.due") == 2
    tokens = [request.lock_token.get_secret_value() for request in plant.cluster.asked]
    assert not [token for token in tokens for _, body in told if token in str(body)]


async def test_who_holds_the_lease_is_waited_for_and_named(plant):
    grant = await plant.automation.call(
        ACQUIRE_LEASE, AcquireLease(holder="agent-b", ttl_seconds=60)
    )
    misfire = {"policy": "run_once", "within_minutes": 5}
    await plant.put("one", kind="swap", model="qwen", at=soon(), misfire=misfire)

    async def waits() -> bool:
        view = await plant.automation.call(GET_SCHEDULE, GetSchedule(id="one"))
        return view.last is not None and "'agent-b'" in view.last.message

    await until(waits, "it stands in line")
    lease = await plant.automation.call(GET_LEASE, GetLease())
    assert [(place.holder, place.priority) for place in lease.queue] == [("schedule one", "batch")]
    giving_back = ReleaseLease(token=SecretStr(grant.token))
    await plant.automation.call(RELEASE_LEASE, giving_back)
    assert (await plant.over("one")).runs[0].state == "done"


async def test_an_outside_job_comes_by_taking_the_lease_with_its_schedule(plant):
    await plant.put("job", at=soon(1.0), missed_after_minutes=5, owner="Bob")
    await until(lambda: _has(plant, "schedule.due"), "it is due")
    taken = AcquireLease(holder="job of Bob", ttl_seconds=10, schedule_id="job")
    await plant.automation.call(ACQUIRE_LEASE, taken)
    assert (await plant.over("job")).runs[0].state == "done"


async def test_an_outside_job_that_is_refused_the_lease_has_asked_for_it(plant):
    await plant.automation.call(ACQUIRE_LEASE, AcquireLease(holder="agent-b", ttl_seconds=60))
    await plant.put("job", at=soon(0.5), missed_after_minutes=5, owner="Bob")
    await until(lambda: _has(plant, "schedule.due"), "it is due")
    with pytest.raises(LeaseHeldError):
        await plant.automation.call(ACQUIRE_LEASE, AcquireLease(holder="Bob", ttl_seconds=10))
    (run,) = (await plant.over("job")).runs
    assert run.state == "done"
    assert run.message.startswith("The job asked for the lease")


async def test_a_sweep_reaches_the_stream_of_the_health_service(plant):
    await plant.put("sweep", kind="sweep", at=soon(0.5))
    (run,) = (await plant.over("sweep")).runs
    assert run.state == "done"


async def test_the_other_verbs_over_the_bus(plant):
    await plant.put("daily", cron="0 3 * * *", timezone="Europe/Berlin")
    with pytest.raises(InvalidRequestError):
        await plant.put("wrong", cron="0 3 * *")
    (one,) = (await plant.automation.call(LIST_SCHEDULES, ListSchedules())).schedules
    assert one.schedule.id == "daily"
    now = SystemClock().now()
    span = GetCalendar(start=now, end=now + timedelta(days=3))
    assert len((await plant.automation.call(GET_CALENDAR, span)).entries) == 3
    await plant.automation.call(REMOVE_SCHEDULE, RemoveSchedule(id="daily"))
    assert (await plant.automation.call(LIST_SCHEDULES, ListSchedules())).schedules == []


async def _has(plant, subject) -> bool:
    return subject in [word for word, _ in await plant.told()]
