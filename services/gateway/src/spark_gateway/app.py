"""The composition root: the one place that knows every concrete part of the gateway."""

import asyncio
from collections.abc import Callable, Sequence
from importlib.metadata import version

from spark_common.bus import Bus, Serving
from spark_common.bus.late import LateBus
from spark_common.bus.nats import connect_bus
from spark_common.bus.nats_link import read_seed
from spark_common.clock import Clock
from spark_common.errors import UnavailableError
from spark_common.owner import BusOverlay, LiveSettings
from spark_common.plain_http import plain_client
from spark_common.service import ReadyCheck, Service, answer_about, refusals_check
from spark_gateway.allowed_hosts import AllowedHosts
from spark_gateway.dataplane.body_limits import by_route
from spark_gateway.dataplane.choosing import ModelChooser
from spark_gateway.dataplane.desk import FrontDesk
from spark_gateway.dataplane.limits import Limits
from spark_gateway.dataplane.own_question import OwnQuestion
from spark_gateway.dataplane.protocol import make_protocol
from spark_gateway.dataplane.reservation import Reservation
from spark_gateway.explaining.model_chat import UpstreamChat
from spark_gateway.front import build_front
from spark_gateway.keys.cutting import cuts
from spark_gateway.lease_watch import LeaseWatch
from spark_gateway.origin_guard import OriginGuard
from spark_gateway.preflight import PreflightRouter
from spark_gateway.search.asking import make_client
from spark_gateway.search.wiring import build_search
from spark_gateway.settings import GatewaySettings
from spark_gateway.traffic_desk import TrafficDesk
from spark_gateway.wiring.access import wire_access
from spark_gateway.wiring.following import wire_following
from spark_gateway.wiring.holding import wire_holding
from spark_gateway.wiring.models import wire_models

NAME = "gateway"
_RETRY_SECONDS = 0.5


async def build(settings: GatewaySettings, clock: Clock) -> Service:
    """Wire the whole gateway. Nothing here waits for NATS, Redis or a Spark to answer."""
    read_seed(settings.bus.seed_file)
    bus = LateBus(lambda: connect_bus(settings.bus, NAME, clock), clock)
    live = LiveSettings(BusOverlay(bus), bus, clock)
    client, search_client = plain_client(), make_client()
    stopping = asyncio.Event()
    models = wire_models(settings, live, client, clock)
    access = wire_access(settings, live, models.names, bus, clock)
    following = wire_following(settings, live, models.served_name, bus, clock)
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
        models.watch,
        UpstreamChat(models.upstreams.llm, client),
        search,
        catalogue=models.catalogue,
        hosts=AllowedHosts(settings.allowed_hosts),
        guard=OriginGuard(settings.trusted_proxies),
        entrance=access.entrance,
        demo=settings.demo,
        stopping=stopping,
    )
    models.listen(front)
    data_path = live.of(settings.data_path)
    lease = LeaseWatch(bus, lambda: data_path().lease_binds_requests, clock)
    own = OwnQuestion(models.upstreams.llm, settings.http.bind_host, settings.http.bind_port)
    desk = TrafficDesk(following.meters, models.router, own, client, clock)
    checks = (refusals_check(bus), access.keys.check)
    holding = wire_holding(settings, live, models, access, following, front, bus, clock)
    protocol = make_protocol(
        FrontDesk(
            ModelChooser(
                PreflightRouter(models.router),
                models.upstreams,
                models.catalogue,
                Reservation(lease.binding, models.names, clock),
                models.names,
                waits=holding.may_wait,
            ),
            own,
            doorkeeper=access.doorkeeper,
            away=holding,
            turnstile=access.turnstile,
        ),
        Limits(),
        following.meters,
        models.served_name,
        following.metering.watch,
        body_limit=by_route(live.of(settings.queue)),
    )
    access.entrance.book.on_closed(cuts(protocol.plane))

    async def end_streams() -> None:
        await stopping.wait()
        front.close()
        await asyncio.Event().wait()

    async def close() -> None:
        await following.close()
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
            *front.background,
            models.watch.run,
            models.beside.run,
            models.speech.run,
            lease.run,
            access.keys.run,
            desk.run,
            holding.run,
            following.metering.run,
            following.log.run,
            following.capture.run,
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
