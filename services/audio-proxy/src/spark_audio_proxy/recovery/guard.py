"""Lets calls to the speech server through, or says why not; hears how they end."""

import structlog

from spark_audio_proxy.decoding.sound import Measures
from spark_audio_proxy.problems import SpeechError
from spark_audio_proxy.recovery.metrics import QUARANTINED
from spark_audio_proxy.recovery.shared import Known
from spark_audio_proxy.recovery.standing import Failed, Standing, Succeeded, Trouble
from spark_audio_proxy.upstreams.faults import SpeechFaultError
from spark_common.clock import Clock
from spark_common.ids import new_id

MOST_WEDGES = 2
"""A recording that broke the server so often is not sent to it again."""
USUAL_SECONDS = 90.0
"""What a recovery takes: a check, a restart, and the model that loads."""
LONGEST_RETRY_SECONDS = 60.0
_LOOK_SECONDS = 1.0
_ALONE_SECONDS = 1.0
"""After which two calls that got into each other's way do so no more."""

log = structlog.get_logger()


class Guard:
    """Knows whether the server is stuck, and which recordings broke it."""

    def __init__(self, known: Known, clock: Clock, title: str = "the speech server") -> None:
        self._known = known
        self._clock = clock
        self._title = title

    @property
    def open(self) -> bool:
        """Whether a call may be sent now."""
        return self._known.standing.state == "ready"

    async def arrive(self, measures: Measures) -> bool:
        """Let a new call stand in line; returns whether it is a trial. Raises SpeechError.

        ``audio_rejected`` for a recording that broke the server twice; ``upstream_recovering``,
        ``upstream_loading``, ``upstream_down`` while it cannot be asked. A suspicion alone turns
        nobody away.
        """
        await self._refuse_poison(measures)
        if self._known.standing.state in ("recovering", "down"):
            await self._known.look()
        if self._known.standing.state in ("recovering", "down"):
            if not await self._known.take_trial():
                raise self._refusal()
            return True
        return False

    async def hold(self, patience_seconds: float) -> bool:
        """Return when the server may be asked, and whether that is a trial; raises SpeechError."""
        ends_at = self._clock.monotonic() + patience_seconds
        while not self.open:
            if await self._known.take_trial():
                return True
            left = ends_at - self._clock.monotonic()
            if left <= 0:
                raise self._refusal()
            await self._known.change(min(left, _LOOK_SECONDS))
        return False

    async def failed(self, error: SpeechError, measures: Measures, *, last: bool) -> None:
        """Hear that a call failed; from then on nothing else is sent to a server that is stuck."""
        trouble = trouble_of(error)
        if trouble is None or (is_crowded(error) and not last):
            return
        log.warning(
            "recovery.call_failed", trouble=trouble, recording=measures.sha256[:16],
            seconds=round(measures.seconds, 2), rms_dbfs=round(measures.rms_dbfs, 1),
            codec=measures.codec,
        )  # fmt: skip
        await self._known.learn(Failed(trouble, measures.sha256, new_id()))

    async def again(self, error: SpeechError, measures: Measures, patience_seconds: float) -> bool:
        """Return whether a call that failed is to be made once more.

        Waits for the recovery where the caller's patience is longer than one usually takes.
        Raises ``audio_rejected`` for a recording that is not to be tried again.
        """
        if is_crowded(error):
            await self._clock.sleep(_ALONE_SECONDS)
            return True
        if trouble_of(error) is None or patience_seconds < USUAL_SECONDS:
            return False
        try:
            await self.hold(patience_seconds)
        except SpeechError:
            return False
        await self._refuse_poison(measures)
        return True

    async def succeeded(self, took_seconds: float) -> None:
        """Hear that real work was done."""
        if not self.open:
            await self._known.learn(Succeeded(self._known.now - took_seconds))

    async def _refuse_poison(self, measures: Measures) -> None:
        if await self._known.wedges(measures.sha256) >= MOST_WEDGES:
            QUARANTINED.inc()
            raise SpeechError(
                "audio_rejected",
                f"{self._title} broke at this recording twice; it is not sent there again",
            )

    def _refusal(self) -> SpeechError:
        standing = self._known.standing
        if standing.state == "down":
            return SpeechError("upstream_down", f"{self._title} does not answer")
        seconds = remaining(standing, self._known.now)
        if standing.trouble == "loading":
            return SpeechError(
                "upstream_loading", f"{self._title} is loading its model", retry_after=seconds
            )
        return SpeechError(
            "upstream_recovering",
            f"{self._title} is being restarted; try again in {seconds:.0f} s",
            retry_after=seconds,
        )


def remaining(standing: Standing, at: float) -> float:
    """Return after how many seconds it is worth to come back: 1 to 60."""
    left = USUAL_SECONDS - (at - standing.since)
    return min(LONGEST_RETRY_SECONDS, max(1.0, left))


def is_crowded(error: SpeechError) -> bool:
    """Whether a call only met another one at the GPU: the image's diarizer says 503 and cuFFT."""
    return isinstance(error, SpeechFaultError) and error.cuda and error.status == 503


def trouble_of(error: SpeechError) -> Trouble | None:
    """Return what an error says of the server; None where it says nothing against it."""
    if isinstance(error, SpeechFaultError):
        if error.cuda:
            return "wedge"
        if error.broke_off:
            return "broke_off"
        if error.code == "upstream_loading":
            return "loading"
        return "error" if error.suspicious else None
    match error.code:
        case "upstream_timeout":
            return "late"
        case "upstream_down":
            return "refused"
        case "upstream_loading":
            return "loading"
        case _:
            return None
