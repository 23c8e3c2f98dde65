"""Hears magic packets, as the network card of a Spark that is switched off does."""

import asyncio
from collections.abc import Callable

LENGTH = 102
PORT = 9


def woken(data: bytes, mac: str) -> bool:
    """Whether a packet wakes the card with this address: exactly the 102 bytes."""
    return data == b"\xff" * 6 + bytes.fromhex(mac.replace(":", "")) * 16


class WakeListener(asyncio.DatagramProtocol):
    """Listens on the broadcast address of a simulated network."""

    def __init__(self, heard: Callable[[bytes], None]) -> None:
        self._heard = heard
        self._transport: asyncio.BaseTransport | None = None

    async def start(self, address: str) -> bool:
        """Listen; False where the port is not for us or taken."""
        loop = asyncio.get_running_loop()
        try:
            self._transport, _ = await loop.create_datagram_endpoint(
                lambda: self, local_addr=(address, PORT)
            )
        except OSError:
            return False
        return True

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Pass a packet on."""
        self._heard(data)

    def close(self) -> None:
        """Stop."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None
