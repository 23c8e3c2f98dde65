"""Whether a client takes what it is sent, from one look to the next."""

import asyncio
import fcntl
import struct
import termios

_OUTSIDE = struct.Struct("i")


class Taking:
    """Remembers what a client had still to take when somebody last looked."""

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left = 0

    def begin(self, transport: asyncio.Transport) -> None:
        """Look for the first time."""
        self._left = untaken(transport)

    def goes_on(self, transport: asyncio.Transport) -> bool:
        """Return whether it took anything since, and has more to take. Nothing is added between."""
        before, self._left = self._left, untaken(transport)
        return 0 < self._left < before


def untaken(transport: asyncio.Transport) -> int:
    """Return how many bytes were written and not acknowledged, the kernel's included."""
    sock = transport.get_extra_info("socket")
    count = transport.get_write_buffer_size()
    try:
        answer = fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, bytes(_OUTSIDE.size))
    except (AttributeError, OSError):
        return count
    return count + int(_OUTSIDE.unpack(answer)[0])
