"""The edges of the runtime: what the scripts print, what vLLM answers, what hosts may lack."""

import base64
import os
import subprocess
from pathlib import Path

import httpx
import pytest

from spark_common.errors import (
    HostUnreachableError,
    RemoteCommandError,
    StaleEpochError,
    UnavailableError,
)
from spark_common.remote.command import RemoteResult, quote
from spark_common.testing.wait import until
from spark_swapper.adapters import ssh_runtime
from spark_swapper.adapters.launcher_probe import LauncherProbe
from spark_swapper.adapters.ssh_runtime import SshRuntime, parse_glance
from spark_swapper.runtime import Order, StaleFenceError, Watermarks
from spark_swapper.testing import TWO_SPARKS, a_candidate

CURRENT = """NO_RAY_MODE="true" # %q Command dispatched in background
# --solo) --volume) --env) --apply-mod)
"""
"""What shows that a launcher is of today."""
ORDER = Order(3, 2, "job", "launch")


class LocalShell:
    """Runs commands in a real shell of this machine, with a folder of fake programs first."""

    def __init__(self, home: Path) -> None:
        self.home_folder = home
        self.programs = home / "bin"
        self.programs.mkdir()
        (home / "spark-vllm-docker").mkdir()

    def program(self, name: str, text: str) -> None:
        path = self.programs / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    async def run(self, host, command, *, timeout_seconds=30.0):
        environment = {
            "HOME": str(self.home_folder),
            "PATH": f"{self.programs}:{os.environ['PATH']}",
        }
        done = subprocess.run(
            ["bash", "-c", quote(command)],
            cwd=self.home_folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=30,
        )
        return RemoteResult(done.returncode, done.stdout, done.stderr)

    async def home(self, host):
        return str(self.home_folder)


class AnsweringShell:
    """Answers every command with the same result."""

    def __init__(self, exit_code, stdout="", stderr=""):
        self.result = RemoteResult(exit_code, stdout, stderr)

    async def run(self, host, command, *, timeout_seconds=30.0):
        return self.result

    async def home(self, host):
        raise HostUnreachableError("away")


def a_runtime(shell):
    transport = httpx.MockTransport(lambda request: httpx.Response(404))
    return SshRuntime(shell, httpx.AsyncClient(transport=transport), lambda: TWO_SPARKS)


@pytest.fixture
def shell(tmp_path):
    return LocalShell(tmp_path)


RUNNING = """
case $1 in
  inspect) echo "running 3f1c" ;;
  top) printf 'UID PID CMD\\nroot 1 sleep infinity\\nroot 9 vllm serve org/m\\n' ;;
  logs) printf 'one\\ntwo\\n' ; printf 'caf\\303\\251\\377\\n' >&2 ;;
esac"""


async def test_a_glance_reads_container_processes_and_log_from_an_offset(shell):
    shell.program("docker", RUNNING)
    runtime = a_runtime(shell)
    glance = await runtime.glance(ORDER, "spark1", 0)
    assert (glance.container, glance.container_id, glance.processes) == ("running", "3f1c", 1)
    assert glance.log.startswith(b"one\ntwo\n")
    assert b"caf\xc3\xa9\xff\n" in glance.log
    assert (await runtime.glance(ORDER, "spark1", 4)).log.startswith(b"two\n")
    assert (await runtime.container("spark1")).log == b""
    assert glance.launcher == "none"


CGROUP = """
case $1 in
  *docker-3f1c.scope/cpu.stat) printf 'usage_usec 2500000\nuser_usec 1\n' ;;
  *docker-3f1c.scope/memory.events) printf 'oom 0\noom_kill 2\n' ;;
  *docker-3f1c.scope/io.stat) IO ;;
  /proc/diskstats) printf ' 259 0 nvme0n1 5 0 4000 0\n 259 1 nvme0n1p1 5 0 4000 0\n' ;;
  *) exec /bin/cat "$@" ;;
esac"""
BUSY = "printf '259:0 rbytes=5000000000 wbytes=1 rios=1\\n8:0 rbytes=7 wbytes=1\\n'"


@pytest.mark.parametrize(("io", "read"), [(BUSY, 5_000_000_007), ("exit 1", 4000 * 512)])
async def test_a_glance_counts_what_the_container_or_else_the_host_read(shell, io, read):
    shell.program("docker", RUNNING)
    shell.program("cat", CGROUP.replace("IO", io))
    shell.program("nvidia-smi", "echo '96 %'")
    runtime = a_runtime(shell)
    glance = await runtime.glance(ORDER, "spark1", 0)
    assert (glance.read_bytes, glance.cpu_seconds, glance.oom_kills) == (read, 2.5, 2)
    assert glance.gpu_percent is None
    assert (await runtime.glance(ORDER, "spark1", 0, deep=True)).gpu_percent == 96


async def test_what_a_host_does_not_count_is_unknown(shell):
    shell.program("docker", RUNNING)
    shell.program("cat", "exit 1")
    shell.program("nvidia-smi", "echo 'Failed to initialize NVML' >&2; exit 18")
    glance = await a_runtime(shell).glance(ORDER, "spark1", 0, deep=True)
    assert (glance.read_bytes, glance.cpu_seconds, glance.gpu_percent) == (None, None, None)


DENIED = """echo "Hint: You are currently not seeing messages from other users" >&2
echo '-- No entries --'"""
KERNEL = """case "$*" in
  *-k*) echo 'spark kernel: Out of memory: Killed process 7 (VLLM)'; echo 'usb 1-1: new' ;;
  *) echo 'earlyoom[8]: sending SIGTERM to process 7' ;;
esac"""


@pytest.mark.parametrize(
    ("journal", "readable", "lines"),
    [
        (KERNEL, True, 2),
        ("echo '-- No entries --'", True, 0),
        (DENIED, False, 0),
        (
            "echo 'No journal files were opened due to insufficient permissions.' >&2; exit 1",
            False,
            0,
        ),
    ],
)
async def test_the_kernel_log_is_read_or_said_to_be_closed(shell, journal, readable, lines):
    shell.program("journalctl", journal)
    shell.program("dmesg", "echo 'dmesg: read kernel buffer failed' >&2; exit 1")
    words = await a_runtime(shell).kernel_words("spark1", 60)
    assert (words.readable, len(words.lines)) == (readable, lines)


@pytest.mark.parametrize("said", ["Error: No such object: vllm_node", "error: no such object: x"])
async def test_a_missing_container_is_missing_in_every_docker(shell, said):
    shell.program("docker", f"echo '{said}' >&2; exit 1")
    assert (await a_runtime(shell).container("spark1")).container == "missing"


async def test_a_docker_that_does_not_answer_is_not_a_missing_container(shell):
    shell.program("docker", "echo 'Cannot connect to the Docker daemon' >&2; exit 1")
    glance = await a_runtime(shell).container("spark1")
    assert glance.container == "unclear"
    assert "Cannot connect" in glance.detail


async def test_a_launch_is_guarded_runs_in_the_checkout_and_is_seen_by_the_next_glance(shell):
    shell.program("docker", "echo 'No such object' >&2; exit 1")
    checkout = shell.home_folder / "spark-vllm-docker"
    script = checkout / "launch-cluster.sh"
    script.write_text(f'#!/bin/sh\n{CURRENT}printf "%s\\n" "$@"\nexit 3\n')
    script.chmod(0o755)
    runtime, candidate = a_runtime(shell), a_candidate("it's; touch pwned")
    assert await runtime.launch(ORDER, candidate)
    assert not await runtime.launch(ORDER, candidate)
    for _ in range(500):
        glance = await runtime.glance(ORDER, "spark1", 0)
        if glance.launcher == "ended":
            break
    assert (glance.launcher_exit, glance.container) == (3, "missing")
    assert glance.launcher_output.splitlines()[-1] == "org/it's; touch pwned"
    assert not list(shell.home_folder.rglob("pwned"))
    assert await runtime.steps("job", "spark1") == {"launch"}
    assert await runtime.steps("other", "spark1") == frozenset()
    assert await runtime.watermarks("spark1") == Watermarks(3, 2)
    with pytest.raises(StaleFenceError):
        await runtime.stop(Order(2, 2, "job", "stop"), candidate, "spark1")
    with pytest.raises(StaleEpochError):
        await runtime.stop(Order(3, 1, "job", "stop"), candidate, "spark1")


BETWEEN = """#!/bin/bash
case $1 in --solo) S=1 ;; -e|--env) E=1 ;; --apply-mod) M=1 ;; --no-ray) NO_RAY_MODE="true" ;; esac
printf '%q' "$@"; echo "Command dispatched in background (Daemon mode)."
"""


@pytest.mark.parametrize(
    ("script", "lacks"),
    [
        (f"#!/bin/bash\n{CURRENT}", set()),
        (BETWEEN, {"noray", "volume"}),
        ("#!/bin/bash\n", {"noray", "volume", "daemon", "quotes", "solo", "env", "mods"}),
    ],
)
async def test_what_the_launcher_can_do_is_read_off_its_script(shell, script, lacks):
    checkout = shell.home_folder / "spark-vllm-docker"
    (checkout / "launch-cluster.sh").write_text(script)
    (checkout / ".env").write_text('CLUSTER_NODES=192.0.2.11,192.0.2.12\nLOCAL_IP="192.0.2.11"\n')
    probe = LauncherProbe(shell, lambda: "spark-vllm-docker")
    found = await probe.features("spark1")
    assert (found.ray, found.volume) == ("noray" in lacks, "volume" not in lacks)
    assert (found.daemon_exec, found.quotes) == ("daemon" not in lacks, "quotes" not in lacks)
    assert (found.solo, found.env, found.mods) == tuple(
        name not in lacks for name in ("solo", "env", "mods")
    )
    assert found.node == "192.0.2.11"
    assert await probe.features("spark1") is found
    (checkout / "launch-cluster.sh").write_text(script + "# more\n")
    assert await probe.features("spark1") is not found


@pytest.mark.parametrize("checkout", [True, False])
async def test_a_stop_needs_no_checkout_on_the_host(shell, checkout):
    done = shell.home_folder / "done"
    shell.program("docker", f'echo "docker $*" >"{done}"')
    if checkout:
        script = shell.home_folder / "spark-vllm-docker" / "launch-cluster.sh"
        script.write_text(f'#!/bin/sh\n{CURRENT}echo "launcher $*" >"{done}"\n')
        script.chmod(0o755)
    await a_runtime(shell).stop(ORDER, a_candidate(), "spark2")
    await until(done.exists, "the stop")
    expected = "launcher --solo stop" if checkout else "docker stop vllm_node"
    await until(lambda: done.read_text().strip() == expected, expected)


async def test_before_any_guard_ran_there_is_nothing_to_recall(shell):
    runtime = a_runtime(shell)
    assert await runtime.watermarks("spark1") == Watermarks(0, 0)
    assert await runtime.steps("job", "spark1") == frozenset()


@pytest.mark.parametrize(("code", "error"), [(75, UnavailableError), (None, UnavailableError)])
async def test_a_guard_that_could_not_act_may_be_asked_again(code, error):
    with pytest.raises(error) as raised:
        await a_runtime(AnsweringShell(code)).launch(ORDER, a_candidate())
    assert raised.value.retryable


async def test_a_guard_that_refuses_the_order_is_final():
    with pytest.raises(RemoteCommandError) as raised:
        await a_runtime(AnsweringShell(64, "", "guard: JOB is not a name")).launch(
            ORDER, a_candidate()
        )
    assert "JOB is not a name" in raised.value.message


@pytest.mark.parametrize(
    ("docker", "container"),
    [
        ('echo "Error: No such object: vllm_node" >&2; exit 1', "missing"),
        ('echo "error: no such object: vllm_node" >&2; exit 1', "missing"),
        # The daemon does not run: what becomes of its containers is not known.
        ('echo "dial unix /var/run/docker.sock: connect: no such file" >&2; exit 1', "unclear"),
        ('echo "WARNING: Error loading config file: denied" >&2; echo "running 3f1c"', "running"),
        ("exit 0", "unclear"),
    ],
)
async def test_only_dockers_own_word_means_that_a_container_is_gone(shell, docker, container):
    shell.program("docker", docker)
    glance = await a_runtime(shell).container("spark1")
    assert glance.container == container


@pytest.mark.parametrize(
    ("memory", "expected"),
    [
        ("400 1000", (400 * 1024, 1000 * 1024)),
        ("0 1000", (0, 1000 * 1024)),
        *((text, (None, None)) for text in ("", "1000", "1000 400", "1 0", "x 1", "\u00b2 3")),
        (f"1 {'9' * 5000}", (None, None)),
    ],
)
def test_memory_that_makes_no_sense_is_unknown(memory, expected):
    glance = parse_glance(f"memory {memory}\nprocesses {'9' * 5000}\nlauncher ended \u00b2\n")
    assert (glance.memory_available_bytes, glance.memory_total_bytes) == expected
    assert (glance.processes, glance.launcher_exit) == (0, None)


def test_a_glance_that_printed_nothing_is_unclear():
    assert parse_glance("").container == "unclear"
    assert parse_glance("container exited abc\nprocesses x\nlog !!").container == "stopped"
    assert parse_glance("container paused abc\n").container == "stopped"
    assert parse_glance(f"log {base64.b64encode(b'x').decode()}").log == b"x"


async def test_a_host_is_looked_at_in_one_round_trip(shell):
    shell.program("docker", 'echo "Error: No such image: $4" >&2; exit 1')
    check = await a_runtime(shell).check(a_candidate(), "spark1")
    assert "launch-cluster.sh" in check.problem
    script = shell.home_folder / "spark-vllm-docker" / "launch-cluster.sh"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    check = await a_runtime(shell).check(a_candidate(), "spark1")
    assert "does not have the image 'vllm-node'" in check.problem
    shell.program("docker", "echo sha256:42")
    snapshot = shell.home_folder / ".cache/huggingface/hub/models--org--qwen/snapshots/abc"
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").write_text("{}")
    shell.program("cat", 'case "$*" in *net*) ;; *) exec /bin/cat "$@" ;; esac')
    check = await a_runtime(shell).check(a_candidate(), "spark1")
    assert (check.problem, check.image_id) == (None, "sha256:42")


def test_the_scripts_are_shipped_and_are_posix():
    for script in (ssh_runtime.GUARD, ssh_runtime._GLANCE, ssh_runtime._RECALL):
        assert script.startswith("#!/bin/sh\n")
        subprocess.run(["sh", "-n"], input=script.encode(), check=True)
