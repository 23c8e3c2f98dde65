"""Fixtures of the common library's own tests."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import asyncssh
import pytest

from spark_common.clock import Clock, SystemClock
from spark_common.remote.ssh import SshShell, SshTimes
from spark_common.settings import ClusterSettings, HostSettings
from spark_common.testing.sshd import LoopbackSshd


@pytest.fixture(scope="session")
def ssh_key() -> asyncssh.SSHKey:
    return asyncssh.generate_private_key("ssh-ed25519")


@pytest.fixture
def key_path(tmp_path: Path, ssh_key: asyncssh.SSHKey) -> Path:
    path = tmp_path / "id_ed25519"
    ssh_key.write_private_key(path)
    return path


@pytest.fixture
async def sshd(tmp_path: Path, ssh_key: asyncssh.SSHKey) -> AsyncIterator[LoopbackSshd]:
    home = tmp_path / "remote home"
    home.mkdir()
    async with LoopbackSshd(home, ssh_key) as server:
        yield server


@pytest.fixture
def cluster(tmp_path: Path, key_path: Path) -> Callable[[int], ClusterSettings]:
    def build(port: int) -> ClusterSettings:
        host = HostSettings(
            name="spark1", label="Spark 1", address="127.0.0.1", user="alice", ssh_port=port
        )
        return ClusterSettings(
            hosts=(host,), ssh_key_path=key_path, known_hosts_path=tmp_path / "known_hosts"
        )

    return build


@pytest.fixture
async def connect(
    cluster: Callable[[int], ClusterSettings],
) -> AsyncIterator[Callable[..., SshShell]]:
    shells: list[SshShell] = []

    def build(port: int, clock: Clock | None = None, times: SshTimes | None = None) -> SshShell:
        shells.append(SshShell(cluster(port), clock or SystemClock(), times))
        return shells[-1]

    yield build
    for shell in shells:
        await shell.close()
