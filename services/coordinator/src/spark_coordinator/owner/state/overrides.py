"""The owner's recipes, which lie in a file of the swapper."""

from typing import Protocol

from spark_common.bus.port import Bus
from spark_common.contracts.overrides import (
    READ_OVERRIDES,
    WRITE_OVERRIDES,
    Overrides,
    ReadOverrides,
    WriteOverrides,
)

_SECONDS = 3.0


class RecipeFile(Protocol):
    """Reads and replaces ``models.override.yaml``."""

    async def read(self) -> Overrides:
        """Return the file as it is. Raises ServiceUnavailableError."""
        ...

    async def write(self, text: str, by: str) -> Overrides:
        """Replace it; raises InvalidRequestError for what is no such file."""
        ...


class SwappersRecipes:
    """Asks the swapper."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def read(self) -> Overrides:
        """Return the file as it is."""
        return await self._bus.call(READ_OVERRIDES, ReadOverrides(), timeout_seconds=_SECONDS)

    async def write(self, text: str, by: str) -> Overrides:
        """Replace it."""
        question = WriteOverrides(text=text, requested_by=by)
        return await self._bus.call(WRITE_OVERRIDES, question, timeout_seconds=_SECONDS)
