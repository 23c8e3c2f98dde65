"""Keeps looking at what is loaded, whoever loaded it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from spark_common.clock import Clock
from spark_common.contracts.models import RuntimeView
from spark_common.errors import SparkError
from spark_swapper.readiness.canary_watch import Degraded
from spark_swapper.runtime import Glance, Runtime, Served

_EVERY_SECONDS = 5.0
_BABBLES = "Its answer to a test question is gibberish; switch to it again, or to another model."
_log = structlog.get_logger()


@dataclass(frozen=True)
class _Look:
    label: str
    served: Served | None
    glance: Glance | None
    silence: str | None


class RuntimeObserver:
    """A slow loop; swaps ask for an extra look when they end."""

    def __init__(
        self,
        runtime: Runtime,
        clock: Clock,
        key_for: Callable[[str], str | None],
        on_change: Callable[[], Awaitable[None]],
        degraded: Callable[[str], Degraded | None] = lambda repo: None,
    ) -> None:
        """``degraded`` says why the answers of a loaded repository are not well."""
        self._runtime = runtime
        self._clock = clock
        self._key_for = key_for
        self._on_change = on_change
        self._degraded = degraded
        self._view = RuntimeView(state="unknown")
        self._looking = asyncio.Lock()

    def view(self) -> RuntimeView:
        """Return the last observation without any I/O."""
        return self._view

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await self.look()
            await self._clock.sleep(_EVERY_SECONDS)

    async def look(self) -> None:
        """Look once and tell when something changed; never raises for what a Spark does."""
        async with self._looking:
            looks = await asyncio.gather(*(self._ask(host) for host in self._runtime.hosts))
            seen = self._judge(looks)
            same = seen.model_copy(update={"since": self._view.since}) == self._view
            if same:
                return
            old, self._view = self._view, seen
            since = self._clock.now()
            if (_up(old.state), old.served_name) == (_up(seen.state), seen.served_name):
                since = old.since or since
            self._view = seen.model_copy(update={"since": since})
        _log.info("runtime.changed", state=seen.state, model=seen.model)
        try:
            await self._on_change()
        except SparkError as error:
            _log.debug("runtime.change_untold", why=error.message)

    async def _ask(self, host: str) -> _Look:
        label = self._runtime.label(host)
        served = await self._runtime.served(host)
        try:
            return _Look(label, served, await self._runtime.container(host), None)
        except SparkError as error:
            return _Look(label, served, None, error.message)

    def _judge(self, looks: list[_Look]) -> RuntimeView:
        for look in looks:
            if look.served is not None:
                degraded = self._degraded(look.served.repo)
                return RuntimeView(
                    state="degraded" if degraded else "serving",
                    detail=_BABBLES if degraded else None,
                    canary=degraded.look if degraded else None,
                    model=self._key_for(look.served.repo),
                    served_name=look.served.served_name,
                    context_length=look.served.context_length,
                )
        for look in looks:
            if look.glance is not None and look.glance.container == "running":
                if look.glance.processes:
                    return RuntimeView(state="starting", detail=f"starting on {look.label}")
                return RuntimeView(
                    state="idle",
                    detail=f"an empty container is running on {look.label}",
                    ended=True,
                )
        first = looks[0]
        if first.silence is not None:
            return RuntimeView(state="unreachable", detail=first.silence)
        if first.glance is not None and first.glance.container == "unclear":
            detail = f"docker on {first.label} does not answer: {first.glance.detail}"
            return RuntimeView(state="unreachable", detail=detail)
        return RuntimeView(state="idle")


def _up(state: str) -> str:
    """Return the state without the difference that how it answers makes."""
    return "serving" if state == "degraded" else state
