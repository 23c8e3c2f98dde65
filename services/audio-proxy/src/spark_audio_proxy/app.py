"""The composition root of audio-proxy: the one place that knows every concrete class."""

from spark_audio_proxy.settings import AudioProxySettings
from spark_common.bus.nats import connect_bus
from spark_common.clock import Clock
from spark_common.redis_access import connect_redis
from spark_common.service import Service, compose

NAME = "audio-proxy"
DESCRIPTION = "Speech routes in front of the speech containers"


async def build(settings: AudioProxySettings, clock: Clock) -> Service:
    """Connect and put audio-proxy on the bus; raises UnavailableError while NATS is away."""
    bus = await connect_bus(settings.bus, NAME, clock)
    redis = connect_redis(settings.redis, NAME)
    return await compose(NAME, DESCRIPTION, bus, redis, clock, warnings=lambda: settings.warnings)
