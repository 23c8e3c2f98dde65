"""Tells the bus of every request that is over: numbers and codes, nothing that was said."""

import asyncio
from typing import Any, Final, Protocol

import structlog

from spark_common.bus.port import Bus
from spark_common.clock import Clock
from spark_common.errors import UnavailableError
from spark_common.events import AudioRequestDone
from spark_common.ids import new_id
from spark_common.subjects import AUDIO_REQUEST_DONE

_MOST_WAITING: Final = 1000

log = structlog.get_logger()


class TellsRequests(Protocol):
    """Hears how each request ended; may not raise or take long."""

    def over(self, route: str, status: int, took_seconds: float, state: dict[str, Any]) -> None:
        """``state`` is that of the request: ``problem``, ``sound_seconds``, ``queue_seconds``."""
        ...


class NobodyHears:
    """Tells nobody."""

    def over(self, route: str, status: int, took_seconds: float, state: dict[str, Any]) -> None:
        """Forget it."""


class RequestNews:
    """Tells one after the other; what is too much, or comes without a bus, is dropped."""

    def __init__(self, bus: Bus, clock: Clock) -> None:
        self._bus = bus
        self._clock = clock
        self._waiting: asyncio.Queue[AudioRequestDone] = asyncio.Queue(_MOST_WAITING)

    def over(self, route: str, status: int, took_seconds: float, state: dict[str, Any]) -> None:
        """Take one down."""
        queue_seconds = state.get("queue_seconds")
        news = AudioRequestDone(
            route=route,
            status=status,
            code=state.get("problem"),
            sound_seconds=state.get("sound_seconds"),
            took_ms=round(1000 * took_seconds),
            queue_ms=None if queue_seconds is None else round(1000 * queue_seconds),
            at=self._clock.now(),
        )
        if not self._waiting.full():
            self._waiting.put_nowait(news)

    async def run(self) -> None:
        """Tell for ever."""
        while True:
            news = await self._waiting.get()
            try:
                await self._bus.publish(AUDIO_REQUEST_DONE, news, id=new_id())
            except UnavailableError as error:
                log.debug("audio.request_not_told", reason=error.message)
