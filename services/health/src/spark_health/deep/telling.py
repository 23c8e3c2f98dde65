"""Tells what came of deep checks: those that were asked for, and those that differ."""

from typing import Protocol

import structlog

from spark_common.bus.port import Bus, Duplicate, Stored
from spark_common.contracts.deep_health import DeepResult
from spark_common.errors import SparkError
from spark_common.events import HealthChecked
from spark_common.subjects import health_checked

_log = structlog.get_logger()


class TellsChecks(Protocol):
    """Whoever is told."""

    async def told(self, service: str, result: DeepResult, before: DeepResult | None) -> None:
        """Tell a result, once however often this is called. Raises nothing."""
        ...


class Untold:
    """Tells nobody."""

    async def told(self, service: str, result: DeepResult, before: DeepResult | None) -> None:
        """Keep it to oneself."""


class BusChecks:
    """Tells on the bus, as ``health.checked``."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def told(self, service: str, result: DeepResult, before: DeepResult | None) -> None:
        """Tell a result; the tile has it anyway when the bus is away."""
        event = HealthChecked(
            target=service,
            state=result.state,
            before=None if before is None else before.state,
            sentence=result.sentence,
            trigger=result.trigger,
            requested_by=result.requested_by,
            latency_ms=result.latency_ms,
            at=result.at,
            evidence=list(result.evidence),
        )
        told_as = f"checked:{service}:{result.at.timestamp():.6f}"
        try:
            stored = await self._bus.publish_durable(health_checked(service), event, id=told_as)
        except SparkError as error:
            _log.warning("deep.check_untold", service=service, why=error.message)
            return
        if not isinstance(stored, Stored | Duplicate):
            _log.warning("deep.check_untold", service=service, why=type(stored).__name__)
