"""The connection to one Spark: made when needed, kept alive, shared, made anew when it is lost."""

import asyncio
import getpass
import logging
import os
from dataclasses import dataclass

import asyncssh
import structlog

from spark_common.clock import Clock
from spark_common.errors import HostKeyChangedError, UnavailableError
from spark_common.remote.ssh.circuit import Circuit
from spark_common.remote.ssh.failures import explain
from spark_common.remote.ssh.known_hosts import KnownHosts
from spark_common.settings import ClusterSettings, HostSettings

log = structlog.get_logger()


@dataclass(frozen=True)
class SshTimes:
    """How long we wait for a host. Seconds, except the count."""

    connect_seconds: float = 6.0
    remember_seconds: float = 25.0
    """How long a host that did not answer is not asked again."""
    keepalive_seconds: float = 5.0
    keepalive_count: int = 3
    """Unanswered keep-alives after which a connection counts as lost."""


class Link:
    """One host's connection. Callers share a single attempt to connect."""

    def __init__(
        self, host: HostSettings, cluster: ClusterSettings, clock: Clock, times: SshTimes
    ) -> None:
        self.host = host
        self._times = times
        self._key_path = cluster.ssh_key_path
        self._known_hosts = KnownHosts(cluster.known_hosts_path)
        self._circuit = Circuit(clock, times.remember_seconds)
        self._told: str | None = None
        self._connection: asyncssh.SSHClientConnection | None = None
        self._attempt: asyncio.Task[asyncssh.SSHClientConnection] | None = None

    async def connection(self) -> asyncssh.SSHClientConnection:
        """Return a live connection; raises HostUnreachableError, HostKeyChangedError."""
        if self._connection is not None and not self._connection.is_closed():
            return self._connection
        self._circuit.admit()
        if self._attempt is None:
            self._attempt = asyncio.create_task(self._connect())
            self._attempt.add_done_callback(self._attempt_ended)
        # A caller that gives up must not cut off the others who wait for the same attempt.
        return await asyncio.shield(self._attempt)

    async def close(self) -> None:
        """End the connection and any attempt at one."""
        if self._attempt is not None:
            self._attempt.cancel()
            await asyncio.wait({self._attempt})
        if self._connection is not None:
            self._connection.abort()
            await self._connection.wait_closed()
            self._connection = None

    async def _connect(self) -> asyncssh.SSHClientConnection:
        check = _HostKeyCheck(self._known_hosts, self.host)
        try:
            async with asyncio.timeout(self._times.connect_seconds):
                connection = await self._open(check)
        except UnavailableError:
            raise
        except (OSError, TimeoutError, asyncssh.Error, asyncssh.KeyImportError) as failure:
            if check.refusal is not None:
                raise check.refusal from failure
            raise explain(failure, self.host, self._key_path) from failure
        self._connection = connection
        log.info("ssh.connected", host=self.host.name)
        return connection

    async def _open(self, check: "_HostKeyCheck") -> asyncssh.SSHClientConnection:
        _name_ourselves()
        # Nothing of the account we run under takes part: no config file, agent or known keys.
        return await asyncssh.connect(
            self.host.address,
            self.host.ssh_port,
            username=self.host.user,
            client_keys=[asyncssh.read_private_key(self._key_path)],
            client_factory=lambda: check,
            known_hosts=lambda *_: ([], [], []),
            server_host_key_algs=self._known_hosts.algorithms(self.host),
            config=None,
            agent_path=None,
            preferred_auth="publickey",
            password_auth=False,
            kbdint_auth=False,
            host_based_auth=False,
            gss_auth=False,
            gss_kex=False,
            x509_trusted_certs=None,
            x509_trusted_cert_paths=[],
            login_timeout=self._times.connect_seconds,
            keepalive_interval=self._times.keepalive_seconds,
            keepalive_count_max=self._times.keepalive_count,
        )

    def _attempt_ended(self, attempt: asyncio.Task[asyncssh.SSHClientConnection]) -> None:
        self._attempt = None
        if attempt.cancelled():
            self._circuit.gave_up()
            return
        failure = attempt.exception()
        if failure is None or isinstance(failure, HostKeyChangedError):
            # A host with another key answers at once, and forgetting the old key must work at once.
            self._circuit.succeeded()
            self._told = None
        elif isinstance(failure, UnavailableError):
            self._circuit.failed(failure)
            # Whoever looks every few seconds at a host that is off says it once.
            level = logging.DEBUG if failure.message == self._told else logging.WARNING
            self._told = failure.message
            log.log(level, "ssh.unreachable", host=self.host.name, reason=failure.message)
        else:
            self._circuit.gave_up()


class _HostKeyCheck(asyncssh.SSHClient):
    """Asks the known-hosts file about the key a host shows, and keeps the reason of a no."""

    def __init__(self, known_hosts: KnownHosts, host: HostSettings) -> None:
        self._known_hosts = known_hosts
        self._host = host
        self.refusal: UnavailableError | None = None

    def validate_host_public_key(
        self, host: str, addr: str, port: int, key: asyncssh.SSHKey
    ) -> bool:
        try:
            self._known_hosts.check(self._host, key)
        except UnavailableError as refusal:
            self.refusal = refusal
        return self.refusal is None


def _name_ourselves() -> None:
    # asyncssh asks for the local user even when it is told the remote one; in a container with
    # a numeric user there is no such name.
    try:
        getpass.getuser()
    except (KeyError, OSError):
        os.environ["LOGNAME"] = "spark-control"
