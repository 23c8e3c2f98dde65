"""The simulator as a program of its own."""

import asyncio
import json
import random
import signal
import sys
from pathlib import Path

import asyncssh
import pytest

pytestmark = pytest.mark.connected


async def start(tmp_path: Path, key: asyncssh.SSHKey, net: str) -> asyncio.subprocess.Process:
    public = tmp_path / "key.pub"
    public.write_bytes(key.export_public_key())
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "spark_sim", "--dir", str(tmp_path / "sparks"),
        "--spark1", f"{net}.1", "--spark2", f"{net}.2", "--ssh-port", "2222",
        "--control-port", "0", "--authorized-key", str(public), "--no-neighbours",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def test_it_says_ready_in_one_line_refuses_taken_ports_and_stops_on_sigterm(
    tmp_path: Path, key: asyncssh.SSHKey
) -> None:
    net = f"127.{random.randint(20, 250)}.{random.randint(0, 250)}"
    first = await start(tmp_path, key, net)
    assert first.stdout is not None
    ready = json.loads(await first.stdout.readline())
    assert ready["ready"] is True
    assert ready["hosts"]["spark2"] == {"address": f"{net}.2", "ssh_port": 2222}
    second = await start(tmp_path, key, net)
    _, said = await second.communicate()
    assert second.returncode == 1
    assert said.decode() == (
        f"spark_sim: {net}.1:2222 is taken: stop what uses it or choose other ports\n"
    )
    first.send_signal(signal.SIGTERM)
    out, err = await first.communicate()
    assert (first.returncode, out, err) == (0, b"", b"")
