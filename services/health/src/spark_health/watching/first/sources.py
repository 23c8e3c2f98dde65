"""The probes of services that are there without any other feature."""

from collections.abc import Callable, Sequence

import httpx

from spark_common.bus.port import Bus
from spark_common.clock import Clock
from spark_health.settings import WatchPace
from spark_health.watching.first.places import Places
from spark_health.watching.first.service_probe import Place, ServiceProbe
from spark_health.watching.first.vllm_probe import VllmProbe
from spark_health.watching.ports import Probe


def first_probes(
    places: Places,
    client: httpx.AsyncClient,
    bus: Bus,
    clock: Clock,
    pace: WatchPace,
) -> Callable[[], Sequence[Probe]]:
    """Return what says which probes are wanted now; what is hidden has none."""
    made: dict[str, Probe] = {}
    every = pace.health_look_seconds

    def at(name: str, known: Place) -> Callable[[], Place]:
        """Where a service is; where it was, while it is taken away."""
        return lambda: places.all().get(name, known)

    def now() -> Sequence[Probe]:
        hidden = places.disabled()
        wanted = {name: place for name, place in places.all().items() if name not in hidden}
        for name in set(made) - set(wanted):
            del made[name]
        for name, place in wanted.items():
            if name not in made:
                where = at(name, place)
                made[name] = (
                    VllmProbe(where, client, bus, clock, every)
                    if name == "vllm"
                    else ServiceProbe(where, client, clock, every)
                )
        return list(made.values())

    return now
