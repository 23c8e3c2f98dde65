"""Looks at what audio-proxy hears and speaks with, so that ``/v1/models`` can name it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import httpx
import structlog
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from spark_common.clock import Clock
from spark_gateway.dataplane.ports import UpstreamNow

LOOK_SECONDS: Final = 15.0
_AGAIN_SECONDS: Final = 2.0
"""After a look that found nobody."""
_TIMEOUT_SECONDS: Final = 5.0
_LARGEST: Final = 4 * 1024 * 1024
_KINDS: Final[Mapping[str, "SpeechKind"]] = {
    "automatic-speech-recognition": "transcription",
    "text-to-speech": "speech",
}

SpeechKind = Literal["transcription", "speech"]
_log = structlog.get_logger()


class Voice(BaseModel):
    """A voice, as clients that choose one read it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    name: str
    language: str | None = None
    gender: str | None = None
    engine: str | None = None


class _Told(BaseModel):
    """A model as audio-proxy lists it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    root: str = ""
    task: str
    ready: bool = True
    voices: tuple[Voice, ...] = Field(default=(), max_length=10_000)
    languages: tuple[str, ...] = ()


class _List(BaseModel):
    data: tuple[_Told, ...] = Field(max_length=1000)


@dataclass(frozen=True, slots=True)
class SpeechModel:
    """What hears or speaks, under its own name; the others mean it."""

    id: str
    kind: SpeechKind
    names: tuple[str, ...] = ()
    voices: tuple[Voice, ...] = ()
    languages: tuple[str, ...] = ()
    ready: bool = True


@dataclass(frozen=True, slots=True)
class Spoken:
    """What audio-proxy said when it last answered; None: it never did."""

    models: tuple[SpeechModel, ...] | None = None
    stale: bool = False


def read_speech(body: bytes) -> tuple[SpeechModel, ...]:
    """Read the list of audio-proxy; raises ValueError."""
    try:
        rows: JsonValue = json.loads(body)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    try:
        return tuple(_by_root(iter(_List.model_validate(rows).data)))
    except ValidationError as error:
        raise ValueError("no list of models of speech") from error


def _by_root(rows: Iterator[_Told]) -> Iterator[SpeechModel]:
    families: dict[str, list[_Told]] = {}
    for row in rows:
        if row.task in _KINDS:
            families.setdefault(row.root or row.id, []).append(row)
    for root, members in families.items():
        first = next((row for row in members if row.id == root), members[0])
        others = tuple(row.id for row in members if row.id != first.id)
        yield SpeechModel(
            first.id, _KINDS[first.task], others, first.voices, first.languages, first.ready
        )


class SpeechWatch:
    """Polls audio-proxy. A failing look is a finding, not an error."""

    def __init__(
        self,
        upstream: UpstreamNow,
        client: httpx.AsyncClient,
        clock: Clock,
    ) -> None:
        self._upstream = upstream
        self._client = client
        self._clock = clock
        self.spoken = Spoken()

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await self.look()
            known = self.spoken.models is not None and not self.spoken.stale
            await self._clock.sleep(LOOK_SECONDS if known else _AGAIN_SECONDS)

    async def look(self) -> None:
        """Look once; what was known stays, marked, while nobody answers."""
        where = self._upstream()
        host = f"[{where.host}]" if ":" in where.host else where.host
        try:
            answer = await self._client.get(
                f"http://{host}:{where.port}/v1/models", timeout=_TIMEOUT_SECONDS
            )
            answer.raise_for_status()
            if len(answer.content) > _LARGEST:
                raise ValueError("more than anybody has")
            found = Spoken(read_speech(answer.content))
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            _log.debug("speech.not_listed", reason=type(error).__name__)
            if self.spoken.models is None:
                return
            found = Spoken(self.spoken.models, stale=True)
        if found != self.spoken:
            self.spoken = found
