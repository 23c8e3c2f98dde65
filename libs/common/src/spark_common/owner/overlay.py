"""Where the owner's values come from: the coordinator, for who has no Redis."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from spark_common.bus.port import Bus
from spark_common.contracts.owner_settings import READ_OVERLAY, ReadOverlay

_ASK_SECONDS = 1.0


@dataclass(frozen=True)
class OwnerValues:
    """What the owner set, at one version; texts as they would stand in the environment."""

    version: int = 0
    values: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def texts(self) -> Mapping[str, str]:
        """All of them, for who reads settings."""
        return {**self.values, **self.secrets}


class OverlaySource(Protocol):
    """Gives the owner's values."""

    async def read(self, known: int | None) -> OwnerValues | None:
        """Return the values, or None while their version is still ``known``.

        Raises SparkError when nobody can say.
        """
        ...


class BusOverlay:
    """Asks the coordinator. Secrets are not among its answers."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def read(self, known: int | None) -> OwnerValues | None:
        """Return the values, or None while their version is still ``known``."""
        question = ReadOverlay(known_version=known)
        overlay = await self._bus.call(READ_OVERLAY, question, timeout_seconds=_ASK_SECONDS)
        if overlay.values is None:
            return None
        return OwnerValues(overlay.version, overlay.values)
