"""What an SSH client finds on a simulated Spark."""

import asyncio
import os
import shlex
from collections.abc import Callable
from pathlib import Path

import asyncssh
import pytest

from spark_sim.cluster import SimulatedCluster
from spark_sim.config import SimConfig
from spark_sim.processes import marked
from spark_sim.testing import Connect, Login
from spark_sim.two_sparks import two_sparks

pytestmark = pytest.mark.connected


async def test_commands_run_in_bash_with_a_bare_path_in_a_home_of_their_own(
    cluster: SimulatedCluster, spark1: Login
) -> None:
    ran = await spark1.run('echo "$HOME|$PWD|$PATH|${BASH_VERSION:+bash}|$USER"')
    home, here, path, bash, user = ran.out.strip().split("|")
    assert home == here == str(cluster.hosts["spark1"].sandbox.home)
    assert ".local/bin" not in path
    assert (bash, user) == ("bash", "spark")


async def test_streams_and_exit_codes_are_those_of_the_command(spark1: Login) -> None:
    ran = await spark1.run("/usr/bin/env cat; echo oops >&2; exit 7", b"from here\n")
    assert (ran.code, ran.out, ran.err) == (7, "from here\n", "oops\n")


async def test_a_signal_is_told_as_a_signal(spark1: Login) -> None:
    done = await spark1.connection.run("kill -TERM $$")
    assert done.exit_signal is not None
    assert done.exit_signal[0] == "TERM"


async def test_only_the_authorized_key_gets_in(cluster: SimulatedCluster) -> None:
    host = cluster.hosts["spark1"]
    with pytest.raises(asyncssh.PermissionDenied):
        await asyncssh.connect(
            host.address, host.ssh_port, username="spark", known_hosts=None, config=None,
            agent_path=None, client_keys=[asyncssh.generate_private_key("ssh-ed25519")],
            password="spark",
        )  # fmt: skip


async def test_a_lost_session_takes_its_command_along_but_not_what_set_itself_free(
    cluster: SimulatedCluster, connect: Connect, spark1: Login
) -> None:
    other = await connect(cluster)
    running = asyncio.create_task(
        other.connection.run("setsid sleep 600 </dev/null >/dev/null 2>&1 & sleep 700; true")
    )
    count = "ps -eo args | grep -cx 'sleep %s'"
    while (await spark1.run(count % 700)).out.strip() != "1":
        pass
    other.connection.abort()
    await asyncio.gather(running, return_exceptions=True)
    while (await spark1.run(count % 700)).out.strip() != "0":
        pass
    assert (await spark1.run(count % 600)).out.strip() == "1"


async def test_leaving_ends_every_process(faster: Callable[..., SimConfig], key: object) -> None:
    config = faster()
    async with SimulatedCluster(config) as cluster:
        mark = cluster.hosts["spark1"].sandbox.environment()["SPARK_SIM"]
        host = cluster.hosts["spark1"]
        async with asyncssh.connect(
            host.address, host.ssh_port, username="a", known_hosts=None, config=None,
            client_keys=[key], agent_path=None,
        ) as connection:  # fmt: skip
            await connection.run("setsid sleep 500 </dev/null >/dev/null 2>&1 &")
            assert len(marked(mark)) == 1
    assert marked(mark) == []


async def test_it_looks_like_a_gb10(spark1: Login) -> None:
    rows = await spark1.run(
        "nvidia-smi --query-gpu=name,driver_version,utilization.gpu,memory.used,memory.total,pstate"
        " --format=csv,noheader,nounits; cat /proc/meminfo | head -1; nproc; uname -m; "
        "ip -4 route show default | cut -d ' ' -f 5; cat /sys/class/net/enP7s7/address | wc -c"
    )
    assert rows.out.splitlines() == [
        "NVIDIA GB10, 580.142, 0, [N/A], [N/A], P8",
        "MemTotal:          125442868 kB",
        "20",
        "aarch64",
        "enP7s7",
        "18",
    ]
    denied = await spark1.run("sudo -n true")
    assert (denied.code, denied.err) == (1, "sudo: a password is required\n")


async def test_the_cache_has_true_sizes_and_costs_no_disk(
    cluster: SimulatedCluster, spark1: Login
) -> None:
    hub = cluster.hosts["spark1"].sandbox.hub
    blobs = list((hub / "models--openai--gpt-oss-120b" / "blobs").iterdir())
    assert sum(blob.stat().st_size for blob in blobs) == pytest.approx(63.4e9, rel=1e-6)
    assert sum(blob.stat().st_blocks for blob in blobs) < 1000
    free = await spark1.run("df -B1 -P / | tail -n 1 | tr -s ' ' | cut -d ' ' -f 3")
    assert int(free.out) > 230e9


async def test_docker_says_what_docker_says(spark1: Login) -> None:
    missing = await spark1.run("docker inspect -f '{{.State.Status}}' nobody")
    assert (missing.code, missing.out, missing.err) == (1, "\n", "Error: No such object: nobody\n")
    logs = await spark1.run("docker logs nobody")
    assert logs.err == "Error response from daemon: No such container: nobody\n"
    image = await spark1.run("docker image inspect --format '{{.Id}}' vllm-node")
    assert image.out.startswith("sha256:")
    assert len(image.out.strip()) == 71
    gone = await spark1.run("docker image inspect vllm-nope")
    assert gone.err == "Error response from daemon: No such image: vllm-nope:latest\n"


async def test_a_container_is_a_state_machine(spark1: Login) -> None:
    run = "docker run -d --rm --network host --name one vllm-node sleep infinity"
    first = await spark1.run(run)
    assert len(first.out.strip()) == 64
    clash = await spark1.run(run)
    assert clash.code == 125
    assert f'already in use by container "{first.out.strip()}"' in clash.err
    form = "'{{.State.Status}}|{{.State.Running}}|{{if .State.Health}}x{{else}}none{{end}}|" \
           "{{.HostConfig.AutoRemove}}|{{.HostConfig.RestartPolicy.Name}}'"  # fmt: skip
    assert (await spark1.run(f"docker inspect -f {form} one")).out == "running|true|none|true|no\n"
    assert (await spark1.run("docker ps --format '{{.Names}}'")).out == "one\n"
    assert (await spark1.run("docker stop one")).out == "one\n"
    while (await spark1.run("docker inspect one")).code == 0:
        pass
    assert (await spark1.run("docker stop one")).code == 1


async def test_what_a_container_writes_to_its_first_process_is_its_log(spark1: Login) -> None:
    await spark1.run("docker run -d --name one vllm-node sleep infinity")
    say = "docker exec -d one bash -c 'printf \"a\\nb\\n\" >> /proc/1/fd/1 2>&1'"
    await spark1.run(say)
    while (await spark1.run("docker logs one")).out != "a\nb\n":
        pass
    await spark1.run(say)
    while len((await spark1.run("docker logs one")).out) < 8:
        pass
    assert (await spark1.run("docker logs --tail 1 one")).out == "b\n"
    stamped = (await spark1.run("docker logs -t --tail 1 one")).out
    since = stamped.split()[0]
    assert (await spark1.run(f"docker logs --since {shlex.quote(since)} one")).out == "b\n"
    assert (await spark1.run("docker logs --since 2099-01-01T00:00:00Z one")).out == ""


async def test_followers_of_a_log_see_it_grow_and_end_with_the_container(spark1: Login) -> None:
    await spark1.run("docker run -d --rm --name one vllm-node sleep infinity")
    following = asyncio.create_task(spark1.run("docker logs -f one"))
    await spark1.run("docker exec -d one bash -c 'echo later >> /proc/1/fd/1'")
    while "later" not in (await spark1.run("docker logs one")).out:
        pass
    await spark1.run("docker stop one")
    assert (await following).out == "later\n"


async def test_secrets_go_through_standard_input(spark1: Login) -> None:
    login = "docker login nvcr.io --username '$oauthtoken' --password-stdin"
    good = await spark1.run(login, b"nvapi-abc")
    assert good.out == "Login Succeeded\n"
    bad = await spark1.run(login, b"wrong")
    assert bad.code == 1
    assert bad.err.endswith("unauthorized\n")


def test_the_checkout_is_a_git_repository(cluster: SimulatedCluster) -> None:
    folder: Path = cluster.hosts["spark1"].sandbox.checkout
    assert (folder / ".git").is_dir()


async def test_a_download_finishes_what_was_begun(spark1: Login, cluster: SimulatedCluster) -> None:
    repo = "nvidia/Llama-4-Scout-17B-16E-NVFP4"
    assert (await spark1.run(f"uvx hf download {repo}")).code == 127
    await cluster.behave("spark1", "disk_full")
    full = await spark1.run(f"~/.local/bin/uvx hf download {repo}")
    assert (full.code, "Not enough free disk space" in full.err) == (1, True)
    await cluster.behave("spark1", "ok")
    assert cluster.hosts["spark1"].runtimes.model(repo) is None
    done = await spark1.run(f"~/.local/bin/uvx hf download {repo}")
    assert done.out.startswith("✓ Downloaded\n  path: ")
    assert cluster.hosts["spark1"].runtimes.model(repo) is not None
    hub = cluster.hosts["spark1"].sandbox.hub
    assert list((hub / "models--nvidia--Llama-4-Scout-17B-16E-NVFP4").rglob("*.incomplete")) == []


async def test_a_container_can_drop_the_page_cache_of_its_host_only(
    cluster: SimulatedCluster, spark1: Login
) -> None:
    memory = cluster.hosts["spark1"].memory
    memory.read_files(40)
    full = memory.cached_kb
    await spark1.run("docker run -d --privileged --name one vllm-node sleep infinity")
    drop = "docker exec one sh -c 'echo 3 > /proc/sys/vm/drop_caches'"
    assert (await spark1.run(drop)).code == 0
    assert memory.cached_kb < full / 10


async def test_a_command_that_hears_no_hangup_is_over_when_the_sparks_are(tmp_path: Path) -> None:
    """Killed and waited for: what is left for later meets an event loop that is closed."""
    async with two_sparks(tmp_path) as sparks:
        host = sparks.settings.hosts[0]
        connection = await asyncssh.connect(
            host.address, host.ssh_port, username="spark", known_hosts=None, config=None,
            agent_path=None, client_keys=[str(sparks.settings.ssh_key_path)],
        )  # fmt: skip
        process = await connection.create_process("trap '' HUP; echo $$; sleep 700; sleep 700")
        pid = int(await process.stdout.readline())
        shell = sparks.cluster.hosts["spark1"].shell
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert not shell._commands
    assert not shell._hanging_up
    connection.abort()
