"""What the other services say about the settings they read at their start."""

import asyncio
from collections.abc import Sequence

from spark_common.bus.port import Bus
from spark_common.contracts.about import About, GetAbout, about_rpc
from spark_common.errors import SparkError

SERVICES = ("gateway", "swapper", "health", "audio-proxy", "redaction")
_PATIENCE_SECONDS = 1.0


class Neighbours:
    """Asks all of them at once; who is away says nothing."""

    def __init__(self, bus: Bus, services: Sequence[str] = SERVICES) -> None:
        self._bus = bus
        self._services = services

    async def warnings(self) -> list[str]:
        """Return each sentence once, with the services that say it."""
        said = await asyncio.gather(*(self._about(name) for name in self._services))
        by_sentence: dict[str, list[str]] = {}
        for about in said:
            for sentence in about.warnings if about is not None else ():
                by_sentence.setdefault(sentence, []).append(about.name if about else "")
        return [f"{sentence} ({', '.join(who)})" for sentence, who in by_sentence.items()]

    async def _about(self, name: str) -> About | None:
        try:
            return await self._bus.call(
                about_rpc(name), GetAbout(), timeout_seconds=_PATIENCE_SECONDS
            )
        except SparkError:
            return None
