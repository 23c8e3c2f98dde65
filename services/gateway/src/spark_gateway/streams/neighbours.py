"""Which services answer on the bus: asked for once, for all who look."""

from collections.abc import Callable
from typing import Literal

import structlog

from spark_common.bus import Bus
from spark_common.clock import Clock
from spark_common.contracts.rpc import Reply
from spark_common.errors import SparkError
from spark_gateway.streams.pace import Pace

SERVICES = ("audio-proxy", "coordinator", "gateway", "health", "redaction", "swapper")
_LOG = structlog.get_logger()


class Component(Reply):
    """One service and whether it answers on the bus; nobody knows while the bus is away."""

    name: str
    state: Literal["up", "down", "unknown"]


class Neighbours:
    """The services as last discovered. Discovery takes half a second, so nothing waits for it."""

    def __init__(self, bus: Bus, clock: Clock, watched: Callable[[], bool]) -> None:
        self.components = _nobody_knows()
        self.pace = Pace(clock, watched)
        self._bus = bus
        self._answered: set[str] = set()
        self._listeners: list[Callable[[list[Component]], None]] = []

    def on_change(self, listener: Callable[[list[Component]], None]) -> None:
        """Call ``listener`` when a service came or went."""
        self._listeners.append(listener)

    async def run(self) -> None:
        """Look around until cancelled."""
        await self.pace.keep(self._look)

    async def _look(self) -> None:
        try:
            names = await self._bus.discover()
        except SparkError as error:
            _LOG.debug("neighbours.unanswered", reason=error.code)
            names = None
        components = self._judge(names)
        if components != self.components:
            self.components = components
            for listener in self._listeners:
                listener(components)

    def _judge(self, names: list[str] | None) -> list[Component]:
        if names is None or not self._bus.health().connected:
            return _nobody_knows()
        answered = set(names) | {"gateway"}
        # A busy service may miss the half second of one discovery, not of two.
        up = answered | self._answered
        self._answered = answered
        return [
            Component(name=name, state="up" if name in up else "down")
            for name in sorted(up | set(SERVICES))
        ]


def _nobody_knows() -> list[Component]:
    """While the bus is away only one thing is certain: whoever asks was answered by us."""
    return [
        Component(name=name, state="up" if name == "gateway" else "unknown") for name in SERVICES
    ]
