"""Looks names up with the system's own resolver, outside the loop."""

import ipaddress
import socket
from collections.abc import Sequence

from spark_common.forbidden_address import IpAddress, addresses_in
from spark_coordinator.webhooks.ports import SendError
from spark_coordinator.webhooks.threads import OwnedThreads

_SECONDS = 5.0


class SystemResolver:
    """Asks as every program of this machine does: hosts file, mDNS, DNS."""

    def __init__(self, threads: OwnedThreads) -> None:
        self._threads = threads

    async def resolve(self, owner: str, host: str) -> Sequence[IpAddress]:
        """Return every address of a name, each once."""
        try:
            return [ipaddress.ip_address(host)]
        except ValueError:
            pass
        return await self._threads.run(f"name:{owner}", _SECONDS, lambda: _look_up(host))


def _look_up(host: str) -> list[IpAddress]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise SendError("the name of its host does not resolve") from error
    return addresses_in(found)
