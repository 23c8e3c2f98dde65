"""Which services are looked at now, and which containers that takes."""

from collections.abc import Callable, Sequence

from spark_health.services.box_watch import Wanted
from spark_health.services.logins import Login
from spark_health.services.probe import BoxedProbe, Means
from spark_health.services.registry import Registry
from spark_health.services.service import Service
from spark_health.watching.ports import Probe


class ServiceProbes:
    """One probe for each service, as long as it is on the list."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._made: dict[str, BoxedProbe] = {}
        self._known: dict[str, Service] = {}

    def with_means(self, means: Means) -> Callable[[], Sequence[Probe]]:
        """Return what says which probes are wanted now; that of the model is another one's."""

        def now() -> Sequence[Probe]:
            self._known = {
                name: one for name, one in self._registry.services().items() if name != "vllm"
            }
            for name in set(self._made) - set(self._known):
                del self._made[name]
            for name, one in self._known.items():
                if name not in self._made:
                    self._made[name] = BoxedProbe(self._at(name, one), means)
            return list(self._made.values())

        return now

    def containers(self) -> dict[Login, Wanted]:
        """Return the containers to look at, by login."""
        names: dict[Login, set[str]] = {}
        gpu: set[Login] = set()
        for name, one in self._registry.services().items():
            if one.login is None or one.container is None:
                continue
            names.setdefault(one.login, set()).add(one.container)
            probe = self._made.get(name)
            if one.blocks and probe is not None and probe.silent:
                gpu.add(one.login)
        return {login: Wanted(frozenset(found), login in gpu) for login, found in names.items()}

    def _at(self, name: str, known: Service) -> Callable[[], Service]:
        """Where a service is; where it was, while it is taken away."""
        return lambda: self._known.get(name, known)
