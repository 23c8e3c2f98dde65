"""Puts the API keys together."""

from collections.abc import Callable

from redis.asyncio import Redis

from spark_common.bus.port import Bus
from spark_common.clock import Clock
from spark_common.settings.policies import KeySettings
from spark_coordinator.api_keys.registry import KeyRegistry
from spark_coordinator.api_keys.state import KeysAsState
from spark_coordinator.api_keys.store import KeyStore
from spark_coordinator.api_keys.verbs import KeyVerbs
from spark_coordinator.feature import Feature


def api_keys(
    redis: Redis, bus: Bus, clock: Clock, settings: Callable[[], KeySettings]
) -> tuple[Feature, KeysAsState]:
    """Return the feature, and what an export and an import of the state need."""
    store = KeyStore(redis)
    registry = KeyRegistry(store, bus, clock, lambda: settings().api_keys)
    return Feature(verbs=KeyVerbs(store, registry).verbs()), KeysAsState(store, registry)
