"""The simulator as a program of its own."""

import asyncio
import json
import random
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import asyncssh
import pytest

pytestmark = pytest.mark.connected


STARTED: list[asyncio.subprocess.Process] = []


@pytest.fixture(autouse=True)
async def _nothing_left_behind() -> AsyncIterator[None]:
    yield
    for process in STARTED:
        if process.returncode is None:
            process.terminate()
            await process.communicate()
    STARTED.clear()


async def start(tmp_path: Path, key: asyncssh.SSHKey, net: str) -> asyncio.subprocess.Process:
    public = tmp_path / "key.pub"
    public.write_bytes(key.export_public_key())
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "spark_sim", "--dir", str(tmp_path / "sparks"),
        "--spark1", f"{net}.1", "--spark2", f"{net}.2", "--ssh-port", "2222",
        "--control-port", "0", "--authorized-key", str(public), "--no-neighbours",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    STARTED.append(process)
    return process


async def test_it_says_ready_in_one_line_refuses_taken_ports_and_stops_on_sigterm(
    tmp_path: Path, key: asyncssh.SSHKey
) -> None:
    net = f"127.{random.randint(20, 250)}.{random.randint(0, 250)}"
    first = await start(tmp_path, key, net)
    assert first.stdout is not None
    ready = json.loads(await first.stdout.readline())
    assert ready["ready"] is True
    assert ready["hosts"]["spark2"] == {"address": f"{net}.2", "ssh_port": 2222}
    (tmp_path / "other").mkdir()
    second = await start(tmp_path / "other", key, net)
    _, said = await second.communicate()
    assert second.returncode == 1
    assert said.decode() == (
        f"spark_sim: {net}.1:2222 is taken: stop what uses it or choose other ports\n"
    )
    first.send_signal(signal.SIGTERM)
    out, err = await first.communicate()
    assert (first.returncode, out, err) == (0, b"", b"")


async def test_one_that_was_killed_leaves_nothing_to_the_next_but_its_state(
    tmp_path: Path, key: asyncssh.SSHKey
) -> None:
    net = f"127.{random.randint(20, 250)}.{random.randint(0, 250)}"
    first = await start(tmp_path, key, net)
    assert first.stdout is not None
    await first.stdout.readline()

    async def run(command: str) -> str:
        async with asyncssh.connect(
            f"{net}.1", 2222, username="spark", client_keys=[key], known_hosts=None, config=None,
            agent_path=None,
        ) as connection:  # fmt: skip
            return str((await connection.run(command)).stdout)

    name = f"4{random.randint(10**6, 10**7)}"
    await run(f"setsid sleep {name} </dev/null >/dev/null 2>&1 &")
    container = await run("docker run -d --rm --name one vllm-node sleep infinity")
    other = await start(tmp_path, key, f"{net[:-1]}9" if net[-1] != "9" else f"{net[:-1]}8")
    _, said = await other.communicate()
    assert b"another simulator is using" in said
    first.kill()
    await first.communicate()
    second = await start(tmp_path, key, net)
    assert second.stdout is not None
    await second.stdout.readline()
    assert await run(f"ps -eo args | grep -cx 'sleep {name}'") == "0\n"
    assert await run("docker ps -q --no-trunc") == container
    second.send_signal(signal.SIGTERM)
    await second.communicate()
    assert second.returncode == 0
