"""Connections and packets of this machine."""

import asyncio
import socket
from contextlib import suppress

from spark_health.hosts.magic import PORTS, packet

_SECONDS = 2.0


class TcpReach:
    """A ``Reach`` over TCP."""

    async def accepts(self, address: str, port: int) -> bool:
        """Whether a connection came about within two seconds."""
        try:
            async with asyncio.timeout(_SECONDS):
                _reader, writer = await asyncio.open_connection(address, port)
        except (OSError, TimeoutError):
            return False
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        return True


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
