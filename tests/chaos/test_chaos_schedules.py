"""Three schedulers over one Redis and NATS, harmed at random: every nominal time comes once.

``SCHEDULE_TICKS`` is how many nominal times there are, ``SCHEDULE_HARMS`` how often something is
killed or paused, ``SCHEDULE_TIMES`` how many nominal times each schedule has.
"""

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from chaos_lab.fast_clock import FastClock
from chaos_lab.schedulers import SchedulerPlant, SchedulerProcess, Told, judge

from spark_common.bus.nats import NatsBus, connect_bus
from spark_common.bus.port import StoredMessage
from spark_common.bus.provision import provision
from spark_common.clock import SystemClock
from spark_common.contracts.schedules import PutSchedule, Run
from spark_common.embedded import NatsServer, RedisServer
from spark_common.errors import UnavailableError
from spark_common.redis_access import connect_redis
from spark_common.testing.noting import note
from spark_common.testing.wait import until
from spark_coordinator.schedules import keys
from spark_coordinator.schedules.record import Entry, run_id
from spark_coordinator.schedules.registry import Registry
from spark_coordinator.schedules.testing import FakeCluster
from spark_coordinator.schedules.times import nominals

pytestmark = [pytest.mark.chaos, pytest.mark.connected]
TICKS = int(os.environ.get("SCHEDULE_TICKS", "24"))
HARMS = int(os.environ.get("SCHEDULE_HARMS", "4"))
OF_EACH = int(os.environ.get("SCHEDULE_TIMES", "3" if TICKS >= 100 else "2"))
"""Nominal times of every schedule."""
ONE_SWAPS_OF = 5 if OF_EACH <= 3 else 25
"""Of so many schedules one swaps: the model is loaded for a while, and the others wait."""
PERIOD_SECONDS = 75.0
"""Five seconds here: longer than any of the outages, so that no time has to be made up for."""
MISFIRE = {"policy": "run_once", "within_minutes": 60}
FIRST = timedelta(seconds=20)


@dataclass
class World:
    """What the test looks at."""

    plant: SchedulerPlant
    clock: FastClock
    bus: NatsBus
    cluster: FakeCluster
    registry: Registry
    redis: object


@asynccontextmanager
async def world(folder: Path) -> AsyncIterator[World]:
    nats, redis_server = NatsServer(folder / "nats"), RedisServer(folder / "redis")
    await asyncio.gather(nats.start(), redis_server.start())
    epoch = time.time()
    real, clock = SystemClock(), FastClock(epoch)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(nats.kill)
        stack.push_async_callback(redis_server.kill)
        await provision(nats.settings("provisioner"), real)
        bus, settings = nats.settings("coordinator"), redis_server.settings
        arguments = [bus.url, str(bus.seed_file), settings.url, str(settings.password_file)]
        schedulers = [
            SchedulerProcess([*arguments, str(epoch)], folder / f"scheduler-{number}.log")
            for number in range(3)
        ]
        buses = {}
        for name in ("gateway", "swapper"):
            buses[name] = await connect_bus(nats.settings(name), name, real)
            stack.push_async_callback(buses[name].close)

        async def proves(_token: object) -> bool:
            return True

        cluster = FakeCluster(buses["swapper"], clock, proves, buses["gateway"])
        cluster.seconds = 5.0
        await cluster.serve()
        for scheduler in schedulers:
            stack.push_async_callback(scheduler.kill)
        await asyncio.gather(*(scheduler.start() for scheduler in schedulers))
        redis = connect_redis(settings, "checker", idempotent_reads=True)
        stack.push_async_callback(redis.aclose)
        plant = SchedulerPlant(nats, redis_server, schedulers)
        yield World(plant, clock, buses["gateway"], cluster, Registry(redis, clock), redis)


async def register(world: World) -> dict[str, set[str]]:
    """Register schedules whose times are spread over a period; return the ids of their runs."""
    number = -(-TICKS // OF_EACH)
    begin = world.clock.now() + FIRST
    expected: dict[str, set[str]] = {}
    for index in range(number):
        swaps = index % ONE_SWAPS_OF == 0
        starts = begin + timedelta(seconds=PERIOD_SECONDS * index / number)
        schedule = PutSchedule(
            id=f"s{index}",
            kind="swap" if swaps else "sweep",
            model=("qwen", "gemma")[index // ONE_SWAPS_OF % 2] if swaps else None,
            every_seconds=PERIOD_SECONDS,
            starts_at=starts,
            ends_at=starts + timedelta(seconds=PERIOD_SECONDS * (OF_EACH - 1)),
            misfire=MISFIRE,
        )
        expected[schedule.id] = runs_of(await world.registry.put(schedule))
    return expected


def runs_of(entry: Entry) -> set[str]:
    return {run_id(entry.id, moment) for moment in nominals(entry.timing, entry.created_at)}


async def told(bus: NatsBus) -> Told:
    """Return the runs of every event so far, by what was told."""
    _, _, last = await bus.bounds("SC_SCHED_EVT")
    found = Told()
    async for message in bus.tail("SC_SCHED_EVT", after_seq=0):
        body = message.envelope.data if message.envelope is not None else {}
        run = str(body.get("run_id"))
        match message.subject:
            case "schedule.due":
                found.due.append(run)
            case "schedule.finished":
                found.finished.append(run)
            case "schedule.missed":
                kept_under(found, body).append(run)
        if message.seq >= last:
            break
    return found


def kept_under(found: Told, body: Mapping[str, Any]) -> list[str]:
    """Return where a missed run belongs: by its reason, and by whether that can be true."""
    reason = str(body["reason"])
    if "was not over yet" in reason:
        return found.skipped
    late = datetime.fromisoformat(body["at"]) - datetime.fromisoformat(body["nominal"])
    next_came = late >= timedelta(seconds=PERIOD_SECONDS)
    return found.made_up if "runs instead" in reason and next_came else found.missed


def test_a_time_is_made_up_for_only_when_the_next_one_had_come() -> None:
    body = {
        "nominal": "2026-11-28T10:00:00Z",
        "reason": "the one of 10:01 runs instead",
    }
    for at, why, where in (
        ("2026-11-28T10:01:15Z", body["reason"], "made_up"),
        ("2026-11-28T10:01:14Z", body["reason"], "missed"),
        ("2026-11-28T11:01:14Z", "nobody could start it", "missed"),
        ("2026-11-28T10:00:01Z", "the one before was not over yet", "skipped"),
    ):
        found = Told()
        assert kept_under(found, body | {"at": at, "reason": why}) is getattr(found, where)


def test_the_judge_sees_what_came_twice_or_never() -> None:
    runs, every = {"1", "2"}, ["1", "2"]
    assert judge(runs, Told(every, every, effects=every)) == []
    assert judge(runs, Told(every, ["1"], ["2"], effects=["1"])) == []
    assert judge(runs, Told([*every, "1"], every, effects=every)) == ["1 was due 2 times"]
    assert judge(runs, Told(every, ["1"], effects=["1"])) == ["2 was never over"]
    assert judge(runs, Told(every, every, ["2"], effects=every)) == ["2 was over 2 times"]
    assert judge(runs, Told(every, ["1"], missed=["2"], effects=["1"])) == ["2 was missed"]
    assert judge(runs, Told(["1"], ["1"], made_up=["2"], effects=["1"])) == []
    assert judge(runs, Told(every, ["1"], made_up=["2"], effects=["1"])) == [
        "2 was due and made up for"
    ]
    twice = Told(every, every, effects=[*every, "2"])
    assert judge(runs, twice) == ["2 was carried out 2 times"]
    assert judge(runs, Told(every, every, effects=["1"])) == ["2 was never carried out"]


@pytest.mark.timeout(240 + TICKS // 5)
async def test_every_nominal_time_comes_once_whatever_is_killed_or_paused(
    tmp_path: Path, seed: int, say: Callable[[str], None], request: pytest.FixtureRequest
) -> None:
    rng, began = random.Random(seed), time.monotonic()
    async with world(tmp_path) as found:
        expected = await register(found)
        runs = {run for ids in expected.values() for run in ids}
        lasts = (FIRST.total_seconds() + PERIOD_SECONDS * OF_EACH) / 15
        order = ["kill", "pause", "redis", "nats"]
        for number in range(HARMS):
            await asyncio.sleep(rng.uniform(0.2, 1.6) * lasts / HARMS / 1.2)
            await found.plant.harm(order[number % len(order)], rng)

        async def all_over() -> bool:
            try:
                words = await told(found.bus)
            except UnavailableError:
                return False
            return runs <= {*words.finished, *words.skipped, *words.made_up, *words.missed}

        await until(all_over, "every run is over", 90 + TICKS // 20)

        async def nothing_left() -> bool:
            return not await found.redis.llen(keys.OUTBOX)

        await until(nothing_left, "everything is told")
        words = await told(found.bus)
        words = replace(words, effects=await carried_out(found, expected))
        logs = "".join(path.read_text() for path in tmp_path.glob("*.log"))

    say(
        f"CHAOS_SEED={seed}: {len(runs)} nominal times of {len(expected)} schedules, "
        f"{dict(found.plant.done)}, {len(words.finished)} finished, {len(words.skipped)} met the "
        f"one before them, {time.monotonic() - began:.0f} s"
    )
    note(
        request.node,
        found.plant.done,
        seed=seed,
        nominal_times=len(runs),
        schedules=len(expected),
        finished=len(words.finished),
        skipped=len(words.skipped),
        made_up=len(words.made_up),
        missed=len(words.missed),
        wrong="; ".join(judge(runs, words)) or "nothing",
    )
    assert "Traceback" not in logs
    assert judge(runs, words) == []
    assert len(words.finished) > len(runs) / 2


async def carried_out(found: World, expected: dict[str, set[str]]) -> list[str]:
    """Return the runs that had their effect, as often as they had it.

    A swap is what the swapper took on, or the word that its model was loaded already; a sweep is
    a command in its stream.
    """
    effects = list(found.cluster.taken)
    for schedule_id in expected:
        for row in await found.redis.lrange(keys.log(schedule_id), 0, -1):
            if "was loaded already" in row:
                effects.append(Run.model_validate_json(row).id)
    return effects + [
        message.envelope.id.removesuffix(":probe")
        for message in await probes(found.plant.nats)
        if message.envelope is not None
    ]


async def probes(nats: NatsServer) -> list[StoredMessage]:
    """Return the deep checks that were asked for."""
    bus = await connect_bus(nats.settings("health"), "health", SystemClock())
    try:
        found = []
        _, first, last = await bus.bounds("SC_PROBES")
        async for message in bus.tail("SC_PROBES", after_seq=first - 1):
            found.append(message)
            if message.seq >= last:
                break
        return found
    finally:
        await bus.close()
