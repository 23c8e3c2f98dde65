"""Puts the parts together that let requests wait for a model."""

from collections.abc import Callable, Set

from spark_common.bus import Bus
from spark_common.clock import Clock
from spark_common.settings.policies import HoldSettings
from spark_gateway.catalogue import Catalogue
from spark_gateway.dataplane.meters import Meters
from spark_gateway.holding.asking import SwapAsker
from spark_gateway.holding.holding import Holding
from spark_gateway.holding.news import SwapNews
from spark_gateway.holding.on_demand import OnDemand, use_of
from spark_gateway.holding.there import Door, Look, There
from spark_gateway.streams.board import Board
from spark_gateway.streams.hub import Hub


def build_holding(
    bus: Bus,
    hub: Hub,
    board: Board,
    door: Door,
    look: Look,
    catalogue: Catalogue,
    loaded: Callable[[], Set[str]],
    meters: Meters,
    in_line: Callable[[str], int],
    settings: Callable[[], HoldSettings],
    clock: Clock,
) -> Holding:
    """Wire it to what hub and board hear anyway.

    Call it once everybody else listens there: what they believe is asked when news come.
    """
    news = SwapNews(clock)
    use = use_of(lambda: look.served.state == "serving", meters.in_flight, in_line)
    demand = OnDemand(SwapAsker(bus, clock), news, use, settings, board.poke, clock)
    there = There(door, look, catalogue, loaded)
    holding = Holding(settings, news, there, demand, clock, board.set_held)
    board.on_picture(demand.on_picture)
    board.on_picture(news.on_picture)
    board.on_accepted(news.on_accepted)
    hub.on_entry(news.on_entry)
    look.on_look(holding.look)
    return holding
