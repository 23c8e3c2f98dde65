"""A change over HTTP is what the next swap is carried out with, and never the one that runs."""

import asyncio
import time

import pytest
import pytest_asyncio

from spark_common.testing.process import ServiceProcess
from spark_common.testing.service_exam import service_environment
from spark_common.testing.wait import until, within
from spark_sim.two_sparks import two_sparks

pytestmark = [
    pytest.mark.connected,
    pytest.mark.timeout(240),
    pytest.mark.asyncio(loop_scope="module"),
]

QWEN, GEMMA = "qwen3.6-35b-a3b", "gemma-4-26b"
LIVE_SECONDS = 2.0
PACE = {
    "DRAIN_SECONDS": "2",
    "STOP_SECONDS": "30",
    "LOAD_DEADLINE_SECONDS": "60",
    "POLL_SECONDS": "0.1",
    "MEMORY_SETTLE_SECONDS": "5",
}


@pytest_asyncio.fixture(loop_scope="module")
async def sparks(tmp_path):
    async with two_sparks(tmp_path, speed=300.0) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def plant(product, sparks, tmp_path):
    """Yield the gateway of a whole product on two simulated Sparks."""
    cluster = sparks.settings
    product.environment = PACE | {
        "SSH_KEY_PATH": str(cluster.ssh_key_path),
        "SSH_KNOWN_HOSTS": str(cluster.known_hosts_path),
    }
    for number, host in enumerate(cluster.hosts, start=1):
        product.environment |= {
            f"SPARK{number}_HOST": host.address,
            f"SPARK{number}_USER": host.user,
            f"SPARK{number}_SSH_PORT": str(host.ssh_port),
        }
    environment = service_environment("swapper", product.nats, product.redis)
    environment |= {**product.environment, "DATA_DIR": str(tmp_path / "swapper")}
    swapper = ServiceProcess("spark_swapper", environment, tmp_path / "swapper.log")
    gateway = product.gateway()
    async with product.running(swapper, product.coordinator(), gateway):
        await product.until_served(gateway)
        yield gateway


async def shows_port(product, gateway, port):
    """Say whether the swapper would start a model on this port."""
    answer = await product.http.post(f"{gateway.url}/api/recipes/preview", json={"model": QWEN})
    return (
        f"--port {port}" in answer.text
        or f"--port={port}" in answer.text
        or (f'"--port","{port}"' in answer.text)
    )


async def swapped(product, gateway, model):
    """Ask for a model and return how that ended."""
    url = f"{gateway.url}/api/swap"

    async def accepted():
        answer = await product.http.post(url, json={"model": model})
        return answer.json()["id"] if answer.status_code == 202 else None

    swap = None
    while swap is None:
        swap = await accepted()
        await asyncio.sleep(0.1)
    return await ended(product, gateway, swap)


async def ended(product, gateway, swap):
    async def over():
        view = (await product.http.get(f"{gateway.url}/api/swap/{swap}")).json()
        return view.get("finished_at") is not None

    await until(over, "the swap ends")
    return (await product.http.get(f"{gateway.url}/api/swap/{swap}")).json()


async def test_the_next_swap_uses_what_was_set_and_the_running_one_does_not(product, plant, sparks):
    port = 8889

    async def followed():
        nonlocal port
        port += 1
        began = time.monotonic()
        set_now = await product.set(plant, VLLM_PORT=port, VLLM_CONTAINER="vllm_two")
        assert set_now.status_code == 200
        await until(lambda: shows_port(product, plant, port), "the swapper follows")
        return time.monotonic() - began

    await within(LIVE_SECONDS, followed)
    view = await swapped(product, plant, QWEN)
    assert (view["phase"], view["serving"]) == ("ready", QWEN), view
    started = sparks.cluster.journal.of("container_started")[-1].details
    assert started["name"] == "vllm_two"
    assert str(port) in " ".join(sparks.cluster.journal.of("runtime_launched")[-1].details["argv"])

    for host in sparks.cluster.hosts.values():
        host.pace.speed = 60.0
    asked = await product.http.post(f"{plant.url}/api/swap", json={"model": GEMMA})
    swap = asked.json()["id"]

    async def loading():
        view = (await product.http.get(f"{plant.url}/api/swap/{swap}")).json()
        return view["phase"] == "loading"

    await until(loading, "it loads")
    assert (await product.set(plant, LOAD_DEADLINE_SECONDS=0.2)).status_code == 200
    view = await ended(product, plant, swap)
    assert (view["phase"], view["serving"]) == ("ready", GEMMA), view

    view = await swapped(product, plant, QWEN)
    assert (view["phase"], view["cause"]["code"]) == ("failed", "load_deadline"), view
