"""Where an installed NIM is written down as a service that is watched, started and stopped."""

from typing import Protocol

from spark_common.contracts.nim import NimService


class InstalledNims(Protocol):
    """The list of what was installed. Each method raises UnavailableError when it is away."""

    async def all(self) -> list[NimService]:
        """Return every one, by name."""
        ...

    async def put(self, service: NimService) -> None:
        """Write one down, in place of one of the same name."""
        ...

    async def drop(self, name: str) -> None:
        """Strike one out; one that is not there is no error."""
        ...
