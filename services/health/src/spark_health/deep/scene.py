"""On which Sparks a swap runs, and what the owner of the runtime says is loaded."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from spark_common.bus.port import Bus
from spark_common.contracts.models import LIST_MODELS, ListModels, Menu
from spark_common.contracts.swaps import LIST_SWAPS, ListSwaps, Phase, Swaps
from spark_common.errors import SparkError, UnavailableError

_ASK_SECONDS = 3.0
_BEFORE = frozenset({Phase.QUEUED, Phase.PREFLIGHT, Phase.DRAINING})
"""Phases in which a swap has changed nothing, and looks at the lease once more."""


class Scene(Protocol):
    """What others do with the Sparks."""

    async def unsettled(self) -> str | None:
        """Say which swap has not passed its last look at the lease yet, as a sentence.

        Whoever took the lease now would make it fail, wherever it loads. Raises UnavailableError.
        """
        ...

    async def swapping(self) -> Mapping[str, str]:
        """Return the hosts on which a swap runs, each with a sentence. Raises UnavailableError."""
        ...


class BusScene:
    """Asks the swapper."""

    def __init__(self, bus: Bus, hosts: Sequence[str]) -> None:
        self._bus = bus
        self._hosts = tuple(hosts)

    async def unsettled(self) -> str | None:
        """Say which swap has not passed its last look at the lease yet."""
        swaps = await self._swaps()
        if swaps.queue:
            return f"a swap to {swaps.queue[0].model_name} waits for its turn"
        current = swaps.current
        if current is None or current.finished_at is not None or current.phase not in _BEFORE:
            return None
        return f"a swap to {current.model_name} is about to begin"

    async def swapping(self) -> Mapping[str, str]:
        """Return the hosts of the running swap; every one while it does not say on which it is."""
        current = (await self._swaps()).current
        if current is None or current.finished_at is not None:
            return {}
        said = f"a swap to {current.model_name} runs on it"
        return dict.fromkeys(current.hosts or self._hosts, said)

    async def _swaps(self) -> Swaps:
        try:
            return await self._bus.call(
                LIST_SWAPS, ListSwaps(limit=1), timeout_seconds=_ASK_SECONDS
            )
        except SparkError as error:
            raise UnavailableError("the swapper does not say whether a swap runs") from error

    async def runtime(self) -> str | None:
        """Return the state of the runtime in the swapper's words; None when it cannot say."""
        menu = await self._menu()
        return None if menu is None else menu.runtime.state

    async def _menu(self) -> Menu | None:
        try:
            return await self._bus.call(LIST_MODELS, ListModels(), timeout_seconds=_ASK_SECONDS)
        except SparkError:
            return None
