"""The permits of one process: a fair line before a gate that all processes share."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import structlog

from spark_audio_proxy.metrics import DRAINING, INFLIGHT, QUEUE_DEPTH, QUEUE_WAIT
from spark_audio_proxy.permits.line import Line, Place
from spark_audio_proxy.permits.pace import Pace
from spark_audio_proxy.permits.ports import KINDS, Ask, Gate, Held, Limits, Permit, Want
from spark_audio_proxy.permits.redis_gate import member
from spark_audio_proxy.problems import SpeechError
from spark_common.clock import Clock
from spark_common.errors import UnavailableError
from spark_common.ids import new_id
from spark_common.settings.speech import SpeechSettings

_POLL_SECONDS: Final = 0.1
_AWAY_SECONDS: Final = 2.0
"""The gate is not asked again so soon after it did not answer."""
_DRAIN_LOOK_SECONDS: Final = 0.5
_LONGEST_PROMISE: Final = 120.0

log = structlog.get_logger()


class Permits:
    """Lets calls to the speech servers through, in a fair order, never more than allowed.

    While the gate does not answer this process lets one call through at a time.
    """

    def __init__(
        self, gate: Gate, settings: Callable[[], SpeechSettings], clock: Clock, pace: Pace
    ) -> None:
        self._gate = gate
        self._settings = settings
        self._clock = clock
        self.pace = pace
        self._line = Line()
        self._granted: dict[str, asyncio.Future[Permit]] = {}
        self._held: dict[str, Permit] = {}
        self._freed: list[str] = []
        self._draining: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._away_until = 0.0
        self._others = 0
        self.shared = True
        """Whether the count is that of all replicas; False while the gate is away."""

    @asynccontextmanager
    async def permit(self, ask: Ask) -> AsyncIterator[Permit]:
        """Wait for a turn and hold it inside. Whoever is cancelled while waiting was never there.

        Raises SpeechError ``queue_full`` when too many wait, or the wait took too long.
        """
        permit = await self._wait(ask)
        try:
            yield permit
        finally:
            if permit.busy:
                self._drain(permit)
            else:
                self._give_back(permit)

    async def run(self) -> None:
        """Hand out turns for ever."""
        while True:
            await self._round()
            rest = _POLL_SECONDS if len(self._line) else _AWAY_SECONDS if self._freed else None
            with suppress(TimeoutError):
                async with asyncio.timeout(rest):
                    await self._changed.wait()
            self._changed.clear()

    def expected_wait(self) -> float:
        """Return the seconds until a call that comes now would begin, as far as anybody can say."""
        now = self._clock.monotonic()
        under_way = sum(
            permit.ask.seconds / 2 for permit in self._held.values() if permit.ends_at > now
        )
        return self.pace.seconds_for(self._line.seconds() + under_way)

    def standing(self) -> dict[str, Any]:
        """Return what people may see of the line."""
        limits = self._limits()
        return {
            "in_use": len(self._held) - len(self._draining),
            "draining": len(self._draining),
            "waiting": self._line.by_urgency(),
            "waiting_elsewhere": self._others,
            "limit": limits.hearing,
            "ceiling": limits.ceiling,
            "depth": self._settings().audio_queue_depth,
            "expected_wait_seconds": round(self.expected_wait(), 1),
            "shared": self.shared,
        }

    @property
    def idle(self) -> bool:
        """Whether no call is under way or drains."""
        return not self._held

    async def close(self) -> None:
        """Give everything back that is not with a server."""
        for task in self._draining:
            task.cancel()
        await asyncio.gather(*self._draining, return_exceptions=True)
        self._held.clear()
        await self._round()

    async def _wait(self, ask: Ask) -> Permit:
        settings = self._settings()
        if self._line.load() + self._others >= max(1, settings.audio_queue_depth):
            raise self._full("too many calls wait already")
        now = self._clock.monotonic()
        place = Place(new_id(), ask, now)
        waiting: asyncio.Future[Permit] = asyncio.get_running_loop().create_future()
        self._granted[place.id] = waiting
        self._line.join(place)
        self._changed.set()
        QUEUE_DEPTH.set(len(self._line))
        patience = ask.wait_seconds or settings.audio_queue_wait_s
        timer = asyncio.ensure_future(self._clock.sleep(patience))
        try:
            await asyncio.wait((waiting, timer), return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done():
                raise self._full(f"no turn came within {patience:.0f} s")
            permit = waiting.result()
        except BaseException:
            if waiting.done() and not waiting.cancelled():
                self._give_back(waiting.result())
            raise
        finally:
            timer.cancel()
            self._line.leave(place.id)
            self._granted.pop(place.id, None)
            self._changed.set()
            QUEUE_DEPTH.set(len(self._line))
        permit.waited_seconds = self._clock.monotonic() - now
        QUEUE_WAIT.labels(ask.urgency).observe(permit.waited_seconds)
        return permit

    async def _round(self) -> None:
        """Ask the gate as often as it grants, and once when there is something to tell it."""
        for kind in KINDS:
            while (place := self._line.first(kind, self._clock.monotonic())) is not None:
                if not await self._asked(place):
                    break
                self._grant(place)
        if self._freed:
            await self._asked(None)

    async def _asked(self, place: Place | None) -> bool:
        now = self._clock.monotonic()
        if now < self._away_until:
            return self._alone(place)
        freed, held = list(self._freed), self._standing_permits(now)
        try:
            verdict = await self._gate.turn(
                None if place is None else self._want(place, now),
                held=held,
                freed=freed,
                waiting=0 if place is None else self._line.waiting(place.ask.kind),
                limits=self._limits(),
            )
        except UnavailableError as error:
            if self.shared:
                log.warning("permits.alone", reason=error.message)
            self.shared = False
            self._others = 0
            self._away_until = self._clock.monotonic() + _AWAY_SECONDS
            return self._alone(place)
        self.shared = True
        del self._freed[: len(freed)]
        self._others = verdict.others_waiting
        if verdict.granted and place is not None and place.id not in self._granted:
            # Its caller left while the gate was asked.
            self._freed.append(member(place.ask.kind, place.id))
        return verdict.granted

    def _want(self, place: Place, now: float) -> Want:
        ask = place.ask
        waited = now - place.arrived_at
        return Want(place.id, ask.kind, self._line.rank(place, now), waited, ask.lease_seconds)

    def _alone(self, place: Place | None) -> bool:
        return place is not None and not self._held

    def _grant(self, place: Place) -> None:
        waiting = self._granted.get(place.id)
        if waiting is None or waiting.done():
            self._line.leave(place.id)
            return
        self._line.taken(place)
        ends_at = self._clock.monotonic() + place.ask.lease_seconds
        permit = Permit(place.id, place.ask, ends_at)
        self._held[permit.id] = permit
        INFLIGHT.set(len(self._held) - len(self._draining))
        waiting.set_result(permit)

    def _give_back(self, permit: Permit) -> None:
        if self._held.pop(permit.id, None) is not None:
            self._freed.append(member(permit.ask.kind, permit.id))
            INFLIGHT.set(max(0, len(self._held) - len(self._draining)))
            self._changed.set()

    def _drain(self, permit: Permit) -> None:
        task = asyncio.create_task(self._drained(permit))
        self._draining.add(task)
        DRAINING.set(len(self._draining))
        task.add_done_callback(self._draining.discard)
        task.add_done_callback(lambda _: DRAINING.set(len(self._draining)))

    async def _drained(self, permit: Permit) -> None:
        """Hold a permit until its server is done with a call that nobody waits for any more."""
        began = self._clock.monotonic()
        while self._clock.monotonic() < permit.ends_at:
            if permit.idle is not None and await permit.idle(self._clock.monotonic() - began):
                break
            await self._clock.sleep(_DRAIN_LOOK_SECONDS)
        self._give_back(permit)

    def _standing_permits(self, now: float) -> list[Held]:
        return [
            Held(permit.id, permit.ask.kind, permit.ends_at - now)
            for permit in self._held.values()
            if permit.ends_at > now
        ]

    def _limits(self) -> Limits:
        settings = self._settings()
        ceiling = max(settings.audio_ceiling, 1)
        return Limits(min(settings.audio_inflight, ceiling), ceiling)

    def _full(self, why: str) -> SpeechError:
        again = min(_LONGEST_PROMISE, max(1.0, self.expected_wait()))
        return SpeechError(
            "queue_full",
            f"the GPU of speech is busy: {why}; come back in {again:.0f} s",
            retry_after=again,
        )
