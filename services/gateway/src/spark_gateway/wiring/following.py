"""Puts together what follows each request: meters, the request log, capture."""

from collections.abc import Callable
from dataclasses import dataclass

from spark_common.bus import Bus
from spark_common.clock import Clock
from spark_common.owner import LiveSettings
from spark_common.service import REGISTRY
from spark_gateway.dataplane.meters import Meters, MetersCollector
from spark_gateway.metering.capture import CaptureDesk
from spark_gateway.metering.collector import BooksCollector
from spark_gateway.metering.metering import Metering
from spark_gateway.metering.request_log import RequestLog
from spark_gateway.settings import GatewaySettings


@dataclass(frozen=True)
class Following:
    """What counts, what remembers, and what keeps bodies while the owner wants them."""

    meters: Meters
    metering: Metering
    log: RequestLog
    capture: CaptureDesk

    async def close(self) -> None:
        """Hand in what is still to be told."""
        self.metering.settle()
        await self.log.close()


def wire_following(
    settings: GatewaySettings,
    live: LiveSettings,
    served_name: Callable[[], str],
    bus: Bus,
    clock: Clock,
) -> Following:
    """Wire it, and show its sums at ``/metrics``."""
    policy = live.of(settings.request_log)
    meters = Meters()
    log = RequestLog(bus, clock, lambda: policy().request_log_days > 0)
    capture = CaptureDesk(bus, clock)
    metering = Metering(clock, served_name, log.add, capture)
    REGISTRY.register(MetersCollector(meters))
    REGISTRY.register(BooksCollector(metering.settle, metering.now, log))
    return Following(meters, metering, log, capture)
