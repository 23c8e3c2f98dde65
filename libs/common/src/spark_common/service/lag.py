"""Watches that nothing blocks the event loop."""

import structlog

from spark_common.clock import Clock
from spark_common.service.metrics import LOOP_LAG_SECONDS

_INTERVAL_SECONDS = 0.25
_TOO_LATE_SECONDS = 0.1

log = structlog.get_logger()


async def watch_loop_lag(clock: Clock) -> None:
    """Measure for ever how late this task is woken; a warning above 100 ms."""
    while True:
        asked = clock.monotonic()
        await clock.sleep(_INTERVAL_SECONDS)
        lag_seconds = max(0.0, clock.monotonic() - asked - _INTERVAL_SECONDS)
        LOOP_LAG_SECONDS.observe(lag_seconds)
        if lag_seconds > _TOO_LATE_SECONDS:
            log.warning("service.loop_blocked", lag_seconds=round(lag_seconds, 3))
