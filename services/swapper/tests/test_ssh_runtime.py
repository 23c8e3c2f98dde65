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
from spark_common.runtime_questions import Spoken
from spark_common.settings import ClusterSettings, HostSettings
from spark_common.testing.wait import until
from spark_swapper.adapters import ssh_runtime
from spark_swapper.adapters.host_checks import judge
from spark_swapper.adapters.ssh_runtime import SshRuntime, parse_glance
from spark_swapper.runtime import Order, Served, StaleFenceError, Watermarks
from spark_swapper.testing import a_candidate

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


def a_runtime(shell, handler=None):
    cluster = ClusterSettings(
        hosts=(
            HostSettings(name="spark1", label="Spark 1", address="127.0.0.11", user="alice"),
            HostSettings(name="spark2", label="Spark 2", address="127.0.0.12", user="alice"),
        ),
        ssh_key_path=Path("key"),
        known_hosts_path=Path("known"),
    )
    transport = httpx.MockTransport(handler or (lambda request: httpx.Response(404)))
    return SshRuntime(shell, httpx.AsyncClient(transport=transport), cluster)


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
    script.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\nexit 3\n')
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


@pytest.mark.parametrize("checkout", [True, False])
async def test_a_stop_needs_no_checkout_on_the_host(shell, checkout):
    done = shell.home_folder / "done"
    shell.program("docker", f'echo "docker $*" >"{done}"')
    if checkout:
        script = shell.home_folder / "spark-vllm-docker" / "launch-cluster.sh"
        script.write_text(f'#!/bin/sh\necho "launcher $*" >"{done}"\n')
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


def test_a_glance_that_printed_nothing_is_unclear():
    assert parse_glance("").container == "unclear"
    assert parse_glance("container exited abc\nprocesses x\nlog !!").container == "stopped"
    assert parse_glance("container paused abc\n").container == "stopped"
    assert parse_glance(f"log {base64.b64encode(b'x').decode()}").log == b"x"


def host_says(**said):
    usual = {"script": "yes", "free": "90000000", "image": "sha256:1"}
    merged = {key: value for key, value in {**usual, **said}.items() if value is not None}
    return judge("spark1", "Spark 1", a_candidate(), "spark-vllm-docker", merged)


def test_what_a_host_lacks_is_a_problem_and_what_it_hides_a_doubt():
    assert (host_says().problem, host_says().doubt, host_says().image_id) == (
        None,
        None,
        "sha256:1",
    )
    assert "launch-cluster.sh" in host_says(script="no").problem
    assert "'vllm-node'" in host_says(noimage="").problem
    assert "1.0 GB of disk" in host_says(free="1048576").problem
    assert host_says(free="").problem is None
    assert "does not answer" in host_says(docker="hung", image=None).doubt


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
    check = await a_runtime(shell).check(a_candidate(), "spark1")
    assert (check.problem, check.image_id) == (None, "sha256:42")


def vllm(**answers):
    """Return a handler; paths that are not given refuse the connection, as while loading."""

    def handle(request):
        path = request.url.path.rpartition("/")[2]
        if path not in answers:
            raise httpx.ConnectError("refused")
        answer = answers[path]
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, text=answer)

    return a_runtime(AnsweringShell(0), handle)


CARD = '{"object":"list","data":[{"id":"m","root":"org/m","max_model_len":4096}]}'


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"health": "", "models": CARD}, Served("org/m", "m", 4096)),
        ({"health": "", "models": '{"data":[{"id":"m"}]}'}, Served("m", "m", None)),
        ({"models": CARD}, None),
        ({"health": httpx.Response(503), "models": CARD}, None),
        ({"health": "", "models": "<html>"}, None),
        ({"health": "", "models": '{"data":[]}'}, None),
        ({"health": "", "models": '{"data":[3]}'}, None),
        ({"health": "", "models": "[]"}, None),
        ({"health": "", "models": httpx.Response(401, text="{}")}, None),
        ({}, None),
    ],
)
async def test_only_a_healthy_runtime_that_names_its_model_serves(answers, expected):
    assert await vllm(**answers).served("spark1") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('# HELP x\nvllm:num_requests_running{engine="0",model_name="m"} 2.0\n', 2),
        ('vllm:num_requests_running 1.0\nvllm:num_requests_running{engine="1"} 3\n', 4),
        ("vllm:num_requests_running 1.0\nvllm:num_requests_waiting 9\n", 10),
        ('vllm:num_requests_waiting_by_reason{reason="capacity"} 9\n', None),
        ("vllm:num_requests_running nonsense\n", None),
    ],
)
async def test_running_answers_are_counted_over_all_engines(text, expected):
    assert await vllm(metrics=text).in_flight("spark1") == expected


async def test_nobody_says_how_many_answers_run_when_nothing_answers():
    assert await vllm().in_flight("spark1") is None


def chunk(delta):
    return f'data: {{"choices":[{{"index":0,"delta":{delta}}}]}}\n\n'


@pytest.mark.parametrize(
    ("stream", "problem"),
    [
        (chunk('{"role":"assistant","content":""}') + chunk('{"content":"Hi"}'), None),
        (chunk('{"reasoning":"Let me"}'), None),
        (chunk('{"reasoning_content":"Let me"}'), None),
        (": keep-alive\n\n" + chunk('{"content":"Hi"}'), None),
        (chunk('{"content":""}') + "data: [DONE]\n\n", "without a single token"),
        ('data: {"error":{"message":"CUDA"}}\n\ndata: [DONE]\n\n', "CUDA"),
        ("data: {broken\n\n", "not JSON"),
        ('data: {"choices":[3,{"delta":null}]}\n\n', "without a single token"),
        (httpx.Response(500, text="EngineDeadError"), "HTTP 500: EngineDeadError"),
    ],
)
async def test_only_a_streamed_token_counts_as_an_answer(stream, problem):
    said = await vllm(completions=stream).first_token("spark1", "m")
    assert said is None if problem is None else problem in (said or "")


async def test_a_refused_connection_is_no_answer():
    assert "ConnectError" in (await vllm().first_token("spark1", "m") or "")


def test_the_scripts_are_shipped_and_are_posix():
    for script in (ssh_runtime.GUARD, ssh_runtime._GLANCE, ssh_runtime._RECALL):
        assert script.startswith("#!/bin/sh\n")
        subprocess.run(["sh", "-n"], input=script.encode(), check=True)


@pytest.mark.parametrize(
    ("stream", "heard"),
    [
        (chunk('{"content":"Pa"}') + chunk('{"content":"ris"}'), Spoken("Paris", "", whole=True)),
        (chunk('{"reasoning":"Hm"}') + chunk('{"content":"12"}'), Spoken("12", "Hm", whole=True)),
        (chunk('{"reasoning_content":"Hm"}'), Spoken("", "Hm", whole=True)),
        ("data: [DONE]\n\n", Spoken(whole=True)),
        (chunk('{"content":"Pa"}') + 'data: {"error":{"message":"CUDA"}}\n\n', Spoken("Pa")),
    ],
)
async def test_an_answer_is_read_as_far_as_it_comes(stream, heard):
    assert await vllm(completions=stream).answers("spark1", "m", ["a", "b"]) == [heard, heard]


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404, text='{"detail":"Not Found"}'),
        httpx.Response(500, text="EngineDeadError"),
        httpx.Response(400, text="The model does not support Chat Completions API"),
    ],
)
async def test_a_model_that_answers_no_question_says_nothing(answer):
    assert await vllm(completions=answer).answers("spark1", "m", ["a", "b"]) == []


async def test_a_runtime_that_is_not_there_says_nothing():
    assert await vllm().answers("spark1", "m", ["a"]) == []
