"""Which addresses and ports of this machine are free, said in one line each."""

import errno
import socket
import sys
from collections.abc import Iterable
from dataclasses import dataclass

import click

PORT = click.IntRange(1, 65535)
"""What a port given on the command line may be."""


@dataclass(frozen=True)
class Listener:
    """A place where a part will listen."""

    part: str
    host: str
    port: int


def why_not(listener: Listener) -> str | None:
    """Return why the part could not listen there now, or None."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((listener.host, listener.port))
        except OSError as error:
            return _explain(listener, error)
    return None


def problems(listeners: Iterable[Listener]) -> list[str]:
    """Return one line per listener that cannot be had; missing addresses are told once each."""
    return list(dict.fromkeys(text for item in listeners if (text := why_not(item)) is not None))


def _explain(listener: Listener, error: OSError) -> str:
    where = f"{listener.host}:{listener.port}"
    match error.errno:
        case errno.EADDRINUSE:
            return f"{where} is taken, {listener.part} cannot listen there: stop what uses it"
        case errno.EADDRNOTAVAIL if sys.platform == "darwin":
            return (
                f"{listener.host} is not on this machine yet: sudo ifconfig lo0 alias "
                f"{listener.host} up"
            )
        case errno.EADDRNOTAVAIL:
            return f"{listener.host} is not an address of this machine ({listener.part} needs it)"
        case errno.EACCES:
            return f"{where} needs more rights than this user has ({listener.part})"
        case _:
            return f"{listener.part} cannot listen on {where}: {error.strerror}"
