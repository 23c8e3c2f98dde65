"""The composition root of health: the one place that knows every concrete class."""

from spark_common.bus.nats import connect_bus
from spark_common.clock import Clock
from spark_common.redis_access import connect_redis
from spark_common.service import Service, compose
from spark_health.settings import HealthSettings

NAME = "health"
DESCRIPTION = "Sees how the hosts and services are"


async def build(settings: HealthSettings, clock: Clock) -> Service:
    """Connect and put health on the bus; raises UnavailableError while NATS is away."""
    bus = await connect_bus(settings.bus, NAME, clock)
    redis = connect_redis(settings.redis, NAME)
    return await compose(NAME, DESCRIPTION, bus, redis, clock, warnings=lambda: settings.warnings)
