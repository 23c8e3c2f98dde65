"""A runtime on the simulated Sparks: launched, loading, serving, stopped."""

import asyncio
import json
import shlex
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from spark_common.testing.later import Later
from spark_sim.cluster import SimulatedCluster
from spark_sim.config import SimConfig
from spark_sim.testing import Connect, Login

openai = Later("openai")

pytestmark = pytest.mark.connected

QWEN = "nvidia/Qwen3.6-35B-A3B-NVFP4"
LAUNCH = "cd spark-vllm-docker && ./launch-cluster.sh -t vllm-node --name vllm_node --solo -d exec "
STOP = "cd spark-vllm-docker && ./launch-cluster.sh --name vllm_node --solo stop"
SERVE = f"vllm serve {QWEN} --port 8888 --host 0.0.0.0 --served-model-name qwen " \
        "--gpu-memory-utilization 0.7 --reasoning-parser qwen3"  # fmt: skip


async def until_ready(cluster: SimulatedCluster, host: str = "spark1") -> None:
    """Wait for a runtime that serves."""
    while not any(process.ready for process in cluster.hosts[host].runtimes.live):
        await asyncio.sleep(0.01)


def runtime_url(cluster: SimulatedCluster) -> str:
    return f"http://{cluster.hosts['spark1'].address}:8888"


async def test_the_launch_script_says_what_the_real_one_says(
    cluster: SimulatedCluster, spark1: Login
) -> None:
    await spark1.run("rm spark-vllm-docker/.env")
    ran = await spark1.run(LAUNCH + "vllm serve org/m --port 8888")
    container = cluster.hosts["spark1"].engine.find("vllm_node")
    assert container is not None
    assert ran.code == 0
    assert ran.out == (
        "Solo mode enabled. Skipping node detection.\n"
        "Head Node: 127.0.0.1\n"
        "Worker Nodes: \n"
        "Container Name: vllm_node\n"
        "Image Name: vllm-node\n"
        "Action: exec\n"
        "Starting Head Node on 127.0.0.1...\n"
        f"{container.id}\n"
        "Executing command: vllm serve org/m --port 8888 \n"
        "Command dispatched in background (Daemon mode). Container: vllm_node\n"
    )
    stopped = await spark1.run(STOP)
    assert stopped.out.endswith(
        "Action: stop\n\nStopping cluster...\nStopping head node (127.0.0.1)...\nCluster stopped.\n"
    )


async def test_exit_code_0_lies(spark1: Login) -> None:
    ran = await spark1.run(LAUNCH.replace("-t vllm-node", "-t nothing") + "vllm serve org/m")
    assert ran.code == 0
    assert "Unable to find image 'nothing' locally" in ran.err
    assert "Command dispatched in background" in ran.out


async def test_a_running_container_is_used_again_and_the_port_is_taken(
    cluster: SimulatedCluster, spark1: Login
) -> None:
    await spark1.run(LAUNCH + SERVE)
    await until_ready(cluster)
    again = await spark1.run(LAUNCH + SERVE)
    assert "Warning: Container 'vllm_node' is already running on head node" in again.out
    assert "Cluster containers are already running. Skipping launch." in again.out
    taken = "[Errno 98] Address already in use"
    while taken not in (await spark1.run("docker logs vllm_node")).out:
        pass


async def test_every_argument_arrives_as_one_argument(
    cluster: SimulatedCluster, spark1: Login
) -> None:
    evil = ["a b", "$(touch pwned)", "`touch pwned`", "x;touch pwned", '{"a": "b\'c"}', "*", "\\n"]
    words = ["vllm", "serve", QWEN, "--served-model-name", *evil]
    await spark1.run(LAUNCH + shlex.join(words))
    while not (launched := cluster.journal.of("runtime_launched")):
        await asyncio.sleep(0.01)
    assert launched[0].details["argv"] == ["serve", QWEN, "--served-model-name", *evil]
    home = cluster.hosts["spark1"].sandbox.home
    assert list(Path(home).rglob("pwned")) == []


async def test_a_missing_quote_really_executes(cluster: SimulatedCluster, spark1: Login) -> None:
    await spark1.run(LAUNCH + "vllm serve org/m --served-model-name $(touch pwned)")
    assert (cluster.hosts["spark1"].sandbox.checkout / "pwned").exists()


async def test_a_load_refuses_connections_takes_memory_and_then_serves(
    faster: Callable[..., SimConfig], connect: Connect, http: httpx.AsyncClient
) -> None:
    async with SimulatedCluster(faster(speed=10)) as cluster:
        spark1 = await connect(cluster)
        memory = cluster.hosts["spark1"].memory
        before = memory.available_kb
        await spark1.run(LAUNCH + SERVE)
        while not cluster.journal.of("runtime_launched"):
            await asyncio.sleep(0.01)
        with pytest.raises(httpx.ConnectError):
            await http.get(runtime_url(cluster) + "/health")
        cluster.hosts["spark1"].pace.speed = 200
        await until_ready(cluster)
        assert before - memory.available_kb == pytest.approx(0.7 * 119.69 * 1048576, rel=0.01)
        apps = await spark1.run(
            "nvidia-smi --query-compute-apps=pid,process_name,used_gpu_memory "
            "--format=csv,noheader,nounits"
        )
        assert apps.out.split(", ")[1:] == ["VLLM::EngineCore", "85793\n"]
        assert "vllm serve" in (await spark1.run("docker top vllm_node -eo pid,etimes,args")).out
        assert (await http.get(runtime_url(cluster) + "/health")).status_code == 200
        await spark1.run(STOP)
        with pytest.raises(httpx.ConnectError):
            await http.get(runtime_url(cluster) + "/health")
        while memory.available_kb < before:
            await asyncio.sleep(0.01)
    effects = [e.kind for e in cluster.journal.after(0) if e.host == "spark1"]
    assert [kind for kind in effects if kind != "ssh_command"] == [
        "container_started", "runtime_launched", "runtime_ready", "container_stopped",
        "runtime_died",
    ]  # fmt: skip


async def test_the_log_tells_the_phases_of_a_load_in_order(
    cluster: SimulatedCluster, spark1: Login
) -> None:
    await spark1.run(LAUNCH + SERVE)
    await until_ready(cluster)
    wanted = (
        "non-default args:", "Resolved architecture: Qwen3_5Moe", "Using max model len 262144",
        "\rLoading safetensors checkpoint shards:   0% Completed | 0/5 [00:00<?, ?it/s]",
        "100% Completed | 5/5", "Loading weights took", "Model loading took", "torch.compile took",
        "Available KV cache memory:", "GPU KV cache size:", "Graph capturing finished",
        "init engine (profile, create kv cache, warmup model) took", "Starting vLLM server on",
        "Application startup complete.",
    )  # fmt: skip
    while wanted[-1] not in (text := (await spark1.run("docker logs vllm_node")).out):
        pass
    places = [text.index(phrase) for phrase in wanted]
    assert places == sorted(places)


async def test_two_sparks_serve_one_model_only_together(
    cluster: SimulatedCluster, spark1: Login, http: httpx.AsyncClient
) -> None:
    ran = await spark1.run(
        LAUNCH.replace("--solo ", "") + "vllm serve MiniMaxAI/MiniMax-M2.7-AWQ -tp 2 --port 8888 "
        "--gpu-memory-utilization 0.8"
    )
    second = cluster.hosts["spark2"]
    assert f"  SSH to {second.address}: OK\n" in ran.out
    assert "Docker image consistency check passed.\n" in ran.out
    assert f"Launching worker (rank 1) on {second.address}...\n" in ran.out
    await until_ready(cluster)
    models = (await http.get(runtime_url(cluster) + "/v1/models")).json()
    assert models["data"][0]["root"] == "MiniMaxAI/MiniMax-M2.7-AWQ"
    assert second.memory.held_kb == pytest.approx(0.8 * 119.69 * 1048576, rel=0.01)
    assert [e.host for e in cluster.journal.of("runtime_launched")].count("spark2") == 1
    worker = second.engine.find("vllm_node")
    assert worker is not None
    second.engine.kill(worker)
    while len(cluster.journal.of("runtime_died")) < 2:
        await asyncio.sleep(0.01)
    assert cluster.journal.of("runtime_died", "spark1") != []


async def test_too_many_ranks_and_different_images_are_refused(
    faster: Callable[..., SimConfig], connect: Connect
) -> None:
    async with SimulatedCluster(faster(images={"spark2": {"vllm-node": "ab" * 32}})) as cluster:
        spark1 = await connect(cluster)
        launch = LAUNCH.replace("--solo ", "")
        many = await spark1.run(launch + "vllm serve m -tp 4")
        assert many.code == 1
        assert "Error: Command requires 4 nodes (tp=4 * pp=1 * dp=1) but only 2 node(s)" in many.out
        other = await spark1.run(launch + "vllm serve m -tp 2")
        assert other.code == 1
        assert "image 'vllm-node' is not in sync." in other.out


async def test_the_openai_client_is_at_home(cluster: SimulatedCluster, spark1: Login) -> None:
    await spark1.run(LAUNCH + SERVE)
    await until_ready(cluster)
    async with openai.AsyncOpenAI(base_url=runtime_url(cluster) + "/v1", api_key="x") as client:
        assert [model.id async for model in client.models.list()] == ["qwen"]
        question = [{"role": "user", "content": "What is a Spark?"}]
        whole = await client.chat.completions.create(model="qwen", messages=question)
        assert whole.choices[0].finish_reason == "stop"
        assert "What is a Spark?" in (whole.choices[0].message.content or "")
        assert whole.choices[0].message.model_extra["reasoning"]
        stream = await client.chat.completions.create(
            model="qwen", messages=question, stream=True, stream_options={"include_usage": True}
        )
        chunks = [chunk async for chunk in stream]
        text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
        assert text == whole.choices[0].message.content
        assert chunks[-1].usage == whole.usage.model_copy(
            update={"prompt_tokens_details": None}
        )  # fmt: skip
        with pytest.raises(openai.NotFoundError):
            await client.chat.completions.create(model="nope", messages=question)


async def test_metrics_move_and_a_client_that_leaves_is_counted(
    faster: Callable[..., SimConfig], connect: Connect, http: httpx.AsyncClient
) -> None:
    async with SimulatedCluster(faster(tokens_per_second=50)) as cluster:
        spark1 = await connect(cluster)
        await spark1.run(LAUNCH + SERVE)
        await until_ready(cluster)
        body = {"model": "qwen", "stream": True, "ignore_eos": True, "max_tokens": 5000,
                "messages": [{"role": "user", "content": "Go on"}]}  # fmt: skip
        url = runtime_url(cluster)
        async with http.stream("POST", url + "/v1/chat/completions", json=body) as answer:
            await anext(answer.aiter_lines())
            running = (await http.get(url + "/metrics")).text
            assert 'num_requests_running{engine="0",model_name="qwen"} 1.0' in running
        while not cluster.journal.of("client_disconnected"):
            await asyncio.sleep(0.01)
        after = (await http.get(url + "/metrics")).text
        assert 'num_requests_running{engine="0",model_name="qwen"} 0.0' in after
        assert 'finished_reason="abort",model_name="qwen"} 1.0' in after


async def test_a_restart_of_the_simulator_resumes_what_ran(
    faster: Callable[..., SimConfig], connect: Connect, http: httpx.AsyncClient
) -> None:
    config = faster()
    async with SimulatedCluster(config) as first:
        spark1 = await connect(first)
        await spark1.run(LAUNCH + SERVE)
        await until_ready(first)
        container = first.hosts["spark1"].engine.find("vllm_node")
        last = first.journal.after(0)[-1].seq
    async with SimulatedCluster(config) as second:
        await until_ready(second)
        again = second.hosts["spark1"].engine.find("vllm_node")
        assert container is not None
        assert again is not None
        assert (again.id, again.status) == (container.id, "running")
        assert (await http.get(runtime_url(second) + "/health")).status_code == 200
        assert len(second.journal.of("runtime_launched")) == 1
        assert min(entry.seq for entry in second.journal.after(last)) > last


PREFLIGHT = Path(__file__).parent / "captures" / "preflight"
ARGUMENTS = {
    "good": "models/chat --port 18199 --served-model-name tiny",
    "bad_flag": "models/chat --no-such-flag 3",
    "typo_flag": "models/chat --max-modle-len 10",
    "bad_value": "models/chat --max-model-len abc",
    "bad_choice": "models/chat --dtype float99",
    "bad_tool_parser": "models/chat --enable-auto-tool-choice --tool-call-parser nope",
    "removed_flag": "models/chat --swap-space 4",
    "abbreviated": "models/chat --max-model 4096",
    "bad_json": "models/chat --speculative-config '{bad'",
    "auto_tool_without_parser": "models/chat --enable-auto-tool-choice",
}
CODES = {"good": 0, "abbreviated": 0, "auto_tool_without_parser": 1, "bad_tool_parser": 3}
SCRIPT = b"""
import json, sys
import vllm.entrypoints.cli.serve as serve
from vllm.entrypoints.cli.main import main
from vllm.entrypoints.openai.api_server import validate_api_server_args
def stub(args):
    out = {"ok": True, "model": args.model, "port": args.port, "served": args.served_model_name}
    try:
        validate_api_server_args(args)
    except KeyError as error:
        out.update(ok=False, error=str(error.args[0]))
    print("SPARKCTL_PREFLIGHT " + json.dumps(out))
    sys.exit(0 if out["ok"] else 3)
serve.ServeSubcommand.cmd = staticmethod(stub)
sys.argv = ["vllm", "serve"] + sys.argv[1:]
main()
"""


async def test_a_preflight_meets_the_parser_of_vllm(
    cluster: SimulatedCluster, spark1: Login
) -> None:
    await spark1.run("docker run -d --name vllm_node vllm-node sleep infinity")
    for name, arguments in ARGUMENTS.items():
        ran = await spark1.run(f"docker exec -i vllm_node python3 - {arguments}", SCRIPT)
        assert ran.code == CODES.get(name, 2), name
        assert ran.out == (PREFLIGHT / f"{name}.out").read_text(), name
        expected = (PREFLIGHT / f"{name}.err").read_text().splitlines()[-1:]
        said = ran.err.splitlines()[-1:]
        if name == "bad_json":
            expected, said = [expected[0].rpartition(" at ")[0]], [said[0].rpartition(" at ")[0]]
        if CODES.get(name, 2):
            assert said == (expected if ran.err else []), name
    assert len(cluster.journal.of("preflight")) == len(ARGUMENTS)


async def test_a_preflight_in_a_passing_container_knows_the_image(spark1: Login) -> None:
    run = "docker run --rm -i --gpus all --entrypoint= {} python3 - m --mxfp4-backend"
    fork = await spark1.run(run.format("vllm-node-mxfp4") + " CUTLASS", SCRIPT)
    usual = await spark1.run(run.format("vllm-node") + " CUTLASS", SCRIPT)
    assert (fork.code, usual.code) == (0, 2)
    assert json.loads(fork.out.partition(" ")[2])["ok"] is True
