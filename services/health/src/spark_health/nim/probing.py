"""Looks at installed NIMs as at every other service."""

from collections.abc import Callable, Sequence

import httpx

from spark_common.clock import Clock
from spark_common.contracts.nim import NimService
from spark_common.errors import UnavailableError
from spark_common.settings import HostsSettings
from spark_health.watching.first.service_probe import Place, ServiceProbe
from spark_health.watching.ports import Probe


def address_of(service: NimService, hosts: HostsSettings) -> str | None:
    """Return the address of the Spark it is on; None when that is no longer ours."""
    return next((host.address for host in hosts.hosts if host.name == service.host), None)


def url_of(address: str, port: int) -> str:
    """Return where it answers."""
    return f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"


def nim_probes(
    services: Callable[[], Sequence[NimService]],
    hosts: HostsSettings,
    client: httpx.AsyncClient,
    clock: Clock,
    every_seconds: float,
) -> Callable[[], Sequence[Probe]]:
    """Return what says which probes are wanted now."""
    made: dict[str, tuple[NimService, Probe]] = {}

    def now() -> Sequence[Probe]:
        try:
            listed = {one.name: one for one in services()}
        except UnavailableError:
            # What was known is watched on.
            return [probe for _, probe in made.values()]
        for name in [name for name, (known, _) in made.items() if listed.get(name) != known]:
            del made[name]
        for name, one in listed.items():
            address = address_of(one, hosts)
            if name not in made and address is not None:
                place = Place(name, one.label, address, one.port, one.health_path, one.host)
                probe = ServiceProbe(lambda place=place: place, client, clock, every_seconds)  # type: ignore[misc]
                made[name] = (one, probe)
        return [probe for _, probe in made.values()]

    return now
