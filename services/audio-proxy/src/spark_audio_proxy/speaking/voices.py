"""Which engine speaks with which voice: OpenAI's names, Kokoro's and their mixes, Magpie's."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from spark_audio_proxy.problems import SpeechError

Engine = Literal["kokoro", "magpie"]

OPENAI_VOICES: Final[Mapping[str, str]] = {
    "alloy": "af_alloy",
    "ash": "am_michael",
    "ballad": "bm_george",
    "coral": "af_kore",
    "echo": "am_echo",
    "fable": "bm_fable",
    "onyx": "am_onyx",
    "nova": "af_nova",
    "sage": "af_sarah",
    "shimmer": "af_sky",
    "verse": "am_puck",
    "marin": "af_heart",
    "cedar": "am_fenrir",
}
"""OpenAI's thirteen names and the voices of Kokoro that speak for them unless the owner says."""
KOKORO_MODELS: Final = ("kokoro", "tts-1", "tts-1-hd", "gpt-4o-mini-tts")
DEFAULT_VOICE: Final = "af_heart"

_MAGPIE_MODEL: Final = "magpie"
_MIX = re.compile(
    r"[a-z]{2}_\w{1,40}(?:\(\d{1,3}(?:\.\d{1,3})?\))?"
    r"(?:[+-][a-z]{2}_\w{1,40}(?:\(\d{1,3}(?:\.\d{1,3})?\))?){0,7}",
    re.ASCII,
)
_OF_MAGPIE = re.compile(r"Magpie-[A-Za-z0-9-]{1,40}(?:\.[A-Za-z0-9-]{1,40}){1,3}", re.ASCII)
_LANGUAGE = re.compile(r"([A-Za-z]{2,3})-([A-Za-z]{2,4})")
_MOST: Final = 200


@dataclass(frozen=True, slots=True)
class Spoken:
    """Who speaks."""

    engine: Engine
    voice: str
    """As that engine calls it."""
    may_fall_back: bool = False
    """Whether the caller left the choice of engine to us."""


@dataclass(frozen=True, slots=True)
class Casting:
    """Finds the voice for a request.

    ``kokoro``, ``magpie``: voices that each engine said it has, None while nobody knows.
    ``owners``: the owner's own names, which come before OpenAI's.
    """

    kokoro: Collection[str] | None = None
    magpie: Sequence[str] | None = None
    owners: Mapping[str, str] | None = None
    default: str = DEFAULT_VOICE

    def cast(self, model: str, voice: str) -> Spoken:
        """Return who speaks; raises SpeechError. An empty ``voice`` means any."""
        wanted = voice.strip()
        if len(wanted) > _MOST:
            raise _unknown(wanted)
        if self.owners is not None:
            wanted = self.owners.get(wanted) or self.owners.get(wanted.casefold()) or wanted
        if is_magpie(model) or wanted.startswith("Magpie-"):
            return Spoken("magpie", self.of_magpie(wanted))
        return Spoken("kokoro", self._of_kokoro(wanted), may_fall_back=model != "kokoro")

    def stand_in(self, voice: str) -> str:
        """Return the voice of Magpie for one of Kokoro; raises SpeechError if it has none."""
        return self._any_of_magpie(language_of(voice), voice)

    def of_magpie(self, wanted: str) -> str:
        """Return a voice of Magpie; raises SpeechError."""
        if _OF_MAGPIE.fullmatch(wanted):
            return wanted
        for name in self.magpie or ():
            if wanted and wanted.casefold() in (
                name.casefold(),
                name.rpartition(".")[2].casefold(),
            ):
                return name
        if not wanted or wanted.casefold() in OPENAI_VOICES:
            return self._any_of_magpie("en-US", wanted)
        raise _unknown(wanted)

    def _any_of_magpie(self, language: str, like: str) -> str:
        """Return a calm voice of a language, always the same one for the same name."""
        plain = [name for name in self.magpie or () if name.count(".") == 2]
        spoken = [name for name in plain if magpie_language(name) == language] or plain
        if not spoken:
            raise SpeechError("upstream_down", "Magpie did not say which voices it has")
        return sorted(spoken)[sum(like.encode()) % len(spoken)]

    def _of_kokoro(self, wanted: str) -> str:
        if not wanted:
            return self._there(self.default)
        alias = OPENAI_VOICES.get(wanted.casefold())
        if alias is not None:
            return self._there(alias, wanted.casefold())
        if self.kokoro is not None and wanted in self.kokoro:
            return wanted
        mixed = wanted.replace(" ", "")
        if not _MIX.fullmatch(mixed):
            raise _unknown(wanted)
        if self.kokoro is not None:
            for name in re.split(r"[+-]", re.sub(r"\([^)]*\)", "", mixed)):
                if name not in self.kokoro:
                    raise _unknown(name)
        return mixed

    def _there(self, *wanted: str) -> str:
        """Return the first of some voices that Kokoro has, or one that it has."""
        known = self.kokoro
        if not known:
            return wanted[0]
        alike = sorted(name for name in known if name[:2] == wanted[0][:2])
        return next((name for name in (*wanted, self.default, *alike) if name in known),
                    min(known))  # fmt: skip


def is_magpie(model: str) -> bool:
    """Whether a model's name means Magpie."""
    return model.casefold().startswith(_MAGPIE_MODEL)


def is_kokoro(model: str) -> bool:
    """Whether a model's name means Kokoro; a request without one does."""
    return not model or model in KOKORO_MODELS


_KOKORO_LANGUAGES: Final[Mapping[str, str]] = {
    "a": "en-US", "b": "en-GB", "e": "es-ES", "f": "fr-FR", "h": "hi-IN", "i": "it-IT",
    "j": "ja-JP", "p": "pt-BR", "z": "zh-CN",
}  # fmt: skip


def language_of(voice: str) -> str:
    """Return the language of a voice of Kokoro, which its first letter says."""
    return _KOKORO_LANGUAGES.get(voice[:1], "en-US")


def gender_of(voice: str) -> str | None:
    """Return ``female`` or ``male``, which the second letter of Kokoro's voices says."""
    if voice[2:3] != "_":
        return None
    return {"f": "female", "m": "male"}.get(voice[1:2])


def magpie_language(voice: str) -> str:
    """Return the language in the name of a voice of Magpie: EN-US is en-US."""
    found = _LANGUAGE.fullmatch(voice.split(".")[1] if "." in voice else "")
    return f"{found[1].lower()}-{found[2].upper()}" if found is not None else "en-US"


def _unknown(voice: str) -> SpeechError:
    shown = "".join(each for each in voice[:60] if each.isprintable())
    message = f"there is no voice {shown!r}; GET /v1/audio/voices names all there are"
    return SpeechError("unknown_voice", message, param="voice")
