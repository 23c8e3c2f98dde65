"""What the other services say about the settings they read at their start."""

import asyncio
from collections.abc import Sequence

from spark_common.bus.port import Bus
from spark_common.contracts.about import About, GetAbout, about_rpc
from spark_common.contracts.owner_settings import SettingsView
from spark_common.errors import SparkError
from spark_coordinator.owner.viewing import set_by_owner

SERVICES = ("gateway", "swapper", "health", "audio-proxy", "redaction")
_PATIENCE_SECONDS = 1.0


class Neighbours:
    """Asks all of them at once; who is away says nothing."""

    def __init__(self, bus: Bus, services: Sequence[str] = SERVICES) -> None:
        self._bus = bus
        self._services = services

    async def warnings(self, shown: SettingsView) -> list[str]:
        """Return each sentence once, with the services that say it, unless it is ``shown``.

        What a service says of its environment is over once the owner set that name.
        """
        over = set_by_owner(shown)
        said = await asyncio.gather(*(self._about(name) for name in self._services))
        by_sentence: dict[str, list[str]] = {}
        for about in filter(None, said):
            for sentence in about.warnings:
                if sentence not in shown.warnings and sentence.split(" ", 1)[0] not in over:
                    by_sentence.setdefault(sentence, []).append(about.name)
        return [f"{sentence} ({', '.join(who)})" for sentence, who in by_sentence.items()]

    async def _about(self, name: str) -> About | None:
        try:
            return await self._bus.call(
                about_rpc(name), GetAbout(), timeout_seconds=_PATIENCE_SECONDS
            )
        except SparkError:
            return None
