"""Fifty contenders for one lease while Redis and the coordinators are killed at random.

``LEASE_WINS`` is how often each of them has to win it, ``LEASE_KILLS`` how often something dies.
"""

import asyncio
import itertools
import os
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from chaos_lab.contenders import Contender, Held, Story

from spark_common.bus.nats import NatsBus, connect_bus
from spark_common.bus.port import Serving, StoredMessage
from spark_common.bus.provision import provision
from spark_common.clock import SystemClock
from spark_common.contracts.swaps import LIST_SWAPS, ListSwaps, Swaps
from spark_common.embedded import NatsServer, RedisServer
from spark_common.leasing import keys
from spark_common.redis_access import connect_redis
from spark_common.testing.noting import note
from spark_common.testing.process import ServiceProcess
from spark_common.testing.service_exam import service_environment
from spark_common.testing.wait import until

pytestmark = [pytest.mark.chaos, pytest.mark.connected]
CONTENDERS = 50
WINS = int(os.environ.get("LEASE_WINS", "1"))
KILLS = int(os.environ.get("LEASE_KILLS", "6"))
ENDS = ("lock.released", "lock.expired", "lock.forced")


@dataclass
class LeasePlant:
    """Real servers, two coordinators, and a swapper without swaps."""

    nats: NatsServer
    redis: RedisServer
    coordinators: list[ServiceProcess]
    bus: NatsBus
    stack: AsyncExitStack

    async def kill(self, what: str, rng: random.Random) -> None:
        """Kill -9, and start again what a supervisor would."""
        if what == "redis":
            await self.redis.kill()
            await asyncio.sleep(rng.uniform(0, 0.5))
            await self.redis.start()
            return
        number = rng.randrange(len(self.coordinators))
        await self.coordinators[number].kill()
        again = self.coordinators[number].again()
        self.coordinators[number] = await self.stack.enter_async_context(again)


@asynccontextmanager
async def lease_plant(folder: Path) -> AsyncIterator[LeasePlant]:
    nats, redis, clock = NatsServer(folder / "nats"), RedisServer(folder / "redis"), SystemClock()
    await asyncio.gather(nats.start(), redis.start())
    environment = {
        **service_environment("coordinator", nats, redis),
        "NATS_PROVISIONER_SEED_FILE": str(nats.settings("provisioner").seed_file),
        "DATA_DIR": str(folder / "data"),
    }

    async def no_swaps(_: ListSwaps) -> Swaps:
        return Swaps()

    first = ServiceProcess("spark_coordinator", environment, folder / "one.log")
    second = ServiceProcess("spark_coordinator", environment, folder / "two.log")
    async with AsyncExitStack() as stack:
        stack.push_async_callback(nats.kill)
        stack.push_async_callback(redis.kill)
        await provision(nats.settings("provisioner"), clock)
        coordinators = [await stack.enter_async_context(one) for one in (first, second)]
        buses = {}
        for name in ("swapper", "gateway"):
            buses[name] = await connect_bus(nats.settings(name), name, clock)
            stack.push_async_callback(buses[name].close)
        await buses["swapper"].serve("swapper", "1.0.0", "none", [Serving(LIST_SWAPS, no_swaps)])
        for one in coordinators:
            await one.until_ready()
        yield LeasePlant(nats, redis, coordinators, buses["gateway"], stack)


async def stored(bus: NatsBus) -> list[StoredMessage]:
    _, _, last = await bus.bounds("SC_LEASE_EVT")
    events: list[StoredMessage] = []
    async for message in bus.tail("SC_LEASE_EVT", after_seq=0):
        events.append(message)
        if message.seq >= last:
            break
    return events


async def wake(bus: NatsBus, contenders: dict[str, Contender]) -> None:
    """Tell whoever is granted the lease; what is missed is asked for a little later."""
    async for message in bus.tail("SC_LEASE_EVT", ("lock.granted",)):
        assert message.envelope is not None
        name = str(message.envelope.data["holder"])
        if name in contenders:
            contenders[name].woken.set()


def overlaps(held: list[Held]) -> list[tuple[Held, Held]]:
    """Return pairs of leases that two had at the same time."""
    ordered = sorted(held, key=lambda one: one.since)
    return [(a, b) for a, b in itertools.pairwise(ordered) if b.since < a.until]


def test_the_judge_sees_two_at_a_time() -> None:
    alone = [Held("a", 1, 0.0, 1.0), Held("b", 2, 1.0, 2.0)]
    assert overlaps(alone) == []
    assert len(overlaps([*alone, Held("c", 3, 1.5, 1.6)])) == 1


@pytest.mark.timeout(120 + 30 * WINS)
async def test_fifty_contenders_have_it_one_at_a_time_whatever_is_killed(
    tmp_path: Path, seed: int, say: Callable[[str], None], request: pytest.FixtureRequest
) -> None:
    rng, story, began = random.Random(seed), Story(), time.monotonic()
    killed: Counter[str] = Counter()
    async with lease_plant(tmp_path) as plant:
        contenders = {
            f"c{number}": Contender(f"c{number}", plant.bus, story, random.Random(rng.random()))
            for number in range(CONTENDERS)
        }

        async def storm() -> None:
            for number in range(KILLS):
                await asyncio.sleep(rng.uniform(0.2, 1.2))
                what = ("redis", "coordinator")[number % 2]
                await plant.kill(what, rng)
                killed[what] += 1

        waking = asyncio.create_task(wake(plant.bus, contenders))
        async with asyncio.TaskGroup() as group:
            group.create_task(storm())
            for one in contenders.values():
                group.create_task(one.run(WINS))
        waking.cancel()
        await asyncio.gather(waking, return_exceptions=True)
        redis = connect_redis(plant.redis.settings, "checker")

        async def all_told() -> bool:
            return not await redis.llen(keys.OUTBOX)

        await until(all_told, "everything is told")
        latest = int(await redis.get(keys.FENCE) or 0)
        await redis.aclose()
        events = await stored(plant.bus)

    say(
        f"CHAOS_SEED={seed}: {dict(killed)}, {len(story.held)} leases of {CONTENDERS} contenders, "
        f"{story.outages} outages met, {story.orphans} answers lost, {len(events)} events, "
        f"{time.monotonic() - began:.0f} s"
    )
    note(
        request.node,
        killed,
        seed=seed,
        leases=len(story.held),
        contenders=CONTENDERS,
        lost=len(story.lost),
        overlaps=len(overlaps(story.held)),
        events=len(events),
    )
    assert len(story.held) == CONTENDERS * WINS
    assert story.lost == []
    assert overlaps(story.held) == []
    epochs = [one.epoch for one in story.held]
    assert len(set(epochs)) == len(epochs)
    assert max(epochs) <= latest
    _judge_events(events, epochs)
    logs = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert not [token for token in story.tokens if token.encode() in logs]
    assert b"lease.changed" in logs


def _judge_events(events: list[StoredMessage], epochs: list[int]) -> None:
    """Every lease began once and ended once, in the order of their numbers."""
    told = [
        (one.subject, int(str(one.envelope.data["epoch"])), one.envelope.id)
        for one in events
        if one.envelope is not None
    ]
    assert len({entry for _, _, entry in told}) == len(told), "an event is told twice"
    begun = [epoch for subject, epoch, _ in told if subject == "lock.acquired"]
    assert begun == sorted(set(begun)), "a number was given twice, or went back"
    assert set(epochs) <= set(begun)
    ended = Counter(epoch for subject, epoch, _ in told if subject in ENDS)
    freed = Counter(epoch for subject, epoch, _ in told if subject == "lock.freed")
    assert [epoch for epoch in epochs if ended[epoch] != 1 or freed[epoch] != 1] == []
