"""The coordinator as it is started, with ``WEBHOOK_URL`` and a target of its own."""

import json

import pytest

from spark_common.bus.nats import connect_bus
from spark_common.bus.port import Stored
from spark_common.clock import SystemClock
from spark_common.contracts.webhooks import (
    LIST_TARGETS,
    PUT_TARGET,
    ListTargets,
    PutTarget,
)
from spark_common.errors import InvalidRequestError
from spark_common.testing.process import ServiceProcess
from spark_common.testing.wait import until
from spark_coordinator.webhooks.testing import EVENTS
from spark_coordinator.webhooks.testing.http_receiver import HttpReceiver

pytestmark = pytest.mark.connected


def environment(nats_server, redis_server, tmp_path, **more):
    redis = redis_server.settings
    found = {
        "NATS_URL": nats_server.settings("coordinator").url,
        "NATS_SEED_FILE": nats_server.settings("coordinator").seed_file,
        "NATS_PROVISIONER_SEED_FILE": nats_server.settings("provisioner").seed_file,
        "REDIS_URL": redis.url,
        "REDIS_USER": redis.user,
        "REDIS_PASSWORD_FILE": redis.password_file,
        "DATA_DIR": tmp_path,
        **more,
    }
    return {name: str(value) for name, value in found.items() if value is not None}


async def test_the_product_tells_the_target_of_its_settings(nats_server, redis_server, tmp_path):
    gateway = await connect_bus(nats_server.settings("gateway"), "gateway", SystemClock())
    swapper = await connect_bus(nats_server.settings("swapper"), "swapper", SystemClock())
    log = tmp_path / "coordinator.log"
    async with HttpReceiver() as one, HttpReceiver() as other:
        given = environment(
            nats_server, redis_server, tmp_path, WEBHOOK_URL=one.url, WEBHOOK_SECRET="s3cret-word",
            GATEWAY_PORT=9123,
        )  # fmt: skip
        async with ServiceProcess("spark_coordinator", given, log) as process:
            await process.until_ready()

            async def listed():
                return len((await gateway.call(LIST_TARGETS, ListTargets())).targets) == 1

            await until(listed, "the target of the settings is there")
            await gateway.call(PUT_TARGET, PutTarget(id="bob", url=other.url))
            for port in (9123, 9999):
                mine = PutTarget(id="mine", url=f"http://localhost:{port}/api/swap")
                with pytest.raises(InvalidRequestError, match="spark-control itself"):
                    await gateway.call(PUT_TARGET, mine)
            for number in range(3):
                subject, event = EVENTS["swap"](number)
                stored = await swapper.publish_durable(subject, event, id=f"swap-{number}")
                assert isinstance(stored, Stored)
            await until(lambda: len(one.taken) + len(other.taken) == 6, "both are told")
            assert one.event_ids() == other.event_ids() == ["swap-0", "swap-1", "swap-2"]
            assert json.loads(one.taken[0].body)["event"] == "swap_complete"
            assert one.taken[0].headers["user-agent"].startswith("spark-control/")
            assert "x-spark-signature" in one.taken[0].headers
            assert "x-spark-signature" not in other.taken[0].headers
            assert await process.reasons() == []
    assert "s3cret-word" not in log.read_text()
    await gateway.close()
    await swapper.close()
