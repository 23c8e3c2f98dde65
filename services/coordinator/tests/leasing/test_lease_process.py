"""Two coordinators as processes on real servers: one lease, told once, whoever is killed."""

import asyncio
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio

from spark_common.bus.nats import connect_bus
from spark_common.bus.port import Serving
from spark_common.clock import SystemClock
from spark_common.contracts.leases import (
    ACQUIRE_LEASE,
    GET_LEASE,
    RELEASE_LEASE,
    AcquireLease,
    GetLease,
    ReleaseLease,
)
from spark_common.contracts.swaps import LIST_SWAPS, Swaps
from spark_common.errors import LeaseHeldError, UnavailableError
from spark_common.leasing import keys
from spark_common.redis_access import connect_redis
from spark_common.testing.process import ServiceProcess
from spark_common.testing.service_exam import service_environment
from spark_common.testing.wait import until, within

pytestmark = [pytest.mark.connected, pytest.mark.timeout(240)]


@pytest_asyncio.fixture
async def redis(redis_server):
    """Return a client of the Redis that the coordinators use, and that is killed."""
    client = connect_redis(redis_server.settings, "test")
    yield client
    await client.aclose()


@pytest_asyncio.fixture
async def plant(nats_server, redis_server, redis, tmp_path):
    """Yield the bus of a gateway; two coordinators and a swapper without swaps answer on it."""
    environment = {
        **service_environment("coordinator", nats_server, redis_server),
        "NATS_PROVISIONER_SEED_FILE": str(nats_server.settings("provisioner").seed_file),
        "DATA_DIR": str(tmp_path / "data"),
    }

    async def no_swaps(_):
        return Swaps()

    async with AsyncExitStack() as stack:
        both = [
            await stack.enter_async_context(
                ServiceProcess("spark_coordinator", environment, tmp_path / f"{name}.log")
            )
            for name in ("one", "two")
        ]
        buses = {}
        for name in ("gateway", "swapper"):
            bus = buses[name] = await connect_bus(nats_server.settings(name), name, SystemClock())
            stack.push_async_callback(bus.close)
        await buses["swapper"].serve("swapper", "1.0.0", "none", [Serving(LIST_SWAPS, no_swaps)])
        for process in both:
            await process.until_ready()
        yield buses["gateway"], both


async def ends_soon(redis):
    """Let the lease that is held end in a moment; return when, in milliseconds."""
    seconds, micros = await redis.time()
    end = seconds * 1000 + micros // 1000 + 1500
    await redis.hset(keys.LOCK, "expires_ms", end)
    return end


async def stored(bus):
    _, _, last = await bus.bounds("SC_LEASE_EVT")
    events = []
    async for message in bus.tail("SC_LEASE_EVT", after_seq=0):
        events.append(message)
        if message.seq >= last:
            return events
    raise AssertionError


async def test_an_end_is_told_once_within_two_seconds_and_the_next_one_is_let_in(plant, redis):
    bus, _ = plant
    held = await bus.call(ACQUIRE_LEASE, AcquireLease(holder="Alice", ttl_seconds=10))
    waiting = await bus.call(ACQUIRE_LEASE, AcquireLease(holder="Bob", wait=True))
    with pytest.raises(LeaseHeldError) as refused:
        await bus.call(ACQUIRE_LEASE, AcquireLease(holder="Carol"))
    assert refused.value.details["waiting"] == 1
    end = await ends_soon(redis)

    async def granted():
        view = await bus.call(GET_LEASE, GetLease(token=waiting.token))
        return view.state == "granted" and view.yours == "lease"

    await until(granted, "Bob's turn")
    taken = await bus.call(ACQUIRE_LEASE, AcquireLease(holder="Bob", token=waiting.token))
    assert taken.epoch == held.epoch + 1

    async def all_told():
        return not await redis.llen(keys.OUTBOX)

    await until(all_told, "everything is told")
    events = await stored(bus)
    words = [one.subject for one in events if one.subject != "lock.queue"]
    assert words == [
        f"lock.{word}"
        for word in ("acquired", "queued", "expiring", "expired", "freed", "granted", "acquired")
    ]
    ends = [end]

    async def all_expired():
        expired = [one for one in await stored(bus) if one.subject == "lock.expired"]
        return expired if len(expired) == len(ends) else None

    async def late():
        """How late the latest end was told; what Bob has ends for the next try."""
        await until(told, "the end is told")
        seconds = (await all_expired())[-1].envelope.time.timestamp() - ends[-1] / 1000
        assert seconds >= 0
        if seconds >= 2:
            if len(ends) > 1:
                await bus.call(ACQUIRE_LEASE, AcquireLease(holder="Bob"))
            ends.append(await ends_soon(redis))
        return seconds

    async def told():
        return bool(await all_expired())

    await within(2, late)


async def test_what_is_held_outlives_redis_nats_and_every_coordinator(
    plant, redis, redis_server, nats_server
):
    bus, both = plant
    held = await bus.call(ACQUIRE_LEASE, AcquireLease(holder="Alice", ttl_seconds=600))
    await both[0].kill()
    await redis_server.kill()

    async def refused():
        try:
            await bus.call(ACQUIRE_LEASE, AcquireLease(holder="Bob", force=True))
        except UnavailableError as error:
            return "Redis is away" in error.message
        return False

    await until(refused, "nobody is let in on a guess")
    await redis_server.start()
    await nats_server.kill()
    await asyncio.gather(both[1].kill(), nats_server.start())
    async with both[1].again() as third:
        await third.until_ready()
        await until(lambda: bus.health().connected, "the bus is back")
        view = await bus.call(GET_LEASE, GetLease(token=held.token))
        assert (view.yours, view.holder, view.epoch) == ("lease", "Alice", held.epoch)
        await bus.call(RELEASE_LEASE, ReleaseLease(token=held.token))
        again = await bus.call(ACQUIRE_LEASE, AcquireLease(holder="Bob"))
        assert again.epoch == held.epoch + 1
