"""The speech container: transcribes, tells speakers apart, and is blocked while it does."""

from collections.abc import Mapping
from typing import Any, Final

import httpx

from spark_audio_proxy.metrics import UPSTREAM_SECONDS
from spark_audio_proxy.problems import SpeechError
from spark_audio_proxy.speech import Diarization, Transcript
from spark_audio_proxy.upstreams.asking import UpstreamHttp
from spark_audio_proxy.upstreams.clip import Clip, Form
from spark_audio_proxy.upstreams.diarizer_answer import read_diarization
from spark_audio_proxy.upstreams.faults import broken_off, fault_of
from spark_audio_proxy.words.reading import UnusableAnswerError, read_answer
from spark_common.clock import Clock

TRANSCRIPTIONS: Final = "/v1/audio/transcriptions"
_DIARIZERS: Final = (
    "/v1/audio/diarize",
    "/v1/audio/diarize-chunk",
    "/v1/audio/diarizations",
)
"""Where different builds of the container have it, the best first."""
_PROBE_SECONDS: Final = 60.0
_HEALTH_SECONDS: Final = 2.0


def deadline(sound_seconds: float) -> float:
    """Return how long one call may take, in seconds."""
    return 30.0 + sound_seconds / 3.0


class Parakeet:
    """Sends 16 kHz WAV and nothing else; asks only for what can be read, and renders nothing."""

    def __init__(self, http: UpstreamHttp, clock: Clock) -> None:
        self._http = http
        self._clock = clock
        self._paths: frozenset[str] = frozenset()
        self._probed_at: float | None = None
        self._probed_base: str | None = None

    async def transcribe(self, clip: Clip, language: str | None) -> Transcript:
        """Return the words of a clip, times from its start.

        Raises SpeechError, SpeechFaultError where the server failed at it.
        """
        fields = {"response_format": "verbose_json", "language": language or "auto"}
        # The stock server reads the first, ours and OpenAI's the second.
        fields |= {"timestamp_granularities": "word", "timestamp_granularities[]": "word"}
        answer = await self._call("transcribe", TRANSCRIPTIONS, clip, fields)
        try:
            return read_answer(answer, clip.seconds)
        except UnusableAnswerError as error:
            raise SpeechError(error.code, str(error)) from error

    async def diarize(self, clip: Clip, *, frames: bool = True) -> Diarization:
        """Return who speaks when in a clip; raises SpeechError like ``transcribe``."""
        return read_diarization(await self.diarize_raw(clip, frames=frames), clip.seconds)

    async def diarize_raw(self, clip: Clip, *, frames: bool = False) -> Mapping[str, Any]:
        """Return the diarizer's own answer; raises ``diarization_unavailable`` without one."""
        path = await self._diarizer()
        fields = {"frames": "true"} if frames else {}
        if path.endswith("diarizations"):
            # It would call the speakers doctor and patient.
            fields = {"speaker_names": ",".join(f"Speaker_{n}" for n in range(4))}
        answer = await self._call("diarize", path, clip, fields)
        if not isinstance(answer, Mapping):
            raise SpeechError("upstream_bad_response", "the speech server told no turns")
        return answer

    async def idle(self, left_seconds_ago: float) -> bool:
        """Whether it is done with a call that was left so long ago.

        The stock server's loop is blocked while it works, so any answer means that it is done.
        Ours answers meanwhile, and says how long its present call runs.
        """
        try:
            answer = await self._http.get("/health", seconds=_HEALTH_SECONDS)
            said = answer.json()
        except SpeechError as error:
            # Nobody listens: what was running there runs no more.
            return isinstance(error.__cause__, httpx.ConnectError)
        except ValueError:
            return True
        work = said.get("work") if isinstance(said, Mapping) else None
        running = work.get("running_seconds") if isinstance(work, Mapping) else None
        if not isinstance(running, int | float):
            return True
        # Another call by now. One of no length at all says nothing.
        return 0 < running < left_seconds_ago

    async def health(self) -> Mapping[str, Any] | None:
        """Return what it says of itself; None while it does not answer, which proves nothing."""
        try:
            said = (await self._http.get("/health", seconds=_HEALTH_SECONDS)).json()
        except (SpeechError, ValueError):
            return None
        return said if isinstance(said, Mapping) else None

    async def _diarizer(self) -> str:
        base, now = self._http.base, self._clock.monotonic()
        fresh = self._probed_at is not None and now - self._probed_at < _PROBE_SECONDS
        if not fresh or base != self._probed_base:
            answer = await self._http.get("/openapi.json", seconds=deadline(0))
            try:
                paths = answer.json()["paths"]
                self._paths = frozenset(paths) if isinstance(paths, Mapping) else frozenset()
            except (ValueError, KeyError, TypeError):
                self._paths = frozenset()
            self._probed_at, self._probed_base = now, base
        for path in _DIARIZERS:
            if path in self._paths:
                return path
        raise SpeechError(
            "diarization_unavailable", f"{self._http.title} cannot tell speakers apart"
        )

    async def _call(self, op: str, path: str, clip: Clip, fields: Mapping[str, str]) -> Any:
        form = Form.of(clip, fields)
        began = self._clock.monotonic()
        try:
            answer = await self._http.answered(
                "POST", path, seconds=deadline(clip.seconds), headers=form.headers,
                content=form.pieces(),
            )  # fmt: skip
        except SpeechError as error:
            if error.code == "upstream_bad_response" and error.__cause__ is not None:
                raise broken_off(self._http.title) from error
            raise
        finally:
            took = self._clock.monotonic() - began
            UPSTREAM_SECONDS.labels(self._http.name, op).observe(took)
        if answer.status == 404:
            self._probed_at = None
        if not answer.ok:
            raise fault_of(answer, self._http.title)
        try:
            return answer.json()
        except ValueError as error:
            raise SpeechError(
                "upstream_bad_response", f"{self._http.title} answered no JSON"
            ) from error
