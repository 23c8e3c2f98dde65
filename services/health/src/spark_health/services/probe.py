"""Looks at one service: its port, and what is known of its container."""

from collections.abc import Callable
from dataclasses import dataclass

from spark_common.clock import Clock
from spark_health.deep.counters import Counters, read_counters
from spark_health.services.box_watch import BoxSight, BoxWatch
from spark_health.services.boxes import LOOK_SECONDS
from spark_health.services.clients import Clients
from spark_health.services.service import Service
from spark_health.services.verdict import of_container, of_port
from spark_health.services.versions import Versions
from spark_health.watching.first.http_look import look
from spark_health.watching.ports import Sighting, Target


@dataclass(frozen=True)
class Means:
    """What every look needs."""

    boxes: BoxWatch
    versions: Versions
    clients: Clients
    clock: Clock
    every_seconds: float


class BoxedProbe:
    """One service; where it is and what it is in is asked for every time."""

    def __init__(self, service: Callable[[], Service], means: Means) -> None:
        self.every_seconds = means.every_seconds
        self._service = service
        self._means = means
        self._silent_since: float | None = None
        self._counted: Counters | None = None

    @property
    def target(self) -> Target:
        """The service where it is now."""
        one = self._service()
        return Target(one.name, "service", one.label, one.spark, one.url)

    @property
    def silent(self) -> bool:
        """Whether it took a connection and did not answer when it was looked at last."""
        return self._silent_since is not None

    async def look(self) -> Sighting:
        """Look once."""
        service, means = self._service(), self._means
        sight = self._sight(service)
        fresh = sight.age_seconds <= 3 * means.every_seconds + LOOK_SECONDS
        facts: dict[str, str | int] = {}
        if sight.known and fresh:
            facts["container"] = sight.box.state if sight.box is not None else "missing"
            if sight.recent_restarts:
                facts["recent_restarts"] = sight.recent_restarts
        if service.url is None:
            state, reason = of_container(service, sight, fresh)
            return Sighting(state, reason, sight.seen_at or means.clock.now(), facts)
        began = means.clock.monotonic()
        seen = await look(means.clients.of(service), service.url + service.path)
        now = means.clock.monotonic()
        if seen.outcome != "silent":
            self._silent_since = None
        elif self._silent_since is None:
            self._silent_since = began
        if seen.outcome == "answered":
            facts["http_status"] = seen.status
            facts["http_ms"] = round((now - began) * 1000)
        state, reason = of_port(
            service,
            seen,
            sight,
            fresh=fresh,
            silent_seconds=now - self._silent_since if self._silent_since is not None else 0.0,
            moved=await self._moved(service),
        )
        if seen.ok:
            run = sight.box.started_at if sight.box is not None else ""
            await means.versions.refresh(service, run)
        return Sighting(state, reason, means.clock.now(), facts)

    def _sight(self, service: Service) -> BoxSight:
        if service.login is None or service.container is None:
            return BoxSight()
        return self._means.boxes.sight(service.login, service.container)

    async def _moved(self, service: Service) -> bool:
        """Say whether a vLLM did something since the last look."""
        if service.kind != "vllm" or service.url is None:
            return False
        answer = await look(self._means.clients.of(service), f"{service.url}/metrics")
        if not answer.ok:
            return False
        before, self._counted = self._counted, read_counters(answer.body)
        return before is not None and self._counted.moved_since(before)
