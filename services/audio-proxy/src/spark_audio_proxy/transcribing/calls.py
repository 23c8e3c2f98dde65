"""A call to the speech server: guarded, in turn, and once more where that is safe."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from spark_audio_proxy.decoding.sound import Measures
from spark_audio_proxy.permits.permits import Permits
from spark_audio_proxy.permits.ports import Ask, Permit
from spark_audio_proxy.problems import SpeechError
from spark_audio_proxy.transcribing.guarding import Guardian
from spark_audio_proxy.transcribing.journey import Journey
from spark_audio_proxy.upstreams.clip import Clip
from spark_audio_proxy.upstreams.parakeet import Parakeet, deadline

_LEASE_MARGIN_SECONDS: Final = 10.0
_LATER_WAIT_SECONDS: Final = 900.0
"""What is begun waits longer for its next turn than what is new."""
_PATIENCE_SECONDS: Final = 120.0

ResultT = TypeVar("ResultT")


@dataclass(frozen=True)
class _Turn:
    """What a call is about."""

    op: str
    clip: Clip
    measures: Measures
    journey: Journey
    last: bool = False
    """It was made once already, and failed."""


class SpeechCalls:
    """Every call of audio-proxy to the speech server goes through here."""

    def __init__(self, permits: Permits, parakeet: Parakeet, guardian: Guardian) -> None:
        self._permits = permits
        self._parakeet = parakeet
        self._guardian = guardian

    async def made(
        self,
        op: str,
        clip: Clip,
        measures: Measures,
        journey: Journey,
        call: Callable[[], Awaitable[ResultT]],
    ) -> ResultT:
        """Make a call about ``clip``, a part of the recording that ``measures`` are of.

        Raises SpeechError. All calls are pure functions of the recording, so one that failed
        may be made again once the server works again: it is, where there is time for that.
        """
        trial = (
            await self._guardian.hold(_LATER_WAIT_SECONDS)
            if journey.calls
            else await self._guardian.arrive(measures)
        )
        turn = _Turn(op, clip, measures, journey)
        try:
            return await self._in_turn(turn, call, trial)
        except SpeechError as error:
            if not await self._guardian.again(error, measures, deadline(measures.seconds)):
                raise
        journey.attempts += 1
        return await self._in_turn(replace(turn, last=True), call, trial=False)

    async def _in_turn(
        self, turn: _Turn, call: Callable[[], Awaitable[ResultT]], trial: bool
    ) -> ResultT:
        """Wait for a turn at a server that is well: it may break while this call is in line."""
        journey = turn.journey
        patience = _LATER_WAIT_SECONDS if journey.calls else _PATIENCE_SECONDS
        until = journey.clock.monotonic() + patience
        ask = self._ask(turn.clip, turn.measures, journey)
        while True:
            journey.state["stage"] = "queue"
            async with self._permits.permit(ask) as permit:
                journey.add("queue", permit.waited_seconds)
                journey.state["queue_seconds"] = journey.took["queue"]
                if trial or self._guardian.open:
                    return await self._sent(turn, permit, call)
            trial = await self._guardian.hold(max(0.0, until - journey.clock.monotonic()))

    async def _sent(
        self, turn: _Turn, permit: Permit, call: Callable[[], Awaitable[ResultT]]
    ) -> ResultT:
        journey = turn.journey
        journey.calls += 1
        permit.idle = self._parakeet.idle
        permit.busy = True
        with journey.step(turn.op):
            began = journey.clock.monotonic()
            try:
                result = await call()
            except SpeechError as error:
                # Of a call that is late nobody knows whether it is still worked on.
                permit.busy = error.code == "upstream_timeout"
                # Within its turn: whoever is next in line must not be sent to a stuck server.
                await self._guardian.failed(error, turn.measures, last=turn.last)
                raise
            permit.busy = False
        took = journey.clock.monotonic() - began
        self._permits.pace.done(turn.op, turn.clip.seconds, took)
        await self._guardian.succeeded(took)
        return result

    def _ask(self, clip: Clip, measures: Measures, journey: Journey) -> Ask:
        return Ask(
            "hearing",
            journey.urgency_of(measures.seconds),
            journey.client,
            clip.seconds,
            deadline(clip.seconds) + _LEASE_MARGIN_SECONDS,
            _LATER_WAIT_SECONDS if journey.calls else None,
        )
