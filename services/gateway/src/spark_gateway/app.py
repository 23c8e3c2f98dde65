"""The composition root: the one place that knows every concrete part of the gateway."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version

import httpx
from starlette.types import ASGIApp

from spark_common.bus import Bus, Serving
from spark_common.bus.nats import connect_bus
from spark_common.bus.nats_link import read_seed
from spark_common.clock import Clock
from spark_common.errors import UnavailableError
from spark_common.owner import BusOverlay, LiveSettings
from spark_common.service import (
    REGISTRY,
    ReadyCheck,
    Service,
    answer_about,
    refusals_check,
)
from spark_common.settings import RuntimeSettings
from spark_gateway.allowed_hosts import AllowedHosts
from spark_gateway.dashboard_files import read_dashboard
from spark_gateway.dataplane.limits import Limits
from spark_gateway.dataplane.meters import Meters, MetersCollector
from spark_gateway.dataplane.own_question import OwnQuestion
from spark_gateway.dataplane.ports import Upstream, UpstreamNow
from spark_gateway.dataplane.protocol import make_protocol
from spark_gateway.dataplane.reservation import Reservation
from spark_gateway.dataplane.router import SwapAwareRouter
from spark_gateway.dataplane.watch import UpstreamWatch
from spark_gateway.explaining.model_chat import ModelChat, UpstreamChat
from spark_gateway.http_app import build_http
from spark_gateway.late_bus import LateBus
from spark_gateway.lease_watch import LeaseWatch
from spark_gateway.loaded_names import LoadedNames
from spark_gateway.origin_guard import OriginGuard
from spark_gateway.parts import Parts
from spark_gateway.preflight import PreflightRouter
from spark_gateway.search.asking import make_client
from spark_gateway.search.wiring import Search, build_search
from spark_gateway.served import ServedModels
from spark_gateway.settings import GatewaySettings
from spark_gateway.streams.board import Board
from spark_gateway.streams.bulletins import Bulletins
from spark_gateway.streams.event_log import EventLog
from spark_gateway.streams.hub import Hub, jobs_hub
from spark_gateway.traffic_desk import TrafficDesk
from spark_gateway.traffic_feed import TrafficFeed

NAME = "gateway"
_RETRY_SECONDS = 0.5


@dataclass(frozen=True)
class Front:
    """The control plane's side: the application and the loops that feed its streams."""

    http: ASGIApp
    hub: Hub
    jobs: Hub
    board: Board
    bulletins: Bulletins
    events: EventLog


def build_front(
    bus: Bus,
    clock: Clock,
    served: ServedModels,
    chat: ModelChat,
    search: Search,
    *,
    hosts: AllowedHosts | None = None,
    guard: OriginGuard | None = None,
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
        chat=chat,
        origin_guard=guard or OriginGuard(),
        version=own_version,
        events=events,
        search=search,
        stopping=stopping or asyncio.Event(),
    )
    http = build_http(parts, hosts or AllowedHosts(), read_dashboard())
    return Front(http, hub, jobs, board, Bulletins(bus, clock, hub, board), events)


async def build(settings: GatewaySettings, clock: Clock) -> Service:
    """Wire the whole gateway. Nothing here waits for NATS, Redis or a Spark to answer."""
    read_seed(settings.bus.seed_file)
    bus = LateBus(lambda: connect_bus(settings.bus, NAME, clock), clock)
    host = settings.cluster.hosts[0]
    live = LiveSettings(BusOverlay(bus), bus, clock)
    upstream = _upstream_now(host.address, live.of(settings.cluster.runtime))
    router = SwapAwareRouter(upstream, clock, node=host.name)
    client = httpx.AsyncClient(trust_env=False)
    watch = UpstreamWatch(
        upstream, client, clock, tell=lambda served: router.set_serving(served.state == "serving")
    )
    stopping = asyncio.Event()

    data_path = live.of(settings.data_path)

    def binds_requests() -> bool:
        return data_path().lease_binds_requests

    search_client = make_client()
    search = build_search(
        live.of(settings.embed),
        live.of(settings.qdrant),
        settings.cluster.beside.address,
        search_client,
        clock,
    )
    front = build_front(
        bus,
        clock,
        watch,
        UpstreamChat(upstream, client),
        search,
        hosts=AllowedHosts(settings.allowed_hosts),
        guard=OriginGuard(settings.trusted_proxies),
        demo=settings.demo,
        stopping=stopping,
    )
    feed = TrafficFeed(router, watch)
    front.hub.on_entry(feed.on_entry)
    front.board.on_picture(feed.on_picture)
    names = LoadedNames(watch.models)
    front.hub.on_entry(names.on_entry)
    front.board.on_picture(names.on_picture)
    lease = LeaseWatch(bus, binds_requests, clock)
    meters = Meters()
    REGISTRY.register(MetersCollector(meters))
    own = OwnQuestion(upstream, settings.http.bind_host, settings.http.bind_port)
    desk = TrafficDesk(meters, router, own, client, clock)
    checks = (refusals_check(bus),)

    def served_name() -> str:
        return next((model.id for model in watch.models()), "")

    async def end_streams() -> None:
        await stopping.wait()
        front.hub.close()
        front.jobs.close()
        front.events.close()
        await asyncio.Event().wait()

    async def close() -> None:
        await client.aclose()
        await search_client.aclose()
        await bus.close()

    return Service(
        NAME,
        # Not whether NATS is there: /v1 and the page work without it, and a probe must not take
        # them away. A subject that NATS refuses us is a mistake of who set it up, and shows.
        checks=checks,
        app=front.http,
        http_protocol=make_protocol(
            PreflightRouter(router),
            Limits(),
            meters,
            own,
            served_name,
            Reservation(lease.binding, names, clock),
        ),
        background=(
            bus.run,
            live.run,
            front.hub.run,
            front.jobs.run,
            front.board.run,
            front.bulletins.run,
            front.events.run,
            watch.run,
            lease.run,
            desk.run,
            lambda: announce(
                bus,
                clock,
                (*desk.verbs(), *search.snapshots.verbs()),
                checks,
                lambda: (*settings.warnings, *live.warnings),
            ),
            end_streams,
        ),
        close=close,
        stopping=stopping,
    )


def _upstream_now(host: str, runtime: Callable[[], RuntimeSettings]) -> UpstreamNow:
    known: dict[int, Upstream] = {}

    def now() -> Upstream:
        port = runtime().vllm_port
        upstream = known.get(port)
        if upstream is None:
            upstream = known[port] = Upstream(host, port)
        return upstream

    return now


async def announce(
    bus: Bus,
    clock: Clock,
    verbs: Sequence[Serving] = (),
    checks: Sequence[ReadyCheck] = (),
    warnings: Callable[[], Sequence[str]] = tuple,
) -> None:
    """Answer for the gateway on the bus, so that it is found there like every service."""
    about = answer_about(NAME, checks, clock, warnings)
    while True:
        try:
            await bus.serve(NAME, version("spark-gateway"), "the public port", (*verbs, about))
            break
        except UnavailableError:
            await clock.sleep(_RETRY_SECONDS)
    await asyncio.Event().wait()
