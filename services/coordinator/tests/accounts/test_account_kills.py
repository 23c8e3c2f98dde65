"""The coordinator as a process that is killed again and again while events come in."""

import asyncio
import signal

import pytest

from spark_common.bus.nats import connect_bus
from spark_common.clock import SystemClock
from spark_common.contracts.accountability import GET_ACCOUNTABILITY, GetAccountability
from spark_common.errors import SparkError
from spark_common.testing.process import ServiceProcess
from spark_common.testing.service_exam import service_environment
from spark_common.testing.wait import until

pytestmark = pytest.mark.connected
LEASES = 60


async def test_every_event_counts_once_though_the_coordinator_is_killed(
    nats_server, redis_server, tmp_path, make_teller
):
    environment = {
        **service_environment("coordinator", nats_server, redis_server),
        "NATS_PROVISIONER_SEED_FILE": str(nats_server.settings("provisioner").seed_file),
        "DATA_DIR": str(tmp_path / "data"),
    }
    clock = SystemClock()
    told_by = await connect_bus(nats_server.settings("coordinator"), "coordinator", clock)
    asker = await connect_bus(nats_server.settings("gateway"), "gateway", clock)
    lock = make_teller(told_by, clock.now(), -600)

    async def account():
        try:
            report = await asker.call(GET_ACCOUNTABILITY, GetAccountability(days=2))
        except SparkError:
            return None
        return next((one for one in report.holders if one.holder == "Alice"), None)

    async def tell() -> None:
        for epoch in range(1, LEASES + 1):
            await lock.lease(epoch, "Alice", epoch * 5, epoch * 5 + 2)

    telling = asyncio.create_task(tell())
    for _ in range(2):
        async with ServiceProcess("spark_coordinator", environment, tmp_path / "log") as one:
            seen = await account()
            before = 0 if seen is None else seen.leases

            async def more(before: int = before) -> bool:
                found = await account()
                return found is not None and (found.leases > before or found.leases == LEASES)

            await until(more, "some are counted")
            one._process.send_signal(signal.SIGKILL)
            await one.wait()
    await telling
    await redis_server.kill()
    await redis_server.start()
    async with ServiceProcess("spark_coordinator", environment, tmp_path / "log"):

        async def all_counted() -> bool:
            found = await account()
            return found is not None and found.leases == LEASES

        await until(all_counted, "all are counted")
        found = await account()
        assert found.held_minutes == 2 * LEASES
    await told_by.close()
    await asker.close()
