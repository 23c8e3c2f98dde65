"""Looks at the cluster all the time, and asks for the home model when its moment has come."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import structlog

from spark_common.bus.port import Bus
from spark_common.clock import Clock
from spark_common.contracts.home import HOME_REQUESTER, GetHome, HomeView
from spark_common.contracts.swaps import REQUEST_SWAP, RequestSwap
from spark_common.errors import SparkError
from spark_coordinator.home.decision import Ask, Refusal, decide
from spark_coordinator.home.scenery import Scenery
from spark_coordinator.home.settings import HomeSettings
from spark_coordinator.leading import Leadership

LONGEST_LOOK_SECONDS: Final = 15.0
_ASK_SECONDS = 10.0
_OFF_SECONDS = 2.0
_FRESH_SECONDS = 3.0
"""What was seen this long ago is still told to whoever asks."""
_OFF = HomeView(state="off", sentence="No home model is set.")

_log = structlog.get_logger()


class HomeWatch:
    """Every coordinator looks; the one that leads asks."""

    def __init__(
        self,
        bus: Bus,
        scenery: Scenery,
        settings: Callable[[], HomeSettings],
        leadership: Leadership,
        clock: Clock,
    ) -> None:
        self._bus = bus
        self._scenery = scenery
        self._settings = settings
        self._leadership = leadership
        self._clock = clock
        self._refusal: Refusal | None = None
        self._view: HomeView | None = None
        self._seen_at = 0.0

    async def get(self, request: GetHome) -> HomeView:
        """Say how it stands."""
        known, wanted = self._view, self._settings().home_model
        fresh = self._clock.monotonic() - self._seen_at <= _FRESH_SECONDS
        if known is None or not fresh or (known.model or "") != wanted:
            await self.look(may_ask=False)
        return self._view or _OFF

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await self.look()
            await self._clock.sleep(_pause(self._settings()))

    async def look(self, *, may_ask: bool = True) -> None:
        """Look once; ask if this is the moment."""
        settings = self._settings()
        if not settings.home_model:
            self._scenery.forget()
            self._show(_OFF)
            return
        scene = replace(await self._scenery.look(), refusal=self._refusal)
        decision = decide(settings, scene)
        if isinstance(decision, HomeView):
            if decision.state == "loaded":
                self._refusal = None
            self._show(decision)
        elif may_ask and self._leadership.leads:
            self._show(await self._ask(settings.home_model, decision))
        else:
            self._show(_asking(settings.home_model))

    async def _ask(self, wanted: str, ask: Ask) -> HomeView:
        order = RequestSwap(
            model=ask.key,
            requested_by=HOME_REQUESTER,
            when_busy="reject",
            rollback=True,
            id=ask.swap_id,
        )
        try:
            await self._bus.call(REQUEST_SWAP, order, timeout_seconds=_ASK_SECONDS)
        except SparkError as error:
            before = self._refusal
            count = before.count + 1 if before is not None and before.model == wanted else 1
            self._refusal = Refusal(wanted, count, self._clock.now(), error.message)
            _log.warning("home.refused", model=ask.key, code=error.code, times=count)
            return HomeView(model=wanted, state="backing_off", sentence=error.message)
        self._refusal = None
        _log.info("home.asked", model=ask.key, swap_id=ask.swap_id)
        return _asking(wanted)

    def _show(self, view: HomeView) -> None:
        before, self._view, self._seen_at = self._view, view, self._clock.monotonic()
        told = before is not None and (before.state, before.sentence) == (view.state, view.sentence)
        if view.state == "blocked" and not told:
            _log.warning("home.blocked", model=view.model, reason=view.sentence)


def _pause(settings: HomeSettings) -> float:
    """Often enough to see the idle time to its end, however short it is, and a new setting."""
    if not settings.home_model:
        return _OFF_SECONDS
    return min(LONGEST_LOOK_SECONDS, max(1.0, settings.home_idle_minutes * 60 / 4))


def _asking(wanted: str) -> HomeView:
    return HomeView(model=wanted, state="asking", sentence="It is being asked for.")
