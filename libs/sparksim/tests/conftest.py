"""A simulated cluster per test, on addresses and ports of its own."""

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import asyncssh
import httpx
import pytest

from spark_sim.cluster import SimulatedCluster
from spark_sim.config import SimConfig


@dataclass
class Ran:
    """How a remote command ended."""

    code: int | None
    out: str
    err: str


class Login:
    """An SSH client of a simulated host."""

    def __init__(self, connection: asyncssh.SSHClientConnection) -> None:
        self.connection = connection

    async def run(self, command: str, stdin: bytes | None = None) -> Ran:
        """Run a command line to its end."""
        done = await self.connection.run(command, input=stdin, encoding=None)
        return Ran(done.exit_status, bytes(done.stdout or b"").decode(),
                   bytes(done.stderr or b"").decode())  # fmt: skip


@pytest.fixture(scope="session")
def key() -> asyncssh.SSHKey:
    return asyncssh.generate_private_key("ssh-ed25519")


@pytest.fixture
def config(tmp_path: Path, key: asyncssh.SSHKey) -> SimConfig:
    net = f"127.{random.randint(20, 250)}.{random.randint(0, 250)}"
    return SimConfig(
        directory=tmp_path / "sparks",
        authorized_key=key.export_public_key().decode(),
        spark1=f"{net}.{random.randint(2, 120)}",
        spark2=f"{net}.{random.randint(121, 250)}",
        ssh_port=0,
        control_port=0,
        speed=200,
        tokens_per_second=4000,
        neighbours=False,
    )


@pytest.fixture
async def cluster(config: SimConfig) -> AsyncIterator[SimulatedCluster]:
    async with SimulatedCluster(config) as running:
        yield running


Connect = Callable[..., Awaitable[Login]]


@pytest.fixture
async def connect(key: asyncssh.SSHKey) -> AsyncIterator[Connect]:
    connections: list[asyncssh.SSHClientConnection] = []

    async def opened(cluster: SimulatedCluster, host: str = "spark1") -> Login:
        there = cluster.hosts[host]
        connection = await asyncssh.connect(
            there.address, there.ssh_port, username="spark", client_keys=[key],
            known_hosts=None, config=None, agent_path=None,
        )  # fmt: skip
        connections.append(connection)
        return Login(connection)

    yield opened
    for connection in connections:
        connection.abort()


@pytest.fixture
async def spark1(cluster: SimulatedCluster, connect: Connect) -> Login:
    return await connect(cluster)


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
        yield client


@pytest.fixture
def faster(config: SimConfig) -> Callable[..., SimConfig]:
    return lambda **changes: replace(config, **changes)
