"""guard.sh in a real shell: what makes an effect happen once and by the right worker only."""

import asyncio
import os
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from spark_swapper.adapters.ssh_runtime import GUARD

pytestmark = pytest.mark.connected

SHELLS = ("sh", "bash")


@pytest.fixture
def effects(tmp_path: Path) -> Path:
    return tmp_path / "effects"


def words(effects: Path, fence: object, epoch: object, job: str, step: str) -> list[str]:
    command = ["sh", "-c", 'echo "$2" >>"$1"', "effect", str(effects), f"{job}.{step}"]
    return ["-c", GUARD, "guard", str(fence), str(epoch), job, step, "--", *command]


def environment(tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "SC_GUARD_DIR": str(tmp_path / "guard with space")}


def guard(tmp_path: Path, *order: str, shell: str = "sh") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [shell, *order], env=environment(tmp_path), capture_output=True, text=True, timeout=60
    )


async def until(condition) -> None:
    """Poll: the guard's child outlives the guard."""
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


@pytest.mark.parametrize("shell", SHELLS)
async def test_a_step_runs_once_with_its_log_and_exit_code_kept(tmp_path, effects, shell):
    order = words(effects, 1, 0, "job", "launch")
    first = guard(tmp_path, *order, shell=shell)
    assert (first.returncode, first.stdout) == (0, "LAUNCHED\n")
    again = guard(tmp_path, *order, shell=shell)
    assert (again.returncode, again.stdout) == (0, "ALREADY\n")
    folder = tmp_path / "guard with space" / "jobs" / "job"
    await until(lambda: (folder / "launch.exit").exists())
    assert (folder / "launch.exit").read_text() == "0\n"
    assert (folder / "launch.log").exists()
    assert lines(effects) == ["job.launch"]
    other = guard(tmp_path, *words(effects, 1, 0, "job", "stop"), shell=shell)
    assert other.stdout == "LAUNCHED\n"


@pytest.mark.timeout(240)
async def test_200_concurrent_calls_start_each_step_once(tmp_path, effects):
    """Five jobs, forty callers each, with fences in a wild order."""
    orders = [(1 + number % 8, f"job{number % 5}") for number in range(200)]
    gate = asyncio.Semaphore(40)

    async def call(fence: int, job: str) -> tuple[int, str]:
        async with gate:
            process = await asyncio.create_subprocess_exec(
                "sh",
                *words(effects, fence, 0, job, "launch"),
                env=environment(tmp_path),
                stdout=asyncio.subprocess.PIPE,
            )
            out, _ = await process.communicate()
            return process.returncode or 0, out.decode().split(" ")[0].strip()

    answers = Counter(await asyncio.gather(*(call(*order) for order in orders)))
    await until(lambda: len(lines(effects)) >= answers[0, "LAUNCHED"])
    assert set(answers) <= {(0, "LAUNCHED"), (0, "ALREADY"), (76, "STALE")}
    assert sum(answers.values()) == 200
    assert Counter(lines(effects)) == {f"job{number}.launch": 1 for number in range(5)}
    assert answers[0, "LAUNCHED"] == 5
    assert (tmp_path / "guard with space" / "fence").read_text() == "8 0\n"


def test_a_lower_fence_is_refused_and_nothing_happens(tmp_path, effects):
    assert guard(tmp_path, *words(effects, 5, 0, "new", "launch")).returncode == 0
    stale = guard(tmp_path, *words(effects, 4, 9, "old", "stop"))
    assert (stale.returncode, stale.stdout) == (76, "STALE fence given=4 stored=5\n")
    assert not (tmp_path / "guard with space" / "jobs" / "old").exists()


def test_a_lower_epoch_is_refused_even_by_a_newer_worker(tmp_path, effects):
    assert guard(tmp_path, *words(effects, 1, 7, "new", "launch")).returncode == 0
    stale = guard(tmp_path, *words(effects, 2, 6, "old", "stop"))
    assert (stale.returncode, stale.stdout) == (76, "STALE epoch given=6 stored=7\n")
    assert guard(tmp_path, *words(effects, 2, 7, "next", "stop")).returncode == 0


def test_a_stale_caller_is_refused_even_for_a_step_that_is_done(tmp_path, effects):
    guard(tmp_path, *words(effects, 1, 0, "job", "launch"))
    guard(tmp_path, *words(effects, 2, 0, "other", "launch"))
    assert guard(tmp_path, *words(effects, 1, 0, "job", "launch")).returncode == 76


@pytest.mark.parametrize(
    ("fence", "epoch", "job", "step"),
    [
        ("", 0, "job", "step"),
        ("x", 0, "job", "step"),
        ("-1", 0, "job", "step"),
        (1, "1;id", "job", "step"),
        (1, "9" * 16, "job", "step"),
        (1, 0, "", "step"),
        (1, 0, "../job", "step"),
        (1, 0, "a b", "step"),
        (1, 0, "$(id)", "step"),
        (1, 0, "-n", "step"),
        (1, 0, "job", ".."),
        (1, 0, "job", "a/b"),
        (1, 0, "job\nx", "step"),
    ],
)
def test_what_is_not_an_order_is_refused_before_anything(
    tmp_path, effects, fence, epoch, job, step
):
    result = guard(tmp_path, *words(effects, fence, epoch, job, step))
    assert result.returncode == 64
    assert not (tmp_path / "guard with space").exists()
    assert not effects.exists()


def test_an_order_without_a_command_is_refused(tmp_path):
    assert guard(tmp_path, "-c", GUARD, "guard", "1", "0", "job", "step", "--").returncode == 64


async def test_arguments_arrive_as_they_are(tmp_path):
    hostile = "'; touch pwned; \" $(id) `id` * \\ \n end"
    record = tmp_path / "record"
    command = ["sh", "-c", 'printf %s "$2" >"$1"', "effect", str(record), hostile]
    guard(tmp_path, "-c", GUARD, "guard", "1", "0", "job", "step", "--", *command)
    await until(lambda: record.exists() and record.read_text() == hostile)


async def test_a_failing_command_keeps_its_words_and_exit_code(tmp_path):
    command = ["sh", "-c", "echo out; echo err >&2; exit 7"]
    answer = guard(tmp_path, "-c", GUARD, "guard", "1", "0", "job", "step", "--", *command)
    assert answer.stdout == "LAUNCHED\n"
    folder = tmp_path / "guard with space" / "jobs" / "job"
    await until(lambda: (folder / "step.exit").exists())
    assert (folder / "step.exit").read_text() == "7\n"
    assert (folder / "step.log").read_text() == "out\nerr\n"


def test_the_guard_answers_while_its_command_still_runs(tmp_path):
    """Its output must not stay open in the child, or the SSH session would wait for it."""
    marker = tmp_path / "go"
    command = ["sh", "-c", 'while [ ! -e "$1" ]; do sleep 0.05; done', "wait", str(marker)]
    answer = guard(tmp_path, "-c", GUARD, "guard", "1", "0", "job", "step", "--", *command)
    assert answer.stdout == "LAUNCHED\n"
    assert not (tmp_path / "guard with space" / "jobs" / "job" / "step.exit").exists()
    marker.touch()


def test_nobody_else_may_read_what_the_guard_keeps(tmp_path, effects):
    guard(tmp_path, *words(effects, 1, 0, "job", "step"))
    folder = tmp_path / "guard with space"
    assert folder.stat().st_mode & 0o077 == 0
    assert (folder / "fence").stat().st_mode & 0o077 == 0
