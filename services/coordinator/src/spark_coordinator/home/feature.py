"""Puts the home model together."""

from collections.abc import Callable

from redis.asyncio import Redis

from spark_common.bus.port import Bus, Serving
from spark_common.clock import Clock
from spark_common.contracts.home import GET_HOME
from spark_coordinator.feature import Feature
from spark_coordinator.home.scenery import Calendar, Scenery
from spark_coordinator.home.settings import HomeSettings
from spark_coordinator.home.watch import HomeWatch
from spark_coordinator.leading import Leadership


def home(bus: Bus, redis: Redis, clock: Clock, settings: Callable[[], HomeSettings]) -> Feature:
    """Return the feature: one verb, and the look that brings the home model back."""
    leadership = Leadership(redis, "home", clock)
    scenery = Scenery(bus, Calendar(bus, clock), clock)
    watch = HomeWatch(bus, scenery, settings, leadership, clock)
    return Feature(verbs=[Serving(GET_HOME, watch.get)], background=[leadership.run, watch.run])
