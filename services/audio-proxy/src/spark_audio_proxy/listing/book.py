"""Remembers which voices the engines have, also while they do not answer."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import structlog
from pydantic import JsonValue

from spark_audio_proxy.listing.voices import Voice
from spark_audio_proxy.problems import SpeechError
from spark_audio_proxy.upstreams.asking import UpstreamHttp
from spark_common.clock import Clock

FRESH_SECONDS: Final = 60.0
_AGAIN_SECONDS: Final = 5.0
"""After a question that was not answered, and for who wants to know better."""
_PATIENCE_SECONDS: Final = 2.0
"""How long anybody waits for an answer; the question goes on."""
_QUESTION_SECONDS: Final = 10.0
_LARGEST: Final = 4 * 1024 * 1024

log = structlog.get_logger()


class VoicePage:
    """What one engine said, and when."""

    def __init__(
        self,
        http: UpstreamHttp,
        path: str,
        read: Callable[[JsonValue], tuple[Voice, ...]],
        clock: Clock,
    ) -> None:
        self._http = http
        self._path = path
        self._read = read
        self._clock = clock
        self._known: tuple[Voice, ...] | None = None
        self._told_at = self._asked_at = float("-inf")
        self._asking: asyncio.Task[None] | None = None
        self.answers = False
        """Whether the last question was answered."""

    @property
    def there(self) -> bool:
        """Whether the owner has this engine."""
        return self._http.there

    async def voices(self, *, fresher: bool = False) -> tuple[Voice, ...] | None:
        """Return the voices, those known before where nobody answers; None when none ever were.

        Waits two seconds at most. ``fresher``: somebody misses a voice.
        """
        if not self.there:
            return ()
        now = self._clock.monotonic()
        due = now - self._told_at >= (_AGAIN_SECONDS if fresher else FRESH_SECONDS)
        if self._asking is None and due and now - self._asked_at >= _AGAIN_SECONDS:
            self._asked_at = now
            self._asking = asyncio.create_task(self._ask())
        if self._asking is not None:
            await asyncio.wait((self._asking,), timeout=_PATIENCE_SECONDS)
        return self._known

    async def close(self) -> None:
        """Ask no more."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    async def _ask(self) -> None:
        try:
            answer = await self._http.get(self._path, seconds=_QUESTION_SECONDS)
            if answer.status != 200 or len(answer.body) > _LARGEST:
                raise SpeechError("upstream_bad_response", f"HTTP {answer.status}")
            found = self._read(answer.json())
            if not found:
                raise SpeechError("upstream_bad_response", "it named no voice")
        except (SpeechError, ValueError, RecursionError) as error:
            self.answers = False
            log.info("voices.not_told", server=self._http.name, reason=type(error).__name__)
        else:
            self.answers = True
            self._known, self._told_at = found, self._clock.monotonic()
        finally:
            self._asking = None


class VoiceBook:
    """The pages of all engines."""

    def __init__(self, kokoro: VoicePage, magpie: VoicePage) -> None:
        self.kokoro = kokoro
        self.magpie = magpie

    async def voices(self) -> Sequence[Voice]:
        """Return all voices; raises SpeechError when no engine ever named any."""
        pages = await asyncio.gather(self.kokoro.voices(), self.magpie.voices())
        known = [page for page in pages if page is not None]
        voices = [voice for page in known for voice in page]
        if not voices and len(known) < len(pages):
            raise SpeechError("upstream_down", "no voice server has answered yet")
        return voices

    async def close(self) -> None:
        """Ask no more."""
        await asyncio.gather(self.kokoro.close(), self.magpie.close())
