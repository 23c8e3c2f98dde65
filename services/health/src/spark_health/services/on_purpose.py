"""Hears which containers somebody started on purpose: those starts are no sign of a crash."""

import json

import structlog

from spark_common.bus.port import Bus
from spark_common.clock import Clock
from spark_common.errors import SparkError
from spark_common.subjects import SERVICE_ACTION
from spark_health.services.box_watch import BoxWatch

_LISTEN_AGAIN_SECONDS = 1.0
_STARTS = frozenset({"start", "restart", "update"})
_log = structlog.get_logger()


class OnPurpose:
    """Follows what is told of services, whoever of us did it: a remedy, an overlay, a person."""

    def __init__(self, bus: Bus, boxes: BoxWatch, clock: Clock) -> None:
        self._bus = bus
        self._boxes = boxes
        self._clock = clock

    async def run(self) -> None:
        """Listen for ever; what was told while the bus was away is lost, and ages out."""
        while True:
            try:
                async for _, body in self._bus.listen(SERVICE_ACTION):
                    self.hear(body)
            except SparkError as error:
                _log.debug("services.deaf", reason=error.code)
            await self._clock.sleep(_LISTEN_AGAIN_SECONDS)

    def hear(self, body: bytes) -> None:
        """Take in one event; what is none is nobody's start."""
        try:
            told = json.loads(body)["data"]
            action, host, container = told["action"], told["host"], told["container"]
        except (ValueError, TypeError, KeyError, RecursionError):
            return
        if action in _STARTS and isinstance(host, str) and isinstance(container, str):
            self._boxes.started_on_purpose(host, container)
