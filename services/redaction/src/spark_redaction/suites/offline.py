"""A guard: whoever opens a socket while it stands is stopped."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class NetworkUsedError(Exception):
    """Somebody wanted to talk to somebody."""


@contextmanager
def no_network() -> Iterator[None]:
    """Refuse every new socket and every look-up of a name."""
    real_socket, real_look_up = socket.socket, socket.getaddrinfo

    def refuse(*_arguments: Any, **_more: Any) -> Any:
        raise NetworkUsedError("the gates run without a network")

    socket.socket = refuse  # type: ignore[assignment,misc]
    socket.getaddrinfo = refuse
    try:
        yield
    finally:
        socket.socket = real_socket  # type: ignore[misc]
        socket.getaddrinfo = real_look_up
