"""What apps report as broken is looked into at once: the check says what is true of it."""

import re
from datetime import datetime, timedelta
from typing import Final

import structlog

from spark_common.clock import Clock
from spark_common.events import HealthReport
from spark_health.deep.gpu_errors import gpu_error_in
from spark_health.deep.runner import DeepRunner

REST_SECONDS: Final = 60.0
"""Between two checks of one service that reports led to."""
_FRESH: Final = timedelta(seconds=60)
_BROKEN: Final = re.compile(
    r"\b5(?!03)\d\d\b|wedge|stuck|connection (?:reset|closed)|closed the connection", re.IGNORECASE
)
_SOMEBODY: Final = "an app"
_log = structlog.get_logger()


class Suspicions:
    """Begins a deep check for a report that names what a stuck service looks like."""

    def __init__(self, runner: DeepRunner, clock: Clock) -> None:
        self._runner = runner
        self._clock = clock
        self._last: dict[str, float] = {}

    def heard(self, target: str | None, report: HealthReport, at: datetime) -> None:
        """Take a report up; an old one, as after a restart of ours, is history."""
        if target is None or report.ok or not suspicious(report.error or ""):
            return
        if abs(self._clock.now() - at) > _FRESH:
            return
        runner, now = self._runner, self._clock.monotonic()
        if target not in runner.checked():
            return
        if now - self._last.get(target, float("-inf")) < REST_SECONDS:
            return
        self._last[target] = now
        _log.info("deep.suspected", service=target, source=report.source)
        runner.begin(target, "event", report.source or _SOMEBODY)


def suspicious(error: str) -> bool:
    """Say whether an error is one that a stuck service answers with; silence and 503 are none."""
    return gpu_error_in(error) is not None or _BROKEN.search(error) is not None
