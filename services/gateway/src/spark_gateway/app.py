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
from spark_common.settings.support import EmbedSettings
from spark_gateway.allowed_hosts import AllowedHosts
from spark_gateway.catalogue import Catalogue
from spark_gateway.dashboard_files import read_dashboard
from spark_gateway.dataplane.body_limits import by_route
from spark_gateway.dataplane.choosing import ModelChooser
from spark_gateway.dataplane.desk import FrontDesk
from spark_gateway.dataplane.limits import Limits
from spark_gateway.dataplane.meters import Meters, MetersCollector
from spark_gateway.dataplane.own_question import OwnQuestion
from spark_gateway.dataplane.ports import Upstream, UpstreamNow
from spark_gateway.dataplane.protocol import make_protocol
from spark_gateway.dataplane.reservation import Reservation
from spark_gateway.dataplane.router import SwapAwareRouter
from spark_gateway.dataplane.upstreams import Upstreams, embedder, redaction, speech
from spark_gateway.dataplane.watch import Served, UpstreamWatch
from spark_gateway.explaining.model_chat import ModelChat, UpstreamChat
from spark_gateway.holding.metrics import HoldingCollector
from spark_gateway.holding.wiring import build_holding
from spark_gateway.http_app import build_http
from spark_gateway.keys.book import KeyBook
from spark_gateway.keys.cutting import cuts
from spark_gateway.keys.doorkeeper import KeyDoorkeeper
from spark_gateway.keys.entrance import Entrance, open_entrance
from spark_gateway.keys.sessions import Sessions
from spark_gateway.keys.watch import KeyWatch
from spark_gateway.late_bus import LateBus
from spark_gateway.lease_watch import LeaseWatch
from spark_gateway.loaded_names import LoadedNames
from spark_gateway.metering.capture import CaptureDesk
from spark_gateway.metering.collector import BooksCollector
from spark_gateway.metering.metering import Metering
from spark_gateway.metering.request_log import RequestLog
from spark_gateway.origin_guard import OriginGuard
from spark_gateway.parts import Parts
from spark_gateway.preflight import PreflightRouter
from spark_gateway.queueing.caps import Caps
from spark_gateway.queueing.metrics import TurnstileCollector
from spark_gateway.queueing.turnstile import FairTurnstile
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


async def build(settings: GatewaySettings, clock: Clock) -> Service:
    """Wire the whole gateway. Nothing here waits for NATS, Redis or a Spark to answer."""
    read_seed(settings.bus.seed_file)
    bus = LateBus(lambda: connect_bus(settings.bus, NAME, clock), clock)
    host = settings.cluster.hosts[0]
    live = LiveSettings(BusOverlay(bus), bus, clock)
    upstream = _upstream_now(host.address, live.of(settings.cluster.runtime))
    inner = settings.inner
    upstreams = Upstreams(
        llm=upstream,
        embed=embedder(_embed_address(settings.cluster.beside.address, live.of(settings.embed))),
        audio=speech(inner.audio_proxy_host, inner.audio_proxy_port),
        redaction=redaction(inner.redaction_host, inner.redaction_port),
    )
    router = SwapAwareRouter(upstream, clock, node=host.name)
    client = httpx.AsyncClient(trust_env=False)

    def seen(served: Served) -> None:
        router.set_serving(served.state == "serving")
        holding.look()

    watch = UpstreamWatch(upstream, client, clock, tell=seen)
    beside = UpstreamWatch(upstreams.embed, client, clock)
    stopping = asyncio.Event()
    naming = live.of(settings.names)
    page = live.of(settings.page)
    catalogue = Catalogue(
        loaded=lambda: watch.served,
        beside=lambda: beside.served,
        aliases=lambda: naming().model_aliases,
        lists_menu=lambda: naming().list_menu,
        hidden=lambda: page().disabled_services,
        made_at=int(clock.now().timestamp()),
    )

    data_path = live.of(settings.data_path)
    log_policy = live.of(settings.request_log)

    def binds_requests() -> bool:
        return data_path().lease_binds_requests

    names = LoadedNames(watch.models)
    keys_now, queue_now = live.of(settings.keys), live.of(settings.queue)
    book = KeyBook(clock, names)
    keys = KeyWatch(bus, book, lambda: keys_now().api_keys, clock)
    caps = Caps(queue_now)
    turnstile = FairTurnstile(
        caps.of,
        caps.bounds,
        clock.monotonic,
        capped=lambda: caps.any() or book.limits_concurrency,
    )

    def wants_log() -> bool:
        return log_policy().request_log_days > 0

    def served_name() -> str:
        return next((model.id for model in watch.models()), "")

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
        catalogue=catalogue,
        hosts=AllowedHosts(settings.allowed_hosts),
        guard=OriginGuard(settings.trusted_proxies),
        entrance=Entrance(keys_now, book, Sessions(book, clock)),
        demo=settings.demo,
        stopping=stopping,
    )
    feed = TrafficFeed(router, watch)
    front.hub.on_entry(feed.on_entry)
    front.board.on_picture(feed.on_picture)
    front.board.on_picture(catalogue.on_picture)
    front.hub.on_entry(names.on_entry)
    front.board.on_picture(names.on_picture)
    lease = LeaseWatch(bus, binds_requests, clock)
    meters = Meters()
    REGISTRY.register(MetersCollector(meters))
    REGISTRY.register(TurnstileCollector(turnstile))
    holding = build_holding(
        bus,
        front.hub,
        front.board,
        router,
        watch,
        catalogue,
        names,
        meters,
        turnstile.waiting,
        live.of(settings.hold),
        clock,
    )
    REGISTRY.register(HoldingCollector(holding))
    request_log = RequestLog(bus, clock, wants_log)
    capture = CaptureDesk(bus, clock)
    metering = Metering(clock, served_name, request_log.add, capture)
    REGISTRY.register(BooksCollector(metering.settle, metering.now, request_log))
    own = OwnQuestion(upstream, settings.http.bind_host, settings.http.bind_port)
    desk = TrafficDesk(meters, router, own, client, clock)
    checks = (refusals_check(bus), keys.check)

    protocol = make_protocol(
        FrontDesk(
            ModelChooser(
                PreflightRouter(router),
                upstreams,
                catalogue,
                Reservation(lease.binding, names, clock),
                names,
                waits=holding.may_wait,
            ),
            own,
            doorkeeper=KeyDoorkeeper(keys_now, book, lambda: turnstile.open),
            away=holding,
            turnstile=turnstile,
        ),
        Limits(),
        meters,
        served_name,
        metering.watch,
        body_limit=by_route(queue_now),
    )
    book.on_closed(cuts(protocol.plane))

    async def end_streams() -> None:
        await stopping.wait()
        front.hub.close()
        front.jobs.close()
        front.events.close()
        await asyncio.Event().wait()

    async def close() -> None:
        metering.settle()
        await request_log.close()
        await client.aclose()
        await search_client.aclose()
        await bus.close()

    return Service(
        NAME,
        # Not whether NATS is there: /v1 and the page work without it, and a probe must not take
        # them away. A subject that NATS refuses us is a mistake of who set it up, and shows.
        checks=checks,
        app=front.http,
        http_protocol=protocol,
        background=(
            bus.run,
            live.run,
            front.hub.run,
            front.jobs.run,
            front.board.run,
            front.bulletins.run,
            front.events.run,
            watch.run,
            beside.run,
            lease.run,
            keys.run,
            desk.run,
            holding.run,
            metering.run,
            request_log.run,
            capture.run,
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


def _embed_address(spark: str, embed: Callable[[], EmbedSettings]) -> Callable[[], tuple[str, int]]:
    def now() -> tuple[str, int]:
        settings = embed()
        return settings.embed_host or spark, settings.embed_port

    return now


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
