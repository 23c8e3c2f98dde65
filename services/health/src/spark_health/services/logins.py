"""Where containers are looked after: the Sparks, and any other login that the settings name."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from spark_common.remote import RemoteCommand, RemoteResult, RemoteShell
from spark_common.settings import HostSettings, HostsSettings

_MOST_OWN = 16


@dataclass(frozen=True)
class Login:
    """One account on one machine. ``shell`` is its name in a ``RemoteShell``."""

    shell: str
    label: str
    """For people: ``Spark 1``."""
    spark: str | None
    """The Spark that this machine is, if it is one."""


class OwnShell(RemoteShell, Protocol):
    """A shell that was opened for one login and is to be closed."""

    async def close(self) -> None:
        """End its connection."""
        ...


class Logins:
    """A ``RemoteShell`` on every login; those of the Sparks share their one connection."""

    def __init__(
        self, shell: RemoteShell, cluster: HostsSettings, open: Callable[[HostSettings], OwnShell]
    ) -> None:
        """``open`` connects nothing yet."""
        self._shell = shell
        self._cluster = cluster
        self._open = open
        self._known: dict[str, HostSettings] = {}
        self._own: dict[str, OwnShell] = {}

    def of(self, address: str, user: str | None) -> Login:
        """Return the login at an address; that of the Spark, or of the first one, for no user."""
        spark = next((one for one in self._cluster.hosts if one.address == address), None)
        if spark is not None and user in (None, spark.user):
            return Login(spark.name, spark.label, spark.name)
        base = spark or self._cluster.hosts[0]
        who = user or base.user
        name = f"{who}@{address}"
        label = f"{spark.label if spark is not None else address} (as {who})"
        self._known[name] = HostSettings(
            name=name,
            label=label,
            address=address,
            user=who,
            ssh_port=spark.ssh_port if spark is not None else 22,
        )
        return Login(name, label, spark.name if spark is not None else None)

    async def run(
        self, host: str, command: RemoteCommand, *, timeout_seconds: float = 30.0
    ) -> RemoteResult:
        """Run to the end, as ``RemoteShell`` does."""
        shell = await self._of(host)
        return await shell.run(host, command, timeout_seconds=timeout_seconds)

    async def home(self, host: str) -> str:
        """Return the remote home, as ``RemoteShell`` does."""
        return await (await self._of(host)).home(host)

    async def close(self) -> None:
        """End the connections that were opened here."""
        for shell in self._own.values():
            await shell.close()
        self._own.clear()

    async def _of(self, host: str) -> RemoteShell:
        known = self._known.get(host)
        if known is None:
            return self._shell
        shell = self._own.pop(host, None) or self._open(known)
        self._own[host] = shell
        if len(self._own) > _MOST_OWN:
            await self._own.pop(next(iter(self._own))).close()
        return shell
