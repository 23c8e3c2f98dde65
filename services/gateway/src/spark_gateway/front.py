"""Puts the control plane's side together: dashboard, ``/api`` and the event streams."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib.metadata import version

from starlette.types import ASGIApp

from spark_common.bus import Bus
from spark_common.clock import Clock
from spark_gateway.allowed_hosts import AllowedHosts
from spark_gateway.catalogue import Catalogue
from spark_gateway.dashboard_files import read_dashboard
from spark_gateway.explaining.model_chat import ModelChat
from spark_gateway.http_app import build_http
from spark_gateway.keys.entrance import Entrance, open_entrance
from spark_gateway.origin_guard import OriginGuard
from spark_gateway.parts import Parts
from spark_gateway.search.wiring import Search
from spark_gateway.served import ServedModels
from spark_gateway.streams.board import Board
from spark_gateway.streams.bulletins import Bulletins
from spark_gateway.streams.event_log import EventLog
from spark_gateway.streams.hub import Hub, jobs_hub


@dataclass(frozen=True)
class Front:
    """The control plane's side: the application and the loops that feed its streams."""

    http: ASGIApp
    hub: Hub
    jobs: Hub
    board: Board
    bulletins: Bulletins
    events: EventLog

    @property
    def background(self) -> tuple[Callable[[], Awaitable[None]], ...]:
        """The loops that feed the streams."""
        feeding = (self.hub, self.jobs, self.board, self.bulletins, self.events)
        return tuple(part.run for part in feeding)

    def close(self) -> None:
        """End every event stream."""
        self.hub.close()
        self.jobs.close()
        self.events.close()


def build_front(
    bus: Bus,
    clock: Clock,
    served: ServedModels,
    chat: ModelChat,
    search: Search,
    *,
    catalogue: Catalogue,
    hosts: AllowedHosts | None = None,
    guard: OriginGuard | None = None,
    entrance: Entrance | None = None,
    demo: bool = False,
    stopping: asyncio.Event | None = None,
) -> Front:
    """Wire dashboard, ``/api`` and the event streams to a bus."""
    own_version = version("spark-gateway")
    hub = Hub(bus, clock)
    jobs = jobs_hub(bus, clock)
    board = Board(bus, hub, jobs, clock, version=own_version, demo=demo)
    events = EventLog(bus, clock)
    parts = Parts(
        bus=bus,
        clock=clock,
        hub=hub,
        jobs=jobs,
        board=board,
        served=served,
        catalogue=catalogue,
        chat=chat,
        origin_guard=guard or OriginGuard(),
        version=own_version,
        events=events,
        entrance=entrance or open_entrance(clock),
        search=search,
        stopping=stopping or asyncio.Event(),
    )
    http = build_http(parts, hosts or AllowedHosts(), read_dashboard())
    return Front(http, hub, jobs, board, Bulletins(bus, clock, hub, board), events)
