"""A third and a fourth Spark by configuration alone."""

import asyncio
from pathlib import Path

import asyncssh
import pytest
from gateway_stand.process import GatewayProcess

from spark_common.bus.provision import provision
from spark_common.clock import SystemClock
from spark_common.embedded import NatsServer, RedisServer
from spark_common.plain_http import plain_client
from spark_common.testing.noting import note
from spark_common.testing.process import ServiceProcess
from spark_common.testing.service_exam import service_environment
from spark_common.testing.wait import until
from spark_sim.two_sparks import two_sparks

pytestmark = [pytest.mark.chaos, pytest.mark.connected, pytest.mark.timeout(400)]
PATIENCE_SECONDS = 180
MODEL = "qwen3.6-35b-a3b"
VLLM_PORT = 8888
"""Where the model server listens unless told otherwise."""


async def test_four_sparks_are_online_and_swap(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    nats, redis = NatsServer(tmp_path / "nats"), RedisServer(tmp_path / "redis")
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    await asyncio.gather(nats.start(), redis.start())
    await provision(nats.settings("provisioner"), SystemClock())
    try:
        async with two_sparks(tmp_path / "one", speed=200.0) as first:
            key = _public_key(tmp_path / "one" / "key")
            async with two_sparks(tmp_path / "two", speed=200.0, authorized_key=key) as second:
                hosts = [*first.settings.hosts, *second.settings.hosts]
                environment = {
                    "SSH_KEY_PATH": str(first.settings.ssh_key_path),
                    "SSH_KNOWN_HOSTS": str(tmp_path / "known_hosts"),
                }
                for number, host in enumerate(hosts, start=1):
                    environment |= {
                        f"SPARK{number}_HOST": host.address,
                        f"SPARK{number}_USER": host.user,
                        f"SPARK{number}_SSH_PORT": str(host.ssh_port),
                    }
                await _runs(nats, redis, environment, tmp_path, request)
    finally:
        await asyncio.gather(nats.kill(), redis.kill())


def _public_key(private: Path) -> str:
    return asyncssh.read_private_key(str(private)).export_public_key().decode().strip()


async def _runs(
    nats: NatsServer,
    redis: RedisServer,
    environment: dict[str, str],
    folder: Path,
    request: pytest.FixtureRequest,
) -> None:
    parts = []
    for name in ("coordinator", "swapper", "health"):
        more = {
            **service_environment(name, nats, redis),
            **environment,
            "NATS_PROVISIONER_SEED_FILE": str(nats.settings("provisioner").seed_file),
            "DATA_DIR": str(folder / name),
        }
        parts.append(ServiceProcess(f"spark_{name}", more, folder / f"{name}.log"))
    gateway = GatewayProcess(nats, VLLM_PORT, folder / "gateway.log")
    async with parts[0], parts[1], parts[2]:
        await gateway.start(**environment)
        try:
            async with plain_client(base_url=gateway.url, timeout=60) as http:
                await _seen_and_swapped(http, request)
        finally:
            await gateway.end(9)


async def _seen_and_swapped(http, request: pytest.FixtureRequest) -> None:
    async def online() -> bool:
        hosts = (await http.get("/api/status")).json().get("hosts") or []
        return {one["name"]: one["state"] for one in hosts} == {
            f"spark{number}": "online" for number in range(1, 5)
        }

    await until(online, "four Sparks are online", PATIENCE_SECONDS)

    async def there() -> bool:
        models = (await http.get("/api/models")).json().get("models", [])
        return (MODEL, "ready") in {(one["key"], one["state"]) for one in models}

    await until(there, "the model can be loaded", PATIENCE_SECONDS)
    begun = await http.post("/api/swap", json={"model": MODEL, "requested_by": "Alice"})
    assert begun.status_code == 202, begun.text
    swap_id = begun.json()["id"]

    async def over() -> bool:
        return (await http.get(f"/api/swap/{swap_id}")).json()["phase"] in ("ready", "failed")

    await until(over, "the swap is over", PATIENCE_SECONDS)
    view = (await http.get(f"/api/swap/{swap_id}")).json()
    note(request.node, {}, sparks_online=4, swap=view["phase"])
    assert view["phase"] == "ready", view["cause"]
