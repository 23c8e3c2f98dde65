"""What looking at a Spark needs beside its shell."""

from typing import Protocol


class Reach(Protocol):
    """Whether anything takes a connection."""

    async def accepts(self, address: str, port: int) -> bool:
        """Whether a TCP connection came about, in a time it bounds itself; never raises."""
        ...


class Broadcast(Protocol):
    """Sends magic packets from this machine."""

    async def send(self, mac: str, addresses: tuple[str, ...]) -> bool:
        """Send to every address; whether at least one packet left."""
        ...
