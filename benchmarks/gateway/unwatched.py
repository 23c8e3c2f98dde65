"""The gateway without what can be on or off: no keys, no caps, nothing metered, nothing logged."""

from spark_common.clock import Clock, SystemClock
from spark_common.service import Service, run
from spark_common.settings import load_or_exit
from spark_gateway.app import build
from spark_gateway.dataplane.free import nobody_watches
from spark_gateway.dataplane.protocol import DataPlaneProtocol
from spark_gateway.settings import GatewaySettings


async def unwatched(settings: GatewaySettings, clock: Clock) -> Service:
    """Build it as it is shipped, and let nobody follow its requests."""
    service = await build(settings, clock)
    protocol = service.http_protocol
    assert isinstance(protocol, type)
    assert issubclass(protocol, DataPlaneProtocol)
    protocol.plane.watching = nobody_watches
    return service


if __name__ == "__main__":
    settings = load_or_exit(GatewaySettings)
    run("gateway", lambda: unwatched(settings, SystemClock()), settings.http, settings.warnings)
