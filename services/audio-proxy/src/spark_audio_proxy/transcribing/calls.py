"""A call to the speech server: guarded, in turn, and once more where that is safe."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from spark_audio_proxy.decoding.sound import Measures
from spark_audio_proxy.permits.permits import Permits
from spark_audio_proxy.permits.ports import Ask
from spark_audio_proxy.problems import SpeechError
from spark_audio_proxy.transcribing.guarding import Guardian
from spark_audio_proxy.transcribing.journey import Journey
from spark_audio_proxy.upstreams.clip import Clip
from spark_audio_proxy.upstreams.faults import SpeechFaultError
from spark_audio_proxy.upstreams.parakeet import Parakeet, deadline

_LEASE_MARGIN_SECONDS: Final = 10.0
_LATER_WAIT_SECONDS: Final = 900.0
"""What is begun waits longer for its next turn than what is new."""
_PATIENCE_SECONDS: Final = 120.0

ResultT = TypeVar("ResultT")


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
        through no fault of its own may be made again.
        """
        await self._guardian.before(measures, _PATIENCE_SECONDS)
        try:
            result = await self._once(op, clip, measures, journey, call)
        except SpeechFaultError as fault:
            if not await self._guardian.failed(fault, measures, _PATIENCE_SECONDS):
                raise
            journey.attempts += 1
            result = await self._once(op, clip, measures, journey, call)
        self._guardian.succeeded(measures)
        return result

    async def _once(
        self,
        op: str,
        clip: Clip,
        measures: Measures,
        journey: Journey,
        call: Callable[[], Awaitable[ResultT]],
    ) -> ResultT:
        ask = Ask(
            "hearing",
            journey.urgency_of(measures.seconds),
            journey.client,
            clip.seconds,
            deadline(clip.seconds) + _LEASE_MARGIN_SECONDS,
            _LATER_WAIT_SECONDS if journey.calls else None,
        )
        journey.state["stage"] = "queue"
        async with self._permits.permit(ask) as permit:
            journey.add("queue", permit.waited_seconds)
            journey.calls += 1
            permit.idle = self._parakeet.idle
            permit.busy = True
            with journey.step(op):
                began = journey.clock.monotonic()
                try:
                    result = await call()
                except SpeechError as error:
                    # Of a call that is late nobody knows whether it is still worked on.
                    permit.busy = error.code == "upstream_timeout"
                    raise
                permit.busy = False
            self._permits.pace.done(op, clip.seconds, journey.clock.monotonic() - began)
        return result
