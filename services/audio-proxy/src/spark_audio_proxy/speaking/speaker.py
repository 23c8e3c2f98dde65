"""Has a request spoken: finds the voice, begins with the first sound, goes on to the end."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

import structlog

from spark_audio_proxy.problems import ProblemCode, SpeechError
from spark_audio_proxy.speaking.asked import SpeechAsked
from spark_audio_proxy.speaking.cleaning import cleaned
from spark_audio_proxy.speaking.engines import Engine, Manner
from spark_audio_proxy.speaking.pieces import pieces
from spark_audio_proxy.speaking.prefetch import Turn, joined
from spark_audio_proxy.speaking.voices import Casting, Spoken, is_magpie
from spark_audio_proxy.speaking.voices import Engine as EngineName

_LONG_TEXT: Final = 5_000
"""Characters from which the text is read in a thread."""
_OF_THE_SERVER: Final[frozenset[ProblemCode]] = frozenset(
    ("upstream_down", "upstream_timeout", "upstream_bad_response", "upstream_loading")
)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Script:
    """What is to be spoken, and by whom."""

    text: str
    pieces: tuple[str, ...]
    spoken: Spoken
    manner: Manner


@dataclass(frozen=True, slots=True)
class Beginning:
    """Somebody speaks: the first samples are there."""

    engine: EngineName
    first: bytes
    rest: AsyncGenerator[bytes, None]
    """To be closed by whoever has it, which ends all calls."""

    async def samples(self) -> AsyncGenerator[bytes, None]:
        """Yield all samples; raises SpeechError where they end too early."""
        yield self.first
        async for more in self.rest:
            yield more


class Speaker:
    """Speaks through the engines that the owner has."""

    def __init__(
        self,
        engines: Mapping[EngineName, Engine],
        casting: Callable[[bool], Awaitable[Casting]],
    ) -> None:
        """``casting``: who has which voices, as far as that is known; told whether to ask anew."""
        self._engines = engines
        self._casting = casting

    async def script(self, asked: SpeechAsked) -> Script:
        """Say what a request means; raises SpeechError. Nobody is asked to speak yet."""
        read = _read
        if len(asked.input) > _LONG_TEXT:
            text, parts = await asyncio.to_thread(read, asked.input)
        else:
            text, parts = read(asked.input)
        if not text:
            raise SpeechError(
                "empty_input", "there is nothing in the input that can be spoken", param="input"
            )
        spoken = await self._cast(asked)
        return Script(text, parts, spoken, Manner(spoken.voice, asked.speed, asked.extras))

    async def _cast(self, asked: SpeechAsked) -> Spoken:
        wants_magpie = is_magpie(asked.model) or asked.voice.startswith("Magpie-")
        if wants_magpie and not self._engines["magpie"].there:
            raise SpeechError(
                "unknown_voice",
                "there is no Magpie in this cluster; GET /v1/audio/voices names all voices",
                param="voice",
            )
        try:
            return (await self._casting(False)).cast(asked.model, asked.voice)
        except SpeechError:
            # Perhaps it is a new one.
            return (await self._casting(True)).cast(asked.model, asked.voice)

    async def begin(self, script: Script, turn: Turn) -> Beginning:
        """Wait for the first sound; raises SpeechError, which is the caller's real answer."""
        spoken = script.spoken
        try:
            return await self._begun(spoken.engine, script, script.manner, turn)
        except SpeechError as error:
            stand_in = self._engines["magpie"]
            if (
                spoken.engine != "kokoro"
                or not spoken.may_fall_back
                or error.code not in _OF_THE_SERVER
                or not stand_in.there
            ):
                raise
            log.warning("speech.falls_back", reason=error.code)
            try:
                voice = (await self._casting(False)).stand_in(spoken.voice)
                manner = Manner(voice, script.manner.speed)
                return await self._begun("magpie", script, manner, turn)
            except SpeechError as second:
                log.warning("speech.no_fallback", reason=second.code)
            raise

    async def _begun(
        self, name: EngineName, script: Script, manner: Manner, turn: Turn
    ) -> Beginning:
        engine = self._engines[name]
        rest = joined(script.pieces, lambda text: engine.speak(text, manner), turn)
        try:
            async for first in rest:
                if first:
                    return Beginning(name, first, rest)
        except BaseException:
            await rest.aclose()
            raise
        raise SpeechError(
            "empty_input", "there is nothing in the input that this voice speaks", param="input"
        )


def _read(text: str) -> tuple[str, tuple[str, ...]]:
    text = cleaned(text)
    return text, tuple(pieces(text)) if text else ()
