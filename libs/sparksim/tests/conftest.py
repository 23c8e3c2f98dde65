"""A simulated cluster per test, on addresses and ports of its own."""

import random
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import asyncssh
import httpx
import pytest

from spark_common.plain_http import plain_client
from spark_sim.cluster import SimulatedCluster
from spark_sim.config import SimConfig
from spark_sim.testing import Connect, Login, log_in


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


@pytest.fixture
async def connect(key: asyncssh.SSHKey) -> AsyncIterator[Connect]:
    logins: list[Login] = []

    async def opened(cluster: SimulatedCluster, host: str = "spark1") -> Login:
        logins.append(await log_in(cluster, host, key))
        return logins[-1]

    yield opened
    for login in logins:
        login.connection.abort()


@pytest.fixture
async def spark1(cluster: SimulatedCluster, connect: Connect) -> Login:
    return await connect(cluster)


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with plain_client(timeout=60) as client:
        yield client


@pytest.fixture
def faster(config: SimConfig) -> Callable[..., SimConfig]:
    return lambda **changes: replace(config, **changes)
