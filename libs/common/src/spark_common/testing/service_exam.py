"""What every service must be able to do as a process; each one's tests inherit this class."""

import os
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import ClassVar

import pytest
import pytest_asyncio

from spark_common.bus.nats import NatsBus, connect_bus
from spark_common.bus.steward import Steward
from spark_common.clock import SystemClock
from spark_common.contracts.about import About, GetAbout, about_rpc
from spark_common.embedded import NatsServer, RedisServer
from spark_common.testing.process import ServiceProcess
from spark_common.testing.wait import until


def service_environment(
    name: str, nats_server: NatsServer, redis_server: RedisServer
) -> dict[str, str]:
    """Return the variables every service needs, pointing at the servers of a test."""
    bus, redis = nats_server.settings(name), redis_server.settings
    return {
        "NATS_URL": bus.url,
        "NATS_SEED_FILE": str(bus.seed_file),
        "REDIS_URL": redis.url,
        "REDIS_USER": redis.user or "",
        "REDIS_PASSWORD_FILE": str(redis.password_file),
    }


@pytest.mark.connected
@pytest.mark.timeout(120)
class ServiceExam:
    """Boots the real process against real servers and takes them away."""

    name: ClassVar[str]
    module: ClassVar[str]

    def more_environment(self, nats_server: NatsServer) -> Mapping[str, str]:
        """Return what this service needs beside what all need."""
        return {}

    @pytest_asyncio.fixture
    async def service(
        self, nats_server: NatsServer, redis_server: RedisServer, tmp_path: Path
    ) -> AsyncIterator[ServiceProcess]:
        """Yield the running process."""
        environment = {
            **service_environment(self.name, nats_server, redis_server),
            **self.more_environment(nats_server),
        }
        async with ServiceProcess(self.module, environment, tmp_path / "service.log") as process:
            yield process

    @pytest_asyncio.fixture
    async def gateway_bus(self, nats_server: NatsServer) -> AsyncIterator[NatsBus]:
        """Yield the bus as the gateway sees it."""
        bus = await connect_bus(nats_server.settings("gateway"), "gateway", SystemClock())
        yield bus
        await bus.close()

    async def test_it_says_who_it_is_on_the_bus_and_over_http(
        self, service: ServiceProcess, gateway_bus: NatsBus
    ) -> None:
        """Discovery, ``about``, health and metrics agree."""
        await service.until_ready()
        assert self.name in await gateway_bus.discover(1.0)
        about: About = await gateway_bus.call(about_rpc(self.name), GetAbout())
        assert about.name == self.name
        assert about.ready is True
        assert about.reasons == []
        assert about.started_at <= SystemClock().now()
        assert (await service.get("/livez")).json() == {"alive": True, "service": self.name}
        assert "spark_loop_lag_seconds_count" in (await service.get("/metrics")).text
        missing = await service.get("/no/such/route")
        assert missing.status_code == 404
        assert missing.json()["error"]["code"] == "not_found"

    async def test_it_is_not_ready_while_nats_is_away_and_ready_when_it_is_back(
        self, service: ServiceProcess, nats_server: NatsServer, gateway_bus: NatsBus
    ) -> None:
        """It stays alive meanwhile and answers on the bus again."""
        await service.until_ready()
        await nats_server.kill()
        await service.until_waiting_for("nats")
        assert (await service.get("/livez")).status_code == 200
        await nats_server.start()
        await service.until_ready()
        await until(lambda: gateway_bus.health().connected, "the gateway is back as well")
        about: About = await gateway_bus.call(about_rpc(self.name), GetAbout())
        assert about.ready is True

    async def test_it_is_not_ready_while_redis_is_away_and_ready_when_it_is_back(
        self, service: ServiceProcess, redis_server: RedisServer, gateway_bus: NatsBus
    ) -> None:
        """The bus hears the same reason as HTTP."""
        await service.until_ready()
        await redis_server.kill()
        await service.until_waiting_for("redis: Redis does not answer")
        about: About = await gateway_bus.call(about_rpc(self.name), GetAbout())
        assert about.ready is False
        assert any("redis" in reason for reason in about.reasons)
        await redis_server.start()
        await service.until_ready()

    async def test_it_waits_for_servers_that_start_after_it(
        self, nats_server: NatsServer, redis_server: RedisServer, tmp_path: Path
    ) -> None:
        """Alive at once, ready later."""
        await nats_server.kill()
        await redis_server.kill()
        environment = {
            **service_environment(self.name, nats_server, redis_server),
            **self.more_environment(nats_server),
        }
        async with ServiceProcess(self.module, environment, tmp_path / "late.log") as service:
            assert (await service.get("/livez")).status_code == 200
            await service.until_waiting_for("starting: ")
            await nats_server.start()
            await service.until_waiting_for("redis: ")
            await redis_server.start()
            await service.until_ready()

    async def test_a_subject_it_is_refused_turns_it_red_with_the_reason(
        self, nats_server: NatsServer, redis_server: RedisServer, tmp_path: Path
    ) -> None:
        """Until it connects anew and is not refused any more."""
        own = f"rpc.{self.name}.>"
        text = nats_server.config_file.read_text()
        nats_server.config_file.write_text(text.replace(f', "{own}"', ""))
        steward = Steward(nats_server.url, nats_server.identities, SystemClock())
        await steward.reload()
        environment = {
            **service_environment(self.name, nats_server, redis_server),
            **self.more_environment(nats_server),
        }
        async with ServiceProcess(self.module, environment, tmp_path / "refused.log") as service:

            async def refused_and_nothing_else() -> bool:
                reasons = await service.reasons()
                return len(reasons) == 1 and f'subscription to "rpc.{self.name}' in reasons[0]

            await until(refused_and_nothing_else, "the refusal is the one reason")
            await nats_server.kill()
            await nats_server.start()
            await service.until_ready()

    async def test_it_ends_in_order_when_asked(
        self, service: ServiceProcess, gateway_bus: NatsBus
    ) -> None:
        """Exit code 0, and nobody finds it on the bus."""
        await service.until_ready()
        assert await service.terminate() == 0
        assert self.name not in await gateway_bus.discover(0.3)
        assert service.said("service.stopped")

    async def test_a_missing_setting_is_one_line_and_code_two(self) -> None:
        """No stack trace, the variable's name."""
        ended = await ServiceProcess.attempt(self.module, {"PATH": os.environ["PATH"]})
        assert ended == (2, "NATS_URL is not set: for example nats://127.0.0.1:4222\n")
