"""What Prometheus is told of remedies: what was done, what may still be, what was given up."""

from collections.abc import Callable, Mapping
from typing import Final

import structlog
from prometheus_client import Counter, Gauge

from spark_common.clock import Clock
from spark_common.errors import UnavailableError
from spark_common.events import ServiceAction
from spark_common.service.metrics import REGISTRY
from spark_health.deep.ports import Place
from spark_health.remedies.book import MOST, RemedyBook
from spark_health.remedies.modes import key_for

_EVERY_SECONDS: Final = 15.0
_log = structlog.get_logger()

_ACTIONS = Counter(
    "spark_health_actions",
    "What was done with services, each once: `done`, `failed`, `suggested`, `gave_up`",
    ["target", "action", "automatic", "outcome"],
    registry=REGISTRY,
)
_BUDGET = Gauge(
    "spark_health_remedy_budget_left",
    "Automatic restarts of a service that are left within this half hour",
    ["target"],
    registry=REGISTRY,
)
_OPEN = Gauge(
    "spark_health_remedy_circuit_open",
    "1 while a service is not restarted by itself any more until a person presses something",
    ["target"],
    registry=REGISTRY,
)


def told(event: ServiceAction) -> None:
    """Count something that was done with a service."""
    done = "done" if event.ok else "failed"
    outcome = done if event.decision == "acted" else event.decision
    automatic = "true" if event.automatic else "false"
    _ACTIONS.labels(event.service, event.action, automatic, outcome).inc()


class RemedyNumbers:
    """Shows budgets and circuits as the record has them, whichever process changed them."""

    def __init__(
        self, book: RemedyBook, places: Callable[[], Mapping[str, Place]], clock: Clock
    ) -> None:
        self._book = book
        self._places = places
        self._clock = clock
        self._shown: set[str] = set()

    async def run(self) -> None:
        """Show for ever."""
        while True:
            try:
                await self.turn()
            except UnavailableError as error:
                _log.debug("remedy.not_counted", reason=error.message)
            await self._clock.sleep(_EVERY_SECONDS)

    async def turn(self) -> None:
        """Show what is so now. Raises UnavailableError."""
        places = {
            name: place
            for name, place in self._places().items()
            if place.host is not None and place.container is not None
        }
        for gone in self._shown - set(places):
            _BUDGET.remove(gone)
            _OPEN.remove(gone)
        self._shown &= set(places)
        for name, place in places.items():
            key = key_for(place)
            left = MOST - len(await self._book.tries(key))
            is_open = await self._book.circuit(key) is not None
            _BUDGET.labels(name).set(max(0, left))
            _OPEN.labels(name).set(is_open)
            self._shown.add(name)
