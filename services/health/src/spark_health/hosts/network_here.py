"""Connections and packets of this machine."""

import asyncio
import socket
from contextlib import suppress

from spark_health.hosts.magic import PORTS, packet

_RESOLVE_SECONDS = 2.0
"""A name is looked up before the time for the connection begins."""


class TcpReach:
    """A ``Reach`` over TCP."""

    def __init__(self, seconds: float = 2.0) -> None:
        """``seconds``: for the connection to each of the first two addresses of a name."""
        self._seconds = seconds

    async def accepts(self, address: str, port: int) -> bool:
        """Whether a connection came about in that time."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_RESOLVE_SECONDS):
                found = await loop.getaddrinfo(address, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError, TimeoutError):
            return False
        for family, kind, protocol, _, where in found[:2]:
            with socket.socket(family, kind, protocol) as line:
                line.setblocking(False)
                try:
                    async with asyncio.timeout(self._seconds):
                        await loop.sock_connect(line, where)
                except OSError:
                    # TimeoutError is one. This process may be the one that was late: the
                    # connection itself knows whether it came about.
                    with suppress(OSError):
                        line.getpeername()
                        return True
                else:
                    return True
        return False


class UdpBroadcast:
    """A ``Broadcast`` over UDP."""

    async def send(self, mac: str, addresses: tuple[str, ...]) -> bool:
        """Send to every address and port; whether one packet left."""
        sent = False
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            line.setblocking(False)
            for address in addresses:
                for port in PORTS:
                    with suppress(OSError):
                        line.sendto(packet(mac), (address, port))
                        sent = True
        return sent
