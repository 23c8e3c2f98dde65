"""Puts together who may come in, and when: the keys and the turnstile."""

from dataclasses import dataclass

from spark_common.bus import Bus
from spark_common.clock import Clock
from spark_common.owner import LiveSettings
from spark_common.service import REGISTRY
from spark_gateway.keys.book import KeyBook
from spark_gateway.keys.doorkeeper import KeyDoorkeeper
from spark_gateway.keys.entrance import Entrance
from spark_gateway.keys.guesses import Guesses
from spark_gateway.keys.sessions import Sessions
from spark_gateway.keys.watch import KeyWatch
from spark_gateway.loaded_names import LoadedNames
from spark_gateway.queueing.caps import Caps
from spark_gateway.queueing.metrics import TurnstileCollector
from spark_gateway.queueing.turnstile import FairTurnstile
from spark_gateway.settings import GatewaySettings


@dataclass(frozen=True)
class Access:
    """The doors of both planes, what keeps the keys the newest, and the line."""

    entrance: Entrance
    keys: KeyWatch
    doorkeeper: KeyDoorkeeper
    turnstile: FairTurnstile


def wire_access(
    settings: GatewaySettings, live: LiveSettings, names: LoadedNames, bus: Bus, clock: Clock
) -> Access:
    """Wire it; no key is known yet."""
    keys_now = live.of(settings.keys)
    book = KeyBook(clock, names)
    caps = Caps(live.of(settings.queue))
    turnstile = FairTurnstile(
        caps.of,
        caps.bounds,
        clock.monotonic,
        capped=lambda: caps.any() or book.limits_concurrency,
    )
    REGISTRY.register(TurnstileCollector(turnstile))
    return Access(
        Entrance(keys_now, book, Sessions(book, clock), Guesses(clock)),
        KeyWatch(bus, book, lambda: keys_now().api_keys, clock),
        KeyDoorkeeper(keys_now, book, lambda: turnstile.open),
        turnstile,
    )
