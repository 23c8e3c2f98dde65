"""Knows the lease as well as the data plane needs it: asked for, never waited for."""

from collections.abc import Callable
from typing import Final

import structlog

from spark_common.bus import Bus
from spark_common.clock import Clock
from spark_common.contracts.leases import GET_LEASE, GetLease, LeaseView
from spark_common.errors import SparkError
from spark_gateway.hinted_look import HintedLook

POLL_SECONDS: Final = 2.0
BELIEVED_SECONDS: Final = 6.0
"""What was said longer ago than this is not known any more: then nobody is kept off."""
_OFF_SECONDS = 1.0
_ASK_SECONDS = 2.0
_STREAM = "SC_LEASE_EVT"
_LOG = structlog.get_logger()


class LeaseWatch:
    """Asks the coordinator while the lease binds requests, and at once when something happened."""

    def __init__(self, bus: Bus, binds: Callable[[], bool], clock: Clock) -> None:
        self._bus = bus
        self._binds = binds
        self._clock = clock
        self._view: LeaseView | None = None
        self._seen_at = 0.0
        self._looking = HintedLook(
            self.look,
            lambda: bus.tail(_STREAM),
            clock,
            every_seconds=POLL_SECONDS,
            relisten_seconds=POLL_SECONDS,
        )

    def binding(self) -> LeaseView | None:
        """Return the lease that binds requests now, with what is left of it; None: none does."""
        view = self._view
        if view is None or view.state == "free" or not self._binds():
            return None
        age = self._clock.monotonic() - self._seen_at
        if age > BELIEVED_SECONDS:
            return None
        if view.remaining_seconds is None or view.state == "draining":
            return view
        left = view.remaining_seconds - age
        return view.model_copy(update={"remaining_seconds": left}) if left > 0 else None

    async def run(self) -> None:
        """Watch for ever, as long as the setting is on."""
        while True:
            if not self._binds():
                self._view = None
                await self._clock.sleep(_OFF_SECONDS)
                continue
            await self._looking.run_while(self._binds)

    async def look(self) -> None:
        """Ask once; without an answer the last one grows old."""
        asked = self._clock.monotonic()
        try:
            view = await self._bus.call(GET_LEASE, GetLease(), timeout_seconds=_ASK_SECONDS)
        except SparkError as error:
            _LOG.debug("lease.unanswered", reason=error.code)
            return
        self._view, self._seen_at = view, asked
