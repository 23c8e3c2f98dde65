"""More than one server behind the services: three of NATS, and a second one of Redis."""

import asyncio
import hashlib
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from replica_lab.nats_cluster import NatsCluster

from spark_common.bus.nats import NatsBus, connect_bus
from spark_common.bus.nats_link import ApiError, NatsLink, read_seed
from spark_common.bus.port import Duplicate, Stored
from spark_common.bus.provision import provision
from spark_common.bus.streams import STREAMS
from spark_common.clock import SystemClock
from spark_common.contracts.leases import ACQUIRE_LEASE, GET_LEASE, AcquireLease, GetLease
from spark_common.embedded import NatsServer, RedisServer
from spark_common.errors import SparkError
from spark_common.events import SwapStart
from spark_common.redis_access import connect_redis
from spark_common.testing.noting import note
from spark_common.testing.process import ServiceProcess
from spark_common.testing.service_exam import service_environment
from spark_common.testing.wait import until

pytestmark = [pytest.mark.chaos, pytest.mark.connected, pytest.mark.timeout(600)]
COMMANDS, COPIES = 120, 3


@asynccontextmanager
async def link_of(cluster: NatsCluster) -> AsyncIterator[NatsLink]:
    settings = cluster.settings("provisioner")
    link = NatsLink("provisioner", SystemClock(), lambda: None)
    await link.connect(settings.url, read_seed(settings.seed_file))
    try:
        yield link
    finally:
        await link.close()


async def copies(link: NatsLink) -> dict[str, int]:
    found = {}
    for spec in STREAMS:
        config = (await link.api(f"STREAM.INFO.{spec.name}"))["config"]
        found[spec.name] = config["num_replicas"]
    return found


async def in_step(link: NatsLink, stream: str) -> bool:
    """Say whether the stream has a leader and two others that have all of it."""
    try:
        state = (await link.api(f"STREAM.INFO.{stream}"))["cluster"]
    except (ApiError, SparkError):
        return False
    others = state.get("replicas", [])
    return "leader" in state and len(others) == 2 and all(one["current"] for one in others)


async def leader(link: NatsLink, stream: str) -> str:
    return str((await link.api(f"STREAM.INFO.{stream}"))["cluster"]["leader"])


async def test_three_nats_servers_lose_one_after_the_other_and_no_command(
    tmp_path: Path, seed: int, request: pytest.FixtureRequest
) -> None:
    cluster, clock = NatsCluster(tmp_path), SystemClock()
    rng = random.Random(seed)
    try:
        await cluster.start()
        await provision(cluster.settings("provisioner"), clock)
        async with link_of(cluster) as link:
            for spec in STREAMS:
                config = (await link.api(f"STREAM.INFO.{spec.name}"))["config"]
                await link.api(f"STREAM.UPDATE.{spec.name}", config | {"num_replicas": COPIES})
            # As the coordinator does at each of its starts.
            await provision(cluster.settings("provisioner"), clock)
            assert set((await copies(link)).values()) == {COPIES}
        worker = await connect_bus(cluster.settings("swapper", "n1"), "swapper", clock)
        admission = await connect_bus(cluster.settings("swapper", "n2"), "swapper", clock)
        taken: list[str] = []
        waits: list[float] = []

        async def work() -> None:
            async for delivery in worker.work("SC_SWAP_CMD", "swapper"):
                taken.append(delivery.message.subject)
                await delivery.done()

        async def ask() -> None:
            for number in range(COMMANDS):
                name = f"c{number}"
                start = SwapStart(swap_id=name, model="m", requested_by="Alice", lease_epoch=0)
                began = time.monotonic()
                while not isinstance(
                    await admission.publish_durable(f"swap.requested.{name}", start, id=name),
                    Stored | Duplicate,
                ):
                    pass
                waits.append(time.monotonic() - began)
                await asyncio.sleep(rng.uniform(0, 0.05))

        async def kill_leaders() -> int:
            """Kill whoever leads, twice, as soon as the one before is back in step."""
            for at in (COMMANDS // 4, COMMANDS // 2):
                await until(lambda at=at: len(waits) >= at, "the commands go on", 120)
                async with link_of(cluster) as link:
                    await until(lambda: in_step(link, "SC_SWAP_CMD"), "all are in step", 120)
                    name = await leader(link, "SC_SWAP_CMD")
                await cluster.nodes[name].kill()
                await until(lambda at=at: len(waits) >= at + 10, "two go on", 120)
                await cluster.revive(name)
            return 2

        working = asyncio.create_task(work())
        asking = asyncio.create_task(ask())
        killed = await kill_leaders()
        await asking
        wanted = {f"swap.requested.c{number}" for number in range(COMMANDS)}
        await until(lambda: set(taken) == wanted, "every command is taken", 120)
        _, _, last = await admission.bounds("SC_SWAP_CMD")
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        for bus in (worker, admission):
            await bus.close()
    finally:
        await cluster.kill()
    note(
        request.node,
        {"kill leading nats": killed},
        seed=seed,
        commands=COMMANDS,
        stored=last,
        taken=len(set(taken)),
        taken_again=len(taken) - len(set(taken)),
        slowest_publish_seconds=round(max(waits), 1),
    )
    assert last == COMMANDS


REPLICATION_WORD = "a-word-of-the-two-servers"


class Master(RedisServer):
    """Lets a second server copy it."""

    def _render(self) -> str:
        digest = hashlib.sha256(REPLICATION_WORD.encode()).hexdigest()
        rules = "resetchannels -@all +psync +replconf +ping"
        return super()._render() + f"user copy on #{digest} {rules}\n"


class Copy(RedisServer):
    """Copies another one until it is promoted."""

    master: RedisServer | None = None

    def _render(self) -> str:
        text = super()._render()
        if self.master is None:
            return text
        port = self.master.url.rpartition(":")[2].partition("/")[0]
        more = f"replicaof 127.0.0.1 {port}\nmasteruser copy\nmasterauth {REPLICATION_WORD}\n"
        return text + more


async def test_a_lease_is_kept_when_the_second_redis_takes_over(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    nats = NatsServer(tmp_path / "nats")
    master, copy = Master(tmp_path / "one"), Copy(tmp_path / "two")
    copy.master = master
    try:
        await asyncio.gather(nats.start(), master.start())
        (copy.directory).mkdir(mode=0o700)
        copy.password_file.write_text(master.password_file.read_text())
        copy.password_file.chmod(0o600)
        await copy.start()
        await provision(nats.settings("provisioner"), SystemClock())
        bus = await connect_bus(nats.settings("gateway"), "gateway", SystemClock())
        async with coordinator(nats, master, tmp_path / "first.log"):
            held = await asked(bus, ACQUIRE_LEASE, AcquireLease(holder="Alice"))
        reader = connect_redis(copy.settings, "test")

        async def copied() -> bool:
            return await reader.hget("sc:lock", "holder") == "Alice"

        await until(copied, "the second one has it")
        await reader.aclose()
        began = time.monotonic()
        await master.kill()
        # Promoted: started again without the line that makes it a copy.
        await copy.terminate()
        copy.master = None
        await copy.start()
        async with coordinator(nats, copy, tmp_path / "second.log"):
            view = await asked(bus, GET_LEASE, GetLease.model_validate({"token": held.token}))
            took = time.monotonic() - began
            forced = await asked(bus, ACQUIRE_LEASE, AcquireLease(holder="Bob", force=True))
        await bus.close()
    finally:
        await asyncio.gather(nats.kill(), master.kill(), copy.kill())
    note(request.node, {"kill redis": 1}, lease_kept=view.holder, seconds=round(took, 1))
    assert (view.yours, view.epoch) == ("lease", held.epoch)
    assert forced.epoch > held.epoch


@asynccontextmanager
async def coordinator(nats: NatsServer, redis: RedisServer, log: Path) -> AsyncIterator[None]:
    environment = service_environment("coordinator", nats, redis) | {
        "NATS_PROVISIONER_SEED_FILE": str(nats.settings("provisioner").seed_file),
        "DATA_DIR": str(log.parent / "data"),
    }
    async with ServiceProcess("spark_coordinator", environment, log) as running:
        await running.until_ready()
        yield


async def asked(bus: NatsBus, rpc, question):
    """Ask until somebody answers."""
    while True:
        try:
            return await bus.call(rpc, question, timeout_seconds=2.0)
        except SparkError as error:
            if not error.retryable:
                raise
            await asyncio.sleep(0.2)
