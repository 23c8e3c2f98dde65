"""The switches of the control API and what each of them does."""

import asyncio
from collections.abc import Callable

import asyncssh
import httpx
import pytest

from spark_sim.cluster import SimulatedCluster
from spark_sim.config import SimConfig
from spark_sim.testing import Connect, Login, log_in

pytestmark = pytest.mark.connected

QWEN = "nvidia/Qwen3.6-35B-A3B-NVFP4"
SERVE = f"vllm serve {QWEN} --port 8888 --max-num-seqs 8 --gpu-memory-utilization 0.7"
LAUNCH = f"cd spark-vllm-docker && ./launch-cluster.sh --solo -d exec {SERVE}"
STOP = "cd spark-vllm-docker && ./launch-cluster.sh --solo stop"


async def until(cluster: SimulatedCluster, kind: str, count: int = 1) -> None:
    """Wait for so many effects of a kind."""
    while len(cluster.journal.of(kind)) < count:
        await asyncio.sleep(0.01)


async def log_with(spark1: Login, text: str) -> str:
    """Wait until the container's log has a text; return the log."""
    while text not in (found := (await spark1.run("docker logs vllm_node")).out):
        pass
    return found


async def put(cluster: SimulatedCluster, http: httpx.AsyncClient, behaviour: str) -> None:
    body = {"host": "spark1", "behaviour": behaviour}
    answer = await http.put(cluster.control_url + "/_sim/behaviour", json=body)
    assert answer.status_code == 200
    assert answer.json()["hosts"]["spark1"]["behaviour"] == behaviour


async def test_the_speed_can_be_changed(cluster: SimulatedCluster, http: httpx.AsyncClient) -> None:
    url = cluster.control_url + "/_sim/speed"
    for wrong in ({}, {"speed": 0}, {"speed": "fast"}, {"speed": [1]}):
        assert (await http.put(url, json=wrong)).status_code == 422
    assert (await http.put(url, json={"speed": 5})).json()["speed"] == 5
    assert {host.pace.real(5) for host in cluster.hosts.values()} == {1.0}


async def test_the_control_api_refuses_what_it_does_not_know(
    cluster: SimulatedCluster, http: httpx.AsyncClient
) -> None:
    url = cluster.control_url + "/_sim/behaviour"
    assert (await http.put(url, json={"host": "spark1", "behaviour": "sulk"})).status_code == 422
    assert (await http.put(url, json={"host": "spark9", "behaviour": "ok"})).status_code == 404


@pytest.mark.parametrize(
    ("behaviour", "said", "cause"),
    [
        ("oom_on_load", "Failed core proc(s): {}", "killed by the kernel for lack of memory"),
        ("low_memory", "ValueError: Free memory on device cuda:0 (", "not enough free memory"),
    ],
)
async def test_a_load_dies_and_the_container_stays(
    behaviour: str, said: str, cause: str,
    cluster: SimulatedCluster, spark1: Login, http: httpx.AsyncClient,
) -> None:  # fmt: skip
    await put(cluster, http, behaviour)
    await spark1.run(LAUNCH)
    await log_with(spark1, said)
    await until(cluster, "runtime_died")
    assert cluster.journal.of("runtime_died")[0].details["cause"] == cause
    look = await spark1.run("docker inspect -f '{{.State.Status}}|{{.RestartCount}}' vllm_node")
    assert look.out == "running|0\n"
    assert "vllm serve" not in (await spark1.run("docker top vllm_node -eo pid,etimes,args")).out
    await put(cluster, http, "ok")
    await spark1.run(STOP)
    while (await spark1.run("docker inspect vllm_node")).code == 0:
        pass
    while cluster.hosts["spark1"].memory.held_kb:
        await asyncio.sleep(0.01)
    await spark1.run(LAUNCH)
    await until(cluster, "runtime_ready")


async def test_a_bad_flag_is_refused_at_launch(
    cluster: SimulatedCluster, spark1: Login, http: httpx.AsyncClient
) -> None:
    await put(cluster, http, "bad_flag")
    await spark1.run(LAUNCH)
    await log_with(spark1, "vllm: error: unrecognized arguments: --max-num-seqs 8\n")
    assert cluster.journal.of("runtime_launched") == []


async def test_a_hanging_load_says_nothing_more(
    cluster: SimulatedCluster, spark1: Login, http: httpx.AsyncClient
) -> None:
    await put(cluster, http, "hang")
    await spark1.run(LAUNCH)
    await until(cluster, "runtime_hangs")
    text = await log_with(spark1, "Completed | 1/5")
    assert "100% Completed" not in text
    assert "vllm serve" in (await spark1.run("docker top vllm_node -eo pid,etimes,args")).out
    assert (await spark1.run(STOP)).code == 0
    await until(cluster, "runtime_died")


async def test_slow_takes_ten_times_as_long(cluster: SimulatedCluster) -> None:
    pace = cluster.hosts["spark1"].pace
    usual = pace.real(60)
    await cluster.behave("spark1", "slow")
    assert pace.real(60) == 10 * usual
    await cluster.behave("spark1", "ok")
    assert pace.real(60) == usual


async def test_every_third_command_of_a_flaky_host_fails(
    cluster: SimulatedCluster, spark1: Login, connect: Connect
) -> None:
    await cluster.behave("spark1", "flaky")
    assert (await spark1.run("true")).code == 0
    assert (await spark1.run("true")).code == 0
    assert (await spark1.run("true")).code is None
    assert (await (await connect(cluster)).run("true")).code == 0


async def test_a_crash_loop_dies_after_it_was_ready(
    cluster: SimulatedCluster, spark1: Login, http: httpx.AsyncClient
) -> None:
    await put(cluster, http, "crash_loop")
    await spark1.run(LAUNCH)
    await until(cluster, "runtime_ready")
    await until(cluster, "runtime_died")
    await log_with(spark1, "EngineCore encountered a fatal error.")


async def test_a_wedged_engine_answers_once_and_then_500(
    cluster: SimulatedCluster, spark1: Login, http: httpx.AsyncClient
) -> None:
    await put(cluster, http, "cuda_wedge")
    await spark1.run(LAUNCH)
    await until(cluster, "runtime_ready")
    url = f"http://{cluster.hosts['spark1'].address}:8888"
    body = {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 4}
    assert (await http.post(url + "/v1/chat/completions", json=body)).status_code == 200
    dead = await http.post(url + "/v1/chat/completions", json=body)
    assert dead.status_code == 500
    assert dead.json()["error"]["type"] == "InternalServerError"
    assert (await http.get(url + "/health")).status_code == 503


@pytest.mark.parametrize("stream", [False, True])
async def test_a_broken_kernel_says_one_token_over_and_over(
    cluster: SimulatedCluster, spark1: Login, http: httpx.AsyncClient, stream: bool
) -> None:
    await put(cluster, http, "gibberish")
    await spark1.run(LAUNCH)
    await until(cluster, "runtime_ready")
    url = f"http://{cluster.hosts['spark1'].address}:8888/v1/chat/completions"
    body = {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 9, "stream": stream}
    answer = await http.post(url, json=body)
    if stream:
        assert answer.text.count('"!"') == 9
        return
    message = answer.json()["choices"][0]["message"]
    assert (message["content"] or message["reasoning"]) == "!" * 9
    await put(cluster, http, "ok")
    answer = await http.post(url, json={**body, "max_tokens": 200})
    assert "You asked: Hi" in answer.text


async def test_an_unreachable_host_refuses_everything_and_comes_back(
    cluster: SimulatedCluster, spark1: Login, http: httpx.AsyncClient, connect: Connect
) -> None:
    await spark1.run(LAUNCH)
    await until(cluster, "runtime_ready")
    waiting = asyncio.create_task(spark1.run("sleep 100"))
    await put(cluster, http, "unreachable")
    assert (await waiting).code is None
    with pytest.raises(OSError):
        await connect(cluster)
    url = f"http://{cluster.hosts['spark1'].address}:8888/health"
    with pytest.raises(httpx.ConnectError):
        await http.get(url)
    await put(cluster, http, "ok")
    assert (await (await connect(cluster)).run("echo back")).out == "back\n"
    assert (await http.get(url)).status_code == 200


async def test_a_full_disk_starts_no_container(
    cluster: SimulatedCluster, spark1: Login, http: httpx.AsyncClient
) -> None:
    await put(cluster, http, "disk_full")
    ran = await spark1.run("docker run -d --name x vllm-node sleep infinity")
    assert ran.code == 125
    assert "no space left on device" in ran.err
    assert (await spark1.run("df -B1 -P / | tail -n 1 | tr -s ' ' | cut -d ' ' -f 4")).out == "0\n"


async def test_a_frozen_host_connects_and_answers_nothing(
    cluster: SimulatedCluster, spark1: Login, key: asyncssh.SSHKey
) -> None:
    await cluster.behave("spark1", "ssh_hang")
    running = asyncio.create_task(spark1.run("echo thawed"))
    connecting = asyncio.create_task(log_in(cluster, "spark1", key))
    done, _ = await asyncio.wait({running, connecting}, timeout=0.3)
    assert not done
    await cluster.behave("spark1", "ok")
    assert (await running).out == "thawed\n"
    (await connecting).connection.abort()


async def test_another_host_key_is_shown_and_taken_back(cluster: SimulatedCluster) -> None:
    host = cluster.hosts["spark1"]

    async def shown() -> bytes:
        found = await asyncssh.get_server_host_key(host.address, host.ssh_port, config=None)
        assert found is not None
        return found.public_data

    usual = await shown()
    await cluster.behave("spark1", "changed_host_key")
    assert await shown() != usual
    await cluster.behave("spark1", "ok")
    assert await shown() == usual


async def test_the_journal_is_numbered_and_read_from_a_number_on(
    cluster: SimulatedCluster, spark1: Login, http: httpx.AsyncClient
) -> None:
    await spark1.run("docker run -d --name x vllm-node sleep infinity")
    url = cluster.control_url + "/_sim/journal"
    everything = (await http.get(url)).json()["entries"]
    numbers = [entry["seq"] for entry in everything]
    assert numbers == sorted(set(numbers))
    started = next(e for e in everything if e["kind"] == "container_started")
    later = (await http.get(url, params={"after": started["seq"]})).json()["entries"]
    assert [e["seq"] for e in later] == [n for n in numbers if n > started["seq"]]


async def test_reset_leaves_nothing_running(
    cluster: SimulatedCluster, spark1: Login, http: httpx.AsyncClient
) -> None:
    await spark1.run(LAUNCH)
    await until(cluster, "runtime_ready")
    state = (await http.post(cluster.control_url + "/_sim/reset")).json()
    assert state["hosts"]["spark1"]["containers"] == []
    assert state["hosts"]["spark1"]["runtimes"] == []
    assert (await spark1.run("docker ps -aq")).out == ""


async def test_neighbours_say_how_they_are(
    faster: Callable[..., SimConfig], http: httpx.AsyncClient
) -> None:
    async with SimulatedCluster(faster(neighbours=True)) as cluster:
        first, second = (host.address for host in cluster.hosts.values())
        for address, port, path in (
            (first, 8000, "/health"), (first, 8880, "/health"), (second, 8081, "/health"),
            (second, 6333, "/healthz"),
        ):  # fmt: skip
            assert (await http.get(f"http://{address}:{port}{path}")).status_code == 200
            assert (await http.get(f"http://{address}:{port}/nope")).status_code == 404
        listed = (await http.get(f"http://{second}:6333/collections")).json()
        assert listed["result"] == {"collections": []}
