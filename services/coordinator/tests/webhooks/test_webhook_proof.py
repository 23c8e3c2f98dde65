"""Deliveries while targets fail and die, and coordinator, NATS and Redis are killed: none lost.

``WEBHOOK_EVENTS=500`` makes it the long proof, ``CHAOS_SEED`` repeats a run.
"""

import asyncio
import contextlib
import os
import random
import signal
import sys
import time

import pytest

from spark_common.bus.nats import connect_bus
from spark_common.bus.port import Duplicate, Stored
from spark_common.clock import SystemClock
from spark_common.contracts.webhooks import (
    LIST_DELIVERIES,
    LIST_TARGETS,
    PUT_TARGET,
    ListDeliveries,
    ListTargets,
    PutTarget,
)
from spark_common.errors import SparkError
from spark_common.testing.noting import note
from spark_common.testing.wait import until
from spark_coordinator.webhooks.body import delivery_id
from spark_coordinator.webhooks.testing import EVENTS
from spark_coordinator.webhooks.testing.http_receiver import HttpReceiver

pytestmark = pytest.mark.connected
NUMBER = int(os.environ.get("WEBHOOK_EVENTS", "24"))
ROUNDS = max(1, NUMBER // 60)
"""How often each part is killed."""
PATIENCE_SECONDS = 60 + NUMBER


class Coordinator:
    """The webhooks of a coordinator as a process."""

    def __init__(self, environment, log):
        self._environment = environment
        self._log = log
        self._process = None

    async def start(self):
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "spark_coordinator.webhooks.testing.process",
                env=self._environment, stdout=log, stderr=log,
            )  # fmt: skip

    async def kill(self):
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGKILL)
        await self._process.wait()

    async def bounce(self):
        await self.kill()
        await self.start()


def flaky(chance, *ways):
    """Fail in one of these ways about every third time."""
    return lambda: chance.choice(ways) if chance.random() < 0.3 else "ok"


@pytest.fixture
async def coordinator(nats_server, redis_server, tmp_path):
    bus, redis = nats_server.settings("coordinator"), redis_server.settings
    made = Coordinator(
        {
            "PATH": os.environ["PATH"],
            "BIND_PORT": "0",
            "NATS_URL": bus.url,
            "NATS_SEED_FILE": str(bus.seed_file),
            "REDIS_URL": redis.url,
            **({"REDIS_USER": redis.user} if redis.user else {}),
            **({"REDIS_PASSWORD_FILE": str(redis.password_file)} if redis.password_file else {}),
        },
        tmp_path / "coordinator.log",
    )
    await made.start()
    yield made
    await made.kill()


async def asked(bus, rpc, question):
    """Ask until somebody answers: parts are killed all the time."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                return await bus.call(rpc, question, timeout_seconds=2.0)
            except SparkError:
                await asyncio.sleep(0.1)


@pytest.mark.timeout(PATIENCE_SECONDS * 2)
async def test_no_delivery_is_lost_and_every_id_is_constant(
    nats_server, redis_server, coordinator, request
):
    seed = int(os.environ.get("CHAOS_SEED", random.randrange(10**6)))
    chance = random.Random(seed)
    gateway = await connect_bus(nats_server.settings("gateway"), "gateway", SystemClock())
    swapper = await connect_bus(nats_server.settings("swapper"), "swapper", SystemClock())
    async with contextlib.AsyncExitStack() as stack:
        ways = {
            "steady": lambda: "ok",
            "failing": flaky(chance, "error"),
            "hanging": flaky(chance, "hang"),
            "cutting": flaky(chance, "cut", "lost_answer"),
            "dying": flaky(chance, "error", "lost_answer"),
        }
        receivers = {
            name: await stack.enter_async_context(HttpReceiver(way=way))
            for name, way in ways.items()
        }
        never = await stack.enter_async_context(HttpReceiver())
        await never.die()
        for name, receiver in (receivers | {"never": never}).items():
            await asked(gateway, PUT_TARGET, PutTarget(id=name, url=receiver.url, secret="s"))

        began, slowest, told = time.monotonic(), 0.0, []

        async def tell():
            nonlocal slowest
            for number in range(NUMBER):
                subject, event = EVENTS["swap"](number)
                since = time.monotonic()
                while not isinstance(
                    await swapper.publish_durable(subject, event, id=f"swap-{number}"),
                    Stored | Duplicate,
                ):
                    pass
                slowest = max(slowest, time.monotonic() - since)
                told.append(f"swap-{number}")
                await asyncio.sleep(chance.uniform(0, 0.05))

        async def strike():
            """Hit what works: a coordinator that was killed takes seconds to be one again."""
            steady = receivers["steady"]
            for _ in range(ROUNDS):
                more = min(len(steady.event_ids()) + 1, NUMBER)
                await until(
                    lambda n=more: len(steady.event_ids()) >= n, "it works", PATIENCE_SECONDS
                )
                await asyncio.sleep(chance.uniform(0, 0.2))
                await nats_server.kill()
                await nats_server.start()
                await until(lambda: len(told) >= NUMBER // 3, "a third is told", PATIENCE_SECONDS)
                await redis_server.kill()
                await redis_server.start()
                await asyncio.sleep(chance.uniform(0.2, 0.6))
                await coordinator.bounce()

        async def die_and_revive():
            while True:
                await asyncio.sleep(chance.uniform(0.2, 0.6))
                await receivers["dying"].die()
                await asyncio.sleep(chance.uniform(0.1, 0.3))
                await receivers["dying"].revive()

        dying = asyncio.create_task(die_and_revive())
        try:
            await asyncio.gather(tell(), strike())
            await until(
                lambda: all(len(one.event_ids()) == NUMBER for one in receivers.values()),
                f"everything arrives everywhere (CHAOS_SEED={seed})",
                PATIENCE_SECONDS,
            )
        finally:
            dying.cancel()
            await asyncio.gather(dying, return_exceptions=True)

        note(
            request.node,
            dict.fromkeys(("nats", "redis", "coordinator"), ROUNDS),
            seed=seed,
            events=NUMBER,
            targets=len(receivers),
            tries=sum(len(one.tried) for one in receivers.values()),
            never_delivered=sum(NUMBER - len(one.event_ids()) for one in receivers.values()),
            received_again=sum(one.repeats() for one in receivers.values()),
        )
        for name, receiver in receivers.items():
            assert receiver.event_ids() == told, f"{name}: order, CHAOS_SEED={seed}"
            assert receiver.ids() == {event: {delivery_id(event, name)} for event in told}
        assert never.tried == []

        async def settled():
            listed = (await asked(gateway, LIST_TARGETS, ListTargets())).targets
            owed = {one.id: (one.pending, one.dead, one.dropped) for one in listed}
            return owed == dict.fromkeys(receivers, (0, 0, 0)) | {"never": (NUMBER, 0, 0)}

        await until(settled, "nothing else is owed", PATIENCE_SECONDS)
        log = await asked(
            gateway, LIST_DELIVERIES, ListDeliveries(target="failing", limit=min(NUMBER, 500))
        )
        assert [row.event_id for row in log.deliveries] == told[::-1][: len(log.deliveries)]
        repeats = {name: receiver.repeats() for name, receiver in receivers.items()}
        sys.stdout.write(
            f"CHAOS_SEED={seed}: {NUMBER} events to {len(receivers)} targets in "
            f"{time.monotonic() - began:.1f} s, {3 * ROUNDS} kills, none lost, "
            f"received again under the same id {repeats}, slowest publish {slowest * 1000:.0f} ms\n"
        )
    await gateway.close()
    await swapper.close()
