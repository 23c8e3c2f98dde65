"""Keeps the streams of the bus there: at the start, and again when the server is a fresh one."""

from collections.abc import Awaitable, Callable, Iterable

import structlog

from spark_common.bus.port import Bus
from spark_common.bus.streams import STREAMS, StreamSpec
from spark_common.clock import Clock
from spark_common.errors import UnavailableError
from spark_common.service import ReadyCheck

_INTERVAL_SECONDS = 2.0

log = structlog.get_logger()


class StreamKeeper:
    """Looks every two seconds whether all streams exist, and provisions when one does not.

    It looks instead of waiting for a reconnect to be told: a server may lose its disk, or be
    replaced by an empty one, without anybody hearing of it.
    """

    def __init__(
        self,
        bus: Bus,
        provision: Callable[[], Awaitable[None]],
        clock: Clock,
        streams: Iterable[StreamSpec] = STREAMS,
    ) -> None:
        self._bus = bus
        self._provision = provision
        self._clock = clock
        self._names = [spec.name for spec in streams]
        self._provisioned = False
        self._problem: str | None = "the streams are not looked at yet"

    @property
    def check(self) -> ReadyCheck:
        """Not ready until provisioning succeeded, and after it failed."""

        async def ask() -> str | None:
            return self._problem

        return ReadyCheck("provisioning", ask)

    async def keep(self) -> None:
        """Look for ever."""
        while True:
            await self.look()
            await self._clock.sleep(_INTERVAL_SECONDS)

    async def look(self) -> None:
        """Look once, and provision if it is the first time or a stream is missing."""
        if not self._bus.health().connected:
            return
        if self._provisioned and not await self._missing():
            return
        try:
            await self._provision()
        except UnavailableError as error:
            if error.message != self._problem:
                log.warning("coordinator.provisioning_failed", reason=error.message)
            self._problem = error.message
            self._provisioned = False
            return
        log.info("coordinator.provisioned", streams=len(self._names))
        self._problem = None
        self._provisioned = True

    async def _missing(self) -> bool:
        for name in self._names:
            try:
                await self._bus.bounds(name)
            except UnavailableError:
                return True
        return False
