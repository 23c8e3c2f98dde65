"""What Prometheus is told of the containers of services."""

from collections.abc import Callable, Mapping
from typing import Final, get_args

from prometheus_client import Gauge

from spark_common.clock import Clock
from spark_common.contracts.services import ContainerView
from spark_common.service.metrics import REGISTRY

_EVERY_SECONDS: Final = 5.0
_STATES: Final = get_args(ContainerView.model_fields["state"].annotation)

_STATE = Gauge(
    "spark_health_container_state",
    "1 for the state of a service's container in docker's word, 0 for the others",
    ["target", "state"],
    registry=REGISTRY,
)
_RESTARTS = Gauge(
    "spark_health_container_restarts",
    "Restarts by docker's own policy since somebody started the container; absent while unknown",
    ["target"],
    registry=REGISTRY,
)
_LOOP = Gauge(
    "spark_health_container_crash_loop",
    "1 while the container of a service ends soon after every start",
    ["target"],
    registry=REGISTRY,
)


class ContainerNumbers:
    """Shows the containers as their tiles do."""

    def __init__(self, views: Callable[[], Mapping[str, ContainerView]], clock: Clock) -> None:
        """``views``: every container there is a tile of now, by its service."""
        self._views = views
        self._clock = clock
        self._shown: set[str] = set()

    async def run(self) -> None:
        """Show for ever."""
        while True:
            self.turn()
            await self._clock.sleep(_EVERY_SECONDS)

    def turn(self) -> None:
        """Show what is so now."""
        views = self._views()
        for gone in self._shown - set(views):
            for state in _STATES:
                _drop(_STATE, gone, state)
            _drop(_RESTARTS, gone)
            _drop(_LOOP, gone)
        self._shown = set(views)
        for name, view in views.items():
            for state in _STATES:
                _STATE.labels(name, state).set(view.state == state)
            _LOOP.labels(name).set(view.crash_loop)
            if view.restart_count is None:
                _drop(_RESTARTS, name)
            else:
                _RESTARTS.labels(name).set(view.restart_count)


def _drop(gauge: Gauge, *labels: str) -> None:
    try:
        gauge.remove(*labels)
    except KeyError:
        return
