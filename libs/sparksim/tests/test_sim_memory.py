"""A simulated Spark whose memory is in danger: leaks, late returns, a full cache, a freeze."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace

import asyncssh
import pytest

from spark_sim.cluster import SimulatedCluster
from spark_sim.config import SimConfig
from spark_sim.memory import GIB_KB, TOTAL_KB, HostMemory
from spark_sim.pace import Pace
from spark_sim.testing import Connect, Login, log_in

pytestmark = pytest.mark.connected

QWEN = "nvidia/Qwen3.6-35B-A3B-NVFP4"
LAUNCH = (
    "cd spark-vllm-docker && ./launch-cluster.sh --solo -d exec "
    f"vllm serve {QWEN} --port 8888 --gpu-memory-utilization 0.7"
)
KILL = "docker kill vllm_node"
DROP = "docker exec vllm_node sh -c 'sync; echo 3 > /proc/sys/vm/drop_caches'"


async def until(holds: Callable[[], object]) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(60):
        while not holds():
            await asyncio.sleep(0.005)


@pytest.fixture
def memory() -> Iterator[HostMemory]:
    found = HostMemory(Pace(1000.0))
    yield found
    found.close()


async def test_what_does_not_fit_goes_to_swap_until_that_is_full_too(memory: HostMemory) -> None:
    most = memory.available_kb / GIB_KB
    memory.hold(1, most + 5)
    assert (memory.available_kb, memory.exhausted) == (0, False)
    assert memory.swapped_kb == pytest.approx(5 * GIB_KB, rel=1e-3)
    memory.hold(1, most + 16)
    assert memory.exhausted
    memory.start_anew()
    assert memory.available_kb / GIB_KB == pytest.approx(most)


async def test_memory_comes_back_in_two_steps(memory: HostMemory) -> None:
    memory.hold(1, 80.0)
    memory.release(1)
    seen = {memory.held_kb}
    while memory.held_kb:
        # Every turn of the loop: nothing that changes between two of them is missed.
        await asyncio.sleep(0)
        seen.add(memory.held_kb)
    assert len(seen) == 3


async def test_what_comes_back_of_a_dead_process_is_not_its_successors(memory: HostMemory) -> None:
    memory.hold(1, 80.0)
    memory.release(1)
    memory.hold(1, 30.0)
    assert memory.held_kb == pytest.approx(110 * GIB_KB)
    await until(lambda: memory.held_kb <= 30 * GIB_KB)
    assert memory.held_kb == 30 * GIB_KB


async def test_it_comes_back_late_when_told_so(cluster: SimulatedCluster, spark1: Login) -> None:
    memory = cluster.hosts["spark1"].memory
    usual = memory.return_seconds
    await cluster.behave("spark1", "memory_late")
    assert memory.return_seconds > 5 * usual
    await cluster.behave("spark1", "ok")
    assert memory.return_seconds == usual


async def test_a_leak_takes_all_but_a_little_and_gives_it_back(
    cluster: SimulatedCluster, spark1: Login
) -> None:
    memory = cluster.hosts["spark1"].memory
    await cluster.behave("spark1", "memory_leak")
    await until(lambda: memory.available_kb < 2.1 * GIB_KB)
    said = (await spark1.run("cat /proc/meminfo")).out
    available = next(line for line in said.splitlines() if line.startswith("MemAvailable"))
    assert 1.9 * GIB_KB < int(available.split()[1]) < 2.1 * GIB_KB
    await cluster.behave("spark1", "ok")
    assert memory.available_kb > 0.9 * TOTAL_KB


async def test_a_full_cache_slows_a_load_until_a_privileged_container_drops_it(
    cluster: SimulatedCluster, spark1: Login
) -> None:
    memory = cluster.hosts["spark1"].memory
    await cluster.behave("spark1", "cache_full")
    assert memory.load_factor > 1
    assert memory.cached_kb > 100 * GIB_KB
    run = "docker run --rm {} --entrypoint= vllm-node sh -c 'echo 3 > /proc/sys/vm/drop_caches'"
    assert (await spark1.run(run.format(""))).code != 0
    assert memory.load_factor > 1
    assert (await spark1.run(run.format("--privileged"))).code == 0
    assert (memory.load_factor, memory.cached_kb < GIB_KB) == (1.0, True)


async def test_the_launchers_container_may_drop_the_cache(
    cluster: SimulatedCluster, spark1: Login
) -> None:
    await spark1.run(LAUNCH)
    await cluster.behave("spark1", "cache_full")
    assert (await spark1.run(DROP)).code == 0
    assert cluster.hosts["spark1"].memory.load_factor == 1.0


async def test_a_load_that_takes_everything_hangs_the_host_until_it_is_started_anew(
    cluster: SimulatedCluster, spark1: Login, connect: Connect
) -> None:
    host = cluster.hosts["spark1"]
    before = (await spark1.run("cat /proc/sys/kernel/random/boot_id")).out
    assert before.strip() == host.boot_id
    await cluster.behave("spark1", "freeze_on_load")
    await spark1.run(LAUNCH)
    await until(lambda: cluster.journal.of("host_frozen"))
    asking = asyncio.create_task(spark1.run("true"))
    await until(lambda: cluster.journal.of("host_restarted"))
    assert (await asyncio.gather(asking, return_exceptions=True))[0] != 0
    again = await connect(cluster)
    assert (await again.run("cat /proc/sys/kernel/random/boot_id")).out not in {before, ""}
    assert (await again.run("docker ps -q")).out == ""
    assert host.memory.held_kb == 0
    await cluster.behave("spark1", "ok")
    await again.run(LAUNCH)
    await until(lambda: cluster.journal.of("runtime_ready"))


async def test_a_reset_wakes_a_host_that_hangs(config: SimConfig, key: asyncssh.SSHKey) -> None:
    async with SimulatedCluster(replace(config, reboot_seconds=1e6)) as cluster:
        await cluster.behave("spark1", "freeze_on_load")
        login = await log_in(cluster, "spark1", key)
        await login.run(LAUNCH)
        await until(lambda: cluster.journal.of("host_frozen"))
        await cluster.reset()
        again = await log_in(cluster, "spark1", key)
        assert (await again.run("true")).code == 0
        again.connection.abort()


async def test_the_kernel_lists_who_listens(cluster: SimulatedCluster, spark1: Login) -> None:
    wanted = "cat /proc/net/tcp | awk '$4 == \"0A\" { print $2, $8 }'"
    port = "00000000:22B8"
    assert port not in (await spark1.run(wanted)).out
    await cluster.behave("spark1", "port_taken")
    assert f"{port} 1000" in (await spark1.run(wanted)).out
    await spark1.run(LAUNCH)
    await until(lambda: cluster.journal.of("runtime_died"))
    assert cluster.journal.of("runtime_died")[0].details["cause"] == "port"
    await cluster.behave("spark1", "ok")
    await spark1.run(KILL)
    await until(lambda: not cluster.hosts["spark1"].engine.containers)
    await spark1.run(LAUNCH)
    await until(lambda: cluster.journal.of("runtime_ready"))
    assert f"{port} 0" in (await spark1.run(wanted)).out
