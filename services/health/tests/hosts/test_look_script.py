"""The script in a real shell: time limits of its own, a budget for all, no privilege."""

import os
import shutil
import stat
import time
from pathlib import Path

import pytest

from spark_common.remote.command import RemoteCommand
from spark_common.testing.shell import LocalShell
from spark_common.testing.wait import within
from spark_health.hosts.looking import SCRIPT
from spark_health.hosts.reading import read
from spark_health.hosts.sections import split

MARK = "@@0123456789abcdef"


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """Return a folder for programs, first on the path."""
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


def program(folder: Path, name: str, body: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


async def look(folder: Path, width: str = "whole", budget: int = 2):
    shell = LocalShell({"spark1": folder.parent}, f"{folder}:{os.environ['PATH']}")
    command = RemoteCommand(("sh", "-s", MARK, str(budget), width), stdin=SCRIPT)
    began = time.monotonic()
    result = await shell.run("spark1", command, timeout_seconds=20)
    return read(split(result.stdout, MARK)), result, time.monotonic() - began


async def test_programs_that_hang_cost_the_budget_and_no_more(programs: Path) -> None:
    for name in ("nvidia-smi", "docker", "ip", "sudo"):
        program(programs, name, "exec sleep 60")

    async def hurried() -> float:
        reading, result, took = await look(programs)
        assert result.exit_code == 0
        assert reading.complete
        assert reading.moving.memory is not None
        assert (reading.moving.gpu, reading.hurried) == (None, True)
        return took

    await within(6, hurried)


async def test_a_program_that_eats_its_input_or_shouts_does_not_disturb_the_rest(
    programs: Path,
) -> None:
    program(programs, "nvidia-smi", "cat; yes junk | head -c 3000000")
    program(programs, "docker", f"cat; echo '{MARK} disk 0'; echo; echo 'x 9 9 9 9% /'")
    program(
        programs, "sudo", 'echo "$*" >> "$HOME/asked"; echo "sudo: a password is required"; exit 1'
    )
    reading, result, _ = await look(programs, budget=6)
    assert reading.complete
    assert len(result.stdout) < 300_000
    assert reading.rest is not None
    assert reading.rest.rules is not None
    assert reading.rest.rules.shutdown is None
    assert (programs.parent / "asked").read_text() == "-n -l\n"


async def test_a_machine_without_any_of_the_programs_says_what_it_can(tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("sh", "cat", "date", "head", "sed", "timeout"):
        found = shutil.which(name)
        assert found is not None
        (folder / name).symlink_to(found)
    shell = LocalShell({"spark1": tmp_path}, str(folder))
    command = RemoteCommand(("sh", "-s", MARK, "6", "whole"), stdin=SCRIPT)
    result = await shell.run("spark1", command, timeout_seconds=20)
    reading = read(split(result.stdout, MARK))
    assert (reading.complete, reading.silent) == (True, ())
    assert reading.moving.memory is not None
    assert reading.moving.gpu_problem == "There is no nvidia-smi on its path."
    assert reading.rest is not None
    assert reading.rest.docker == "There is no docker on its path."
