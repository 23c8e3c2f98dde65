"""The menu and the pre-flight over real SSH, against two simulated Sparks."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from spark_common.clock import SystemClock
from spark_common.contracts.models import RuntimeView, SuggestRecipe
from spark_common.errors import HostUnreachableError, ModelNotReadyError
from spark_common.remote import RemoteCommand, RemoteResult
from spark_common.remote.ssh import SshShell
from spark_sim.cluster import SimulatedCluster
from spark_sim.two_sparks import two_sparks
from spark_swapper.checks.preflight import ParserPreflight
from spark_swapper.launching.candidate import Candidate
from spark_swapper.launching.launch import LaunchSettings, plan_launch
from spark_swapper.launching.launcher_signs import launcher_cause
from spark_swapper.loads.loadlog import LoadLog
from spark_swapper.menu.hosts import Hosts, Spark
from spark_swapper.menu.shelf import DiskShelf
from spark_swapper.recipes import Recipe, load_recipes
from spark_swapper.suggest import Suggesting
from spark_swapper.suggest.infer import recipe_of
from spark_swapper.suggest.reader import ModelReader

pytestmark = [pytest.mark.connected, pytest.mark.timeout(240)]

GB = 1_000_000_000
KNOWN = (
    "qwen3.6-35b-a3b",
    "gpt-oss-120b",
    "gemma-4-26b",
    "minimax-m2.7",
    "nemotron-3-nano-30b-a3b-fp8",
    "llama-4-scout",
)


class Idle:
    """Nothing is loaded."""

    def view(self) -> RuntimeView:
        return RuntimeView(state="idle")


class NoTimes:
    """Nothing was ever loaded."""

    async def usual_seconds(self, key: str) -> float | None:
        return None


@dataclass
class Sparks:
    """The cluster, a shell on it, and a shelf over it."""

    cluster: SimulatedCluster
    shell: SshShell
    shelf: DiskShelf
    preflight: ParserPreflight
    suggesting: Suggesting


@pytest_asyncio.fixture
async def sparks(tmp_path) -> AsyncIterator[Sparks]:
    clock = SystemClock()
    async with two_sparks(tmp_path, speed=200.0) as running:
        shell = SshShell(running.settings, clock)

        async def nobody(reason: str) -> None:
            return None

        looked_at = Hosts(
            shell, [Spark(host.name, host.label) for host in running.settings.hosts], clock
        )
        shelf = DiskShelf(
            looked_at,
            load_recipes(),
            LaunchSettings,
            Idle(),
            NoTimes(),
            clock,
            nobody,
        )
        suggesting = Suggesting(
            looked_at, ModelReader(shell, clock), load_recipes(), LaunchSettings
        )
        yield Sparks(
            running.cluster, shell, shelf, ParserPreflight(shell, lambda: "vllm_node"), suggesting
        )
        await shell.close()


async def test_the_menu_is_what_the_sparks_have(sparks) -> None:
    menu = await sparks.shelf.menu(refresh=True)
    cards = {model.key: model for model in menu.models}
    states = {key: card.state for key, card in cards.items()}
    assert {key: states[key] for key in KNOWN} == {
        "qwen3.6-35b-a3b": "ready",
        "gpt-oss-120b": "ready",
        "gemma-4-26b": "ready",
        "minimax-m2.7": "ready",
        "nemotron-3-nano-30b-a3b-fp8": "needs_setup",
        "llama-4-scout": states["llama-4-scout"],
    }
    assert states["llama-4-scout"] in {"incomplete", "downloading"}
    held = {key: [copy.host for copy in card.copies] for key, card in cards.items()}
    assert held["gemma-4-26b"] == held["minimax-m2.7"] == ["spark1", "spark2"]
    assert held["gpt-oss-120b"] == ["spark1"]
    assert cards["gpt-oss-120b"].size_bytes == pytest.approx(63.4 * GB, rel=0.01)
    for host in menu.hosts:
        assert host.state == "online"
        assert host.disk_total_bytes == pytest.approx(983 * GB, rel=0.01)
        assert host.memory_total_bytes == pytest.approx(128.4 * GB, rel=0.01)
        assert 0 < (host.memory_available_bytes or 0) < (host.memory_total_bytes or 0)
        assert 0 < (host.disk_free_bytes or 0) < (host.disk_total_bytes or 0)


async def test_a_spark_that_goes_away_is_a_state_of_the_menu(sparks) -> None:
    await sparks.shelf.menu(refresh=True)
    await sparks.cluster.behave("spark1", "unreachable")
    menu = await sparks.shelf.menu(refresh=True)
    first, second = menu.hosts
    assert (first.state, second.state) == ("unreachable", "online")
    assert first.detail
    assert "Spark 1" in first.detail
    qwen = next(model for model in menu.models if model.key == "qwen3.6-35b-a3b")
    assert qwen.copies[0].stale
    with pytest.raises(HostUnreachableError):
        await sparks.shelf.find("qwen3.6-35b-a3b")
    assert (await sparks.shelf.find("gemma-4-26b")).hosts == ("spark2",)


async def test_what_is_found_can_be_started(sparks) -> None:
    for key in ("qwen3.6-35b-a3b", "gemma-4-26b", "minimax-m2.7"):
        result = await sparks.preflight(await sparks.shelf.find(key))
        assert result.verdict == "good", (key, result)
    with pytest.raises(ModelNotReadyError):
        await sparks.shelf.find("llama-4-scout")


@pytest.mark.parametrize(
    "repo",
    [
        "nvidia/Nemotron-3-Nano-30B-A3B-FP8",
        "nvidia/Qwen3.6-35B-A3B-NVFP4",
        "google/gemma-4-26b-it",
        "MiniMaxAI/MiniMax-M2.7-AWQ",
    ],
)
async def test_what_is_suggested_passes_the_check_of_vllm(sparks, repo) -> None:
    suggestion = await sparks.suggesting.suggest(SuggestRecipe(repo=repo))
    result = await sparks.preflight(candidate_of(recipe_of(suggestion)))
    assert result.verdict == "good", result


def candidate(*args: str) -> Candidate:
    return candidate_of(
        Recipe.model_validate(
            {"key": "m", "name": "M", "repo": "openai/gpt-oss-120b", "args": args}
        )
    )


def candidate_of(recipe: Recipe) -> Candidate:
    return plan_launch(recipe, recipe.repo, LaunchSettings(), ["spark1"])


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (("--bogus=1",), "unrecognized arguments: --bogus 1"),
        (("--max-model-len=abc",), "argument --max-model-len: invalid human_readable_int"),
        (
            ("--enable-auto-tool-choice", "--tool-call-parser=nope"),
            "invalid tool call parser: nope",
        ),
        (("--enable-auto-tool-choice",), "--enable-auto-tool-choice requires --tool-call-parser"),
        (("--mxfp4-backend=CUTLASS",), "unrecognized arguments: --mxfp4-backend CUTLASS"),
    ],
)
async def test_what_cannot_be_started_is_refused_with_the_line(sparks, args, line) -> None:
    result = await sparks.preflight(candidate(*args))
    assert result.verdict == "bad"
    assert line in result.message


async def test_the_running_container_is_asked_when_it_has_the_image(sparks) -> None:
    launcher = ("./launch-cluster.sh", "-t", "vllm-node", "--name", "vllm_node", "--solo", "-d")
    start = RemoteCommand(argv=(*launcher, "start"), cwd="spark-vllm-docker")
    assert (await sparks.shell.run("spark1", start)).ok
    started = len(sparks.cluster.journal.of("container_started"))
    assert (await sparks.preflight(candidate())).verdict == "good"
    assert (await sparks.preflight(candidate("--bogus=1"))).verdict == "bad"
    assert len(sparks.cluster.journal.of("container_started")) == started


async def test_flags_of_one_image_are_checked_in_that_image(sparks) -> None:
    asked = await sparks.shelf.find("gpt-oss-120b")
    assert asked.image == "vllm-node-mxfp4"
    launcher = ("./launch-cluster.sh", "-t", asked.image, "--name", "vllm_node", "--solo", "-d")
    start = RemoteCommand(argv=(*launcher, "start"), cwd="spark-vllm-docker")
    assert (await sparks.shell.run("spark1", start)).ok
    assert (await sparks.preflight(asked)).verdict == "good"


@pytest.mark.parametrize(
    "hostile",
    ["$(touch ~/pwned)", "`touch ~/pwned`", "'; touch ~/pwned; '", '" && touch ~/pwned "', "* ~ #"],
)
async def test_hostile_arguments_reach_vllm_as_they_are(sparks, hostile) -> None:
    """The simulated Spark runs real bash: what is not quoted is executed."""
    asked = candidate(f"--chat-template={hostile}")
    await sparks.preflight(asked)
    (entry,) = sparks.cluster.journal.of("preflight")
    assert tuple(entry.details["argv"])[-len(asked.vllm_argv) :] == asked.vllm_argv
    home = await sparks.shell.run("spark1", RemoteCommand(argv=("ls", "-a")))
    assert "pwned" not in home.stdout


async def launch(sparks, asked: Candidate) -> RemoteResult:
    command = RemoteCommand(argv=asked.launch_argv, cwd="spark-vllm-docker")
    return await sparks.shell.run(asked.head, command)


async def read_until(sparks, log: LoadLog, milestone: str | None) -> list[str]:
    """Poll the container's log until the milestone, or a verdict when there is none."""
    seen, taken = [], 0
    logs = RemoteCommand(argv=("sh", "-c", "docker logs vllm_node 2>&1"))
    async with asyncio.timeout(60):
        while True:
            text = (await sparks.shell.run("spark1", logs)).stdout
            events = log.feed(text[taken:])
            taken = len(text)
            seen += [event.milestone for event in events if event.milestone]
            if milestone in seen or (milestone is None and log.verdict(process_alive=True)):
                return list(dict.fromkeys(seen))
            await asyncio.sleep(0.05)


async def test_the_log_of_a_load_reads_from_first_to_last_step(sparks) -> None:
    asked = await sparks.shelf.find("qwen3.6-35b-a3b")
    assert launcher_cause((await launch(sparks, asked)).stdout) is None
    log = LoadLog()
    seen = await read_until(sparks, log, "serving")
    assert seen[0] == "starting"
    assert [step for step in seen if step in {"weights", "compile", "graphs", "serving"}] == [
        "weights",
        "compile",
        "graphs",
        "serving",
    ]
    assert log.verdict(process_alive=True) is None
    stop = RemoteCommand(argv=asked.stop_argv, cwd="spark-vllm-docker")
    assert (await sparks.shell.run("spark1", stop)).ok
    left = await sparks.shell.run("spark1", RemoteCommand(argv=("docker", "ps", "-q")))
    assert left.stdout == ""


@pytest.mark.parametrize(
    ("behaviour", "code", "words"),
    [
        ("oom_on_load", "out_of_memory_killed", "ran out of memory"),
        ("low_memory", "not_enough_memory", "Not enough free memory: it asked for"),
        ("bad_flag", "bad_arguments", "vLLM does not accept the launch arguments"),
    ],
)
async def test_a_load_that_fails_says_why(sparks, behaviour, code, words) -> None:
    asked = await sparks.shelf.find("gemma-4-26b")
    await sparks.cluster.behave("all", behaviour)
    await launch(sparks, asked)
    log = LoadLog()
    await read_until(sparks, log, None)
    cause = log.verdict(process_alive=False)
    assert cause is not None
    assert cause.code == code
    assert words in cause.sentence
    assert cause.evidence


async def test_a_full_disk_is_said_by_the_launcher(sparks) -> None:
    asked = await sparks.shelf.find("gemma-4-26b")
    await sparks.cluster.behave("spark1", "disk_full")
    done = await launch(sparks, asked)
    cause = launcher_cause(done.stdout + done.stderr)
    assert done.exit_code == 0, "the exit code of the launcher says nothing"
    assert cause is not None
    assert cause.code == "disk_full"
