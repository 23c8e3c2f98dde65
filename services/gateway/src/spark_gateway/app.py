"""The composition root: the one place that knows every concrete part of the gateway."""

from dataclasses import dataclass
from importlib.metadata import version

from starlette.types import ASGIApp

from spark_common.bus import Bus
from spark_common.clock import Clock
from spark_gateway.allowed_hosts import AllowedHosts
from spark_gateway.dashboard_files import read_dashboard
from spark_gateway.http_app import build_http
from spark_gateway.origin_guard import OriginGuard
from spark_gateway.parts import Parts
from spark_gateway.served import ServedModels
from spark_gateway.streams.board import Board
from spark_gateway.streams.hub import Hub


@dataclass(frozen=True)
class Front:
    """The control plane's side: the application and the loops that feed its streams."""

    http: ASGIApp
    hub: Hub
    board: Board


def build_front(
    bus: Bus,
    clock: Clock,
    served: ServedModels,
    *,
    hosts: AllowedHosts | None = None,
    guard: OriginGuard | None = None,
    demo: bool = False,
) -> Front:
    """Wire dashboard, ``/api`` and the event streams to a bus."""
    own_version = version("spark-gateway")
    hub = Hub(bus, clock)
    board = Board(bus, hub, clock, version=own_version, demo=demo)
    parts = Parts(
        bus=bus,
        clock=clock,
        hub=hub,
        board=board,
        served=served,
        origin_guard=guard or OriginGuard(),
        version=own_version,
    )
    return Front(build_http(parts, hosts or AllowedHosts(), read_dashboard()), hub, board)
