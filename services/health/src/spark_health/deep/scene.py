"""On which Sparks a swap runs, and what the owner of the runtime says is loaded."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from spark_common.bus.port import Bus
from spark_common.contracts.models import LIST_MODELS, ListModels, Menu
from spark_common.contracts.swaps import LIST_SWAPS, ListSwaps, SwapView
from spark_common.errors import SparkError, UnavailableError

_ASK_SECONDS = 3.0


class Scene(Protocol):
    """What others do with the Sparks."""

    async def swapping(self) -> Mapping[str, str]:
        """Return the hosts on which a swap runs, each with a sentence. Raises UnavailableError."""
        ...


class BusScene:
    """Asks the swapper."""

    def __init__(self, bus: Bus, hosts: Sequence[str]) -> None:
        self._bus = bus
        self._hosts = tuple(hosts)

    async def swapping(self) -> Mapping[str, str]:
        """Return the hosts of the running swap. Where its mode is unknown, every host."""
        try:
            swaps = await self._bus.call(
                LIST_SWAPS, ListSwaps(limit=1), timeout_seconds=_ASK_SECONDS
            )
        except SparkError as error:
            raise UnavailableError("the swapper does not say whether a swap runs") from error
        current = swaps.current
        if current is None or current.finished_at is not None:
            return {}
        said = f"a swap to {current.model_name} runs on it"
        return dict.fromkeys(await self._touched(current), said)

    async def runtime(self) -> str | None:
        """Return the state of the runtime in the swapper's words; None when it cannot say."""
        menu = await self._menu()
        return None if menu is None else menu.runtime.state

    async def _touched(self, swap: SwapView) -> tuple[str, ...]:
        menu = await self._menu()
        modes = {} if menu is None else {model.key: model.mode for model in menu.models}
        involved = [swap.model] + ([swap.previous] if swap.previous else [])
        if swap.previous is not None and all(modes.get(key) == "solo" for key in involved):
            return self._hosts[:1]
        return self._hosts

    async def _menu(self) -> Menu | None:
        try:
            return await self._bus.call(LIST_MODELS, ListModels(), timeout_seconds=_ASK_SECONDS)
        except SparkError:
            return None
