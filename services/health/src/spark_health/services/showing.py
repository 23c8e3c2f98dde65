"""One service as its tile shows it: from the watch over targets, from docker, from the record."""

from collections.abc import Callable, Iterable, Mapping

from spark_common.contracts.health import TargetView
from spark_common.contracts.services import ContainerView, LastAction, ServiceView
from spark_health.services.acts import Act
from spark_health.services.box_watch import BoxSight, BoxWatch
from spark_health.services.service import Service
from spark_health.services.versions import Versions

_STALE_SECONDS = 60.0


class ServiceShow:
    """Knows where what a tile shows comes from."""

    def __init__(
        self,
        boxes: BoxWatch,
        versions: Versions,
        target: Callable[[str], TargetView | None],
    ) -> None:
        self._boxes = boxes
        self._versions = versions
        self._target = target

    def containers(self, services: Iterable[Service]) -> dict[str, ContainerView]:
        """Return the container of every one that has one, by its name."""
        sights = ((one, self._sight(one)) for one in services)
        return {
            one.name: container_view(str(one.container), sight)
            for one, sight in sights
            if sight is not None
        }

    def view(
        self, service: Service, acting: Mapping[str, Act], last: Mapping[str, LastAction]
    ) -> ServiceView:
        """Return it; what nobody looked at yet is unknown."""
        seen = self._target(service.name)
        sight = self._sight(service)
        milliseconds = seen.facts.get("http_ms") if seen is not None else None
        act = acting.get(service.name)
        return ServiceView(
            name=service.name,
            label=service.label,
            kind=service.kind,
            origin=service.origin,
            state=seen.state if seen is not None else "unknown",
            reason=seen.reason if seen is not None else "nobody looked at it yet",
            since=seen.since if seen is not None else None,
            for_seconds=seen.for_seconds if seen is not None else None,
            stale=seen.stale if seen is not None else False,
            age_seconds=seen.age_seconds if seen is not None else None,
            host=service.spark,
            address=service.address,
            port=service.port,
            url=service.url,
            http_ms=milliseconds if isinstance(milliseconds, int) else None,
            version=self._versions.of(service, sight.box if sight is not None else None),
            container=None if sight is None else container_view(str(service.container), sight),
            actions=list(service.actions),
            has_logs=service.has_container,
            removable=service.origin == "custom",
            acting=act.action if act is not None else None,
            last_action=last.get(service.name),
        )

    def _sight(self, service: Service) -> BoxSight | None:
        if service.login is None or service.container is None:
            return None
        return self._boxes.sight(service.login, service.container)


def container_view(name: str, sight: BoxSight) -> ContainerView:
    """Return what is true to show of a container: what is old is unknown."""
    if not sight.known or sight.age_seconds > _STALE_SECONDS:
        problem = sight.problem or "docker was not asked yet"
        return ContainerView(name=name, state="unknown", problem=problem, seen_at=sight.seen_at)
    box = sight.box
    if box is None:
        return ContainerView(
            name=name, state="missing", problem=sight.problem, seen_at=sight.seen_at
        )  # fmt: skip
    return ContainerView(
        name=name,
        state=box.state,
        problem=sight.problem,
        restart_count=box.restarts,
        recent_restarts=sight.recent_restarts,
        crash_loop=sight.looping,
        health=box.health,
        started_at=box.started,
        up_seconds=box.up_seconds,
        exit_code=None if box.state == "running" else box.exit_code,
        out_of_memory=box.out_of_memory,
        restart_policy=box.policy,
        image=box.image,
        seen_at=sight.seen_at,
    )
