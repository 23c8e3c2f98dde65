"""Puts together who may wait for a model: after everybody else who listens to the same news."""

from spark_common.bus import Bus
from spark_common.clock import Clock
from spark_common.owner import LiveSettings
from spark_common.service import REGISTRY
from spark_gateway.front import Front
from spark_gateway.holding.building import build_holding
from spark_gateway.holding.holding import Holding
from spark_gateway.holding.metrics import HoldingCollector
from spark_gateway.settings import GatewaySettings
from spark_gateway.wiring.access import Access
from spark_gateway.wiring.following import Following
from spark_gateway.wiring.models import Models


def wire_holding(
    settings: GatewaySettings,
    live: LiveSettings,
    models: Models,
    access: Access,
    following: Following,
    front: Front,
    bus: Bus,
    clock: Clock,
) -> Holding:
    """Wire it; ``models`` listens already, so that it knows first what came."""
    holding = build_holding(
        bus,
        front.hub,
        front.board,
        models.router,
        models.watch,
        models.catalogue,
        models.names,
        following.meters,
        access.turnstile.waiting,
        live.of(settings.hold),
        clock,
    )
    REGISTRY.register(HoldingCollector(holding))
    return holding
