"""Puts recovery together."""

from collections.abc import Mapping
from typing import Any

from redis.asyncio import Redis

from spark_audio_proxy.feature import Feature
from spark_audio_proxy.permits.permits import Permits
from spark_audio_proxy.recovery.alarm import Alarm
from spark_audio_proxy.recovery.guard import Guard
from spark_audio_proxy.recovery.on_bus import (
    VOICES,
    AnnouncedOnBus,
    HealthOnBus,
    ServerOverHttp,
)
from spark_audio_proxy.recovery.redis_standing import RedisStanding
from spark_audio_proxy.recovery.shared import Known
from spark_audio_proxy.recovery.watching import Watch, shown
from spark_audio_proxy.upstreams.asking import UpstreamHttp
from spark_common.bus.port import Bus
from spark_common.clock import Clock


class Recovery:
    """What other parts use of it."""

    def __init__(
        self, known: Known, watch: Watch, alarm: Alarm, permits: Permits, clock: Clock
    ) -> None:
        self._known = known
        self._permits = permits
        self.guard = Guard(known, clock)
        self.voice_failed = alarm.ring
        """To be called when Kokoro could not do what it was asked."""
        self.feature = Feature(background=(lambda: watch.run(known),), close=alarm.close)

    def works(self) -> bool:
        """Whether the speech server works, as far as anybody knows."""
        return self._known.standing.state == "ready"

    def shown(self) -> Mapping[str, Any]:
        """Return what the status tells; of a server that is well nothing but that."""
        standing = shown(self._known.standing, idle=self._permits.idle)
        if self.works():
            return {"recovery": standing}
        return {"state": standing["state"], "recovery": standing}


def wire_recovery(
    parakeet: UpstreamHttp, redis: Redis, bus: Bus, permits: Permits, clock: Clock
) -> Recovery:
    """Wire it; nothing is asked yet."""
    watch = Watch(
        ServerOverHttp(parakeet),
        HealthOnBus(bus),
        AnnouncedOnBus(bus, clock),
        clock,
        lambda: permits.idle,
    )
    known = Known(RedisStanding(redis), clock, watch.told)
    alarm = Alarm(HealthOnBus(bus, VOICES), clock)
    return Recovery(known, watch, alarm, permits, clock)
