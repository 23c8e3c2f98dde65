"""What only the socket below a transport can say or do."""

import asyncio
import select
import socket


def watch_for_silence(transport: asyncio.Transport) -> None:
    """Let the kernel probe a quiet connection, so that a host that lost power is noticed."""
    sock = transport.get_extra_info("socket")
    if sock is None or sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", 15), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, option):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)


def hung_up(transport: asyncio.Transport) -> bool:
    """Whether the other side has closed, even when nobody reads from the transport now."""
    sock = transport.get_extra_info("socket")
    closed = getattr(select, "POLLRDHUP", 0)
    if sock is None or not closed:
        return False
    poll = select.poll()
    poll.register(sock.fileno(), closed)
    return bool(poll.poll(0))
