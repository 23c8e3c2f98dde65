"""health as a process against two simulated Sparks: freezes, kills, and what is told of them."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest
import pytest_asyncio
from pydantic import SecretStr

from spark_common.bus.nats import NatsBus, connect_bus
from spark_common.clock import SystemClock
from spark_common.contracts.health import (
    BEGIN_MAINTENANCE,
    GET_CONNECTIVITY,
    GET_ENDPOINTS,
    GET_HEALTH,
    REPORT_HEALTH,
    BeginMaintenance,
    GetConnectivity,
    GetEndpoints,
    GetHealth,
    ReportHealth,
)
from spark_common.contracts.jobs import GetJob
from spark_common.contracts.nim import GET_NIM_JOB, INSTALL_NIM, InstallNim
from spark_common.contracts.services import LIST_SERVICES, ListServices
from spark_common.errors import SparkError
from spark_common.testing.process import ServiceProcess
from spark_common.testing.service_exam import service_environment
from spark_common.testing.wait import until
from spark_sim.cluster import SimulatedCluster
from spark_sim.faults import Behaviour
from spark_sim.two_sparks import two_sparks

pytestmark = [pytest.mark.connected, pytest.mark.timeout(240)]


@dataclass
class Stack:
    """Servers and Sparks that stay, and a health that is killed and started again."""

    cluster: SimulatedCluster
    asker: NatsBus
    process: ServiceProcess
    exits: AsyncExitStack

    async def kill_and_start(self) -> None:
        await self.process.kill()
        self.process = await self.exits.enter_async_context(self.process.again())

    async def states(self) -> dict[str, str]:
        try:
            view = await self.asker.call(GET_HEALTH, GetHealth(), timeout_seconds=1)
        except SparkError:
            return {}
        return {one.name: one.state for one in view.targets}

    async def until(self, target: str, state: str) -> None:
        async def there() -> bool:
            return (await self.states()).get(target) == state

        await until(there, f"{target} is {state}")

    async def until_told(self, *transitions: tuple[str, str, str]) -> None:
        """What is written down is told after it, and by the next process after a kill."""

        async def there() -> bool:
            return len(await self.told()) >= len(transitions)

        await until(there, f"{len(transitions)} transitions are told")
        assert await self.told() == list(transitions)

    async def told(self) -> list[tuple[str, str, str]]:
        _epoch, first, last = await self.asker.bounds("SC_HEALTH")
        found = []
        for number in range(max(first, 1), last + 1):
            message = await self.asker.message_at("SC_HEALTH", number)
            if message is None or message.envelope is None:
                continue
            if message.subject.startswith("health.transition."):
                data = message.envelope.data
                found.append((data["target"], data["from"], data["to"]))
        return found


@pytest_asyncio.fixture
async def stack(tmp_path, nats_server, redis_server) -> AsyncIterator[Stack]:
    async with AsyncExitStack() as exits:
        sparks = await exits.enter_async_context(two_sparks(tmp_path, neighbours=True))
        one, two = sparks.settings.hosts
        environment = {
            **service_environment("health", nats_server, redis_server),
            "SPARK1_HOST": one.address,
            "SPARK1_USER": one.user,
            "SPARK1_SSH_PORT": str(one.ssh_port),
            "SPARK2_HOST": two.address,
            "SPARK2_USER": two.user,
            "SPARK2_SSH_PORT": str(two.ssh_port),
            "SSH_KEY_PATH": str(sparks.settings.ssh_key_path),
            "SSH_KNOWN_HOSTS": str(sparks.settings.known_hosts_path),
            "DATA_DIR": str(tmp_path / "data"),
            "DISABLED_SERVICES": "kokoro",
            "HEALTH_LOOK_SECONDS": "0.3",
            # A machine that is busy with other tests must not look like a Spark that hangs.
            "HEALTH_PATIENCE_SECONDS": "4",
        }
        process = ServiceProcess("spark_health", environment, tmp_path / "health.log")
        asker = await connect_bus(nats_server.settings("gateway"), "gateway", SystemClock())
        exits.push_async_callback(asker.close)
        await exits.enter_async_context(process)
        yield Stack(sparks.cluster, asker, process, exits)


async def test_a_frozen_spark_is_one_transition_though_health_is_killed_in_between(stack) -> None:
    for target in ("spark1", "spark2", "parakeet", "embeddings", "qdrant"):
        await stack.until(target, "up")
    await asyncio.sleep(1.0)
    assert await stack.told() == []
    listed = await stack.asker.call(LIST_SERVICES, ListServices())
    assert {one.name for one in listed.services} == {"vllm", "parakeet", "embeddings", "qdrant"}
    boxes = {one.name: one.container.state for one in listed.services}
    assert (boxes["parakeet"], boxes["qdrant"], listed.hidden) == (
        "running",
        "missing",
        ["kokoro"],
    )

    await stack.cluster.behave("spark2", Behaviour.SSH_HANG)
    await stack.kill_and_start()
    await stack.until("spark2", "down")
    await stack.kill_and_start()
    await stack.until("spark2", "down")
    await stack.until("spark1", "up")
    assert "kokoro" not in await stack.states()
    # It answers by HTTP all the same, and that is what is said of it.
    await stack.until("qdrant", "up")

    await stack.cluster.behave("spark2", Behaviour.OK)
    await stack.until("spark2", "up")
    await stack.kill_and_start()
    await stack.until("spark2", "up")
    await stack.until_told(("spark2", "up", "down"), ("spark2", "down", "up"))

    async def read() -> bool:
        return bool((await stack.asker.call(GET_CONNECTIVITY, GetConnectivity())).complete)

    await until(read, "the log is read")
    log = await stack.asker.call(GET_CONNECTIVITY, GetConnectivity(target="spark2"))
    back, gone = log.transitions
    assert (back.after, back.until, gone.until) == ("up", None, back.since)
    assert gone.seconds == pytest.approx((back.since - gone.since).total_seconds(), abs=0.01)
    assert gone.before_seconds is not None


async def test_a_spark_that_is_off_takes_its_services_along_in_one_transition(stack) -> None:
    await stack.until("qdrant", "up")
    await stack.until("spark2", "up")
    await stack.asker.call(BEGIN_MAINTENANCE, BeginMaintenance(target="spark2", minutes=5))
    reported = ReportHealth(service="Vector DB", ok=False, source="notes", error="x" * 5000)
    assert (await stack.asker.call(REPORT_HEALTH, reported)).target is None
    about = await stack.asker.call(REPORT_HEALTH, ReportHealth(service="vectors", ok=False, ms=3))
    assert about.target == "qdrant"

    unplugged = time.monotonic()
    await stack.cluster.behave("spark2", Behaviour.UNREACHABLE)
    await stack.until("spark2", "down")
    # Looks are sixteen times as frequent here as usual, and the machine may be very busy.
    assert time.monotonic() - unplugged < 20
    await stack.until("qdrant", "down")
    await stack.until("embeddings", "down")
    await stack.until_told(("spark2", "up", "down"))
    view = await stack.asker.call(GET_HEALTH, GetHealth(targets=["qdrant", "spark2"]))
    assert [(one.name, one.because, one.maintenance) for one in view.targets] == [
        ("spark2", None, True), ("qdrant", "spark2", True),
    ]  # fmt: skip

    await stack.kill_and_start()
    await stack.until("spark2", "down")
    await until(lambda: _reports(stack, 2), "the reports are read again")
    log = await stack.asker.call(GET_CONNECTIVITY, GetConnectivity())
    assert {one.service: one.failed for one in log.reported} == {"qdrant": 1, "Vector DB": 1}
    assert max(len(one.error or "") for one in log.reports) == 1000
    assert [one.target for one in log.maintenance] == ["spark2"]
    assert [one.maintenance for one in log.transitions] == [True]
    await stack.until("qdrant", "down")
    endpoints = (await stack.asker.call(GET_ENDPOINTS, GetEndpoints())).endpoints
    hidden = {one.name: (one.disabled, one.state) for one in endpoints}
    assert hidden["kokoro"] == (True, None)
    assert hidden["qdrant"] == (False, "down")


async def _reports(stack: Stack, number: int) -> bool:
    log = await stack.asker.call(GET_CONNECTIVITY, GetConnectivity())
    return len(log.reports) == number


async def test_a_nim_is_installed_though_health_is_killed_and_is_watched_then(
    stack, tmp_path
) -> None:
    await stack.until("spark2", "up")
    stack.cluster.hosts["spark2"].pace.speed = 150
    key = "nvapi-0123456789-abcdefgh"
    # Nobody is here who could say what else is going on.
    asked = InstallNim(entry="llama-3-1-8b", id="nim", ngc_api_key=SecretStr(key), force=True)
    await stack.asker.call(INSTALL_NIM, asked, timeout_seconds=4)

    async def step() -> str:
        try:
            view = await stack.asker.call(GET_NIM_JOB, GetJob(id="nim"), timeout_seconds=1)
        except SparkError:
            return ""
        return str(view.state) if view.over else view.step

    async def at_work() -> bool:
        return await step() in ("pulling", "preparing", "starting", "waiting")

    async def over() -> bool:
        return await step() == "complete"

    await until(at_work, "it has begun")
    await stack.kill_and_start()
    await until(over, "it is installed")
    await stack.until("llama-3-1-8b", "up")
    logs = [path.read_text() for path in tmp_path.glob("*health.log")]
    assert len(logs) == 2
    assert key not in "".join(logs)
