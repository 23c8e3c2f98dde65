"""For tests: an SSH client of a simulated host."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import asyncssh

from spark_sim.cluster import SimulatedCluster


@dataclass(frozen=True)
class Ran:
    """How a remote command ended; ``code`` is None when a signal ended it."""

    code: int | None
    out: str
    err: str


class Login:
    """One SSH connection to a simulated host."""

    def __init__(self, connection: asyncssh.SSHClientConnection) -> None:
        self.connection = connection

    async def run(self, command: str, stdin: bytes | None = None) -> Ran:
        """Run a command line to its end."""
        done = await self.connection.run(command, input=stdin, encoding=None)
        return Ran(done.exit_status, _text(done.stdout), _text(done.stderr))


Connect = Callable[..., Awaitable[Login]]
"""``await connect(cluster, host="spark1")``."""


async def log_in(cluster: SimulatedCluster, host: str, key: asyncssh.SSHKey) -> Login:
    """Connect to a host. Raises OSError or asyncssh.Error."""
    there = cluster.hosts[host]
    connection = await asyncssh.connect(
        there.address, there.ssh_port, username="spark", client_keys=[key],
        known_hosts=None, config=None, agent_path=None,
    )  # fmt: skip
    return Login(connection)


def _text(said: object) -> str:
    return said.decode() if isinstance(said, bytes) else ""
