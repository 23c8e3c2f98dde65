"""Sessions: a recording is sent chunk by chunk, and everybody keeps a name from the first on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict

from spark_audio_proxy.speakers.clustering import Clustered, ClusterRules
from spark_audio_proxy.speakers.matching import EmbeddingModelMismatchError
from spark_audio_proxy.speakers.online import Labels, labelled_online, revised
from spark_audio_proxy.speakers.session_store import SessionStore
from spark_audio_proxy.speakers.voices import VoiceChunk
from spark_common.clock import Clock
from spark_common.errors import ConflictError, NotFoundError
from spark_common.ids import is_id, new_id

MOST_CHUNKS = 250
"""Of one session: with four speakers each they can still be clustered at once."""


@dataclass(frozen=True, slots=True)
class Heard:
    """Who is who in one chunk, as far as the session can tell by now."""

    labels: Labels
    revision: int
    """How many chunks it rests on; with more of them names may still be revised."""


@dataclass(frozen=True, slots=True)
class Finalised:
    """Who is who in all chunks, by one clustering of everything."""

    clustered: Clustered
    revision: int
    changed: tuple[tuple[str, str], ...]
    """Chunk and label of everybody whose name is another one now."""


class _Head(BaseModel):
    model_config = ConfigDict(extra="ignore")

    version: Literal[1] = 1
    opened_at: str


class _Entry(BaseModel):
    """What is kept of a chunk; of the turns only how long everybody spoke."""

    model_config = ConfigDict(extra="ignore")

    id: str
    offset_s: float
    model: str
    fingerprints: dict[str, tuple[float, ...]]
    speech_s: dict[str, float]

    @classmethod
    def of(cls, chunk: VoiceChunk, model: str) -> "_Entry":
        known = {label: chunk.seconds(label) for label in chunk.labels}
        return cls(
            id=chunk.id,
            offset_s=chunk.offset_s,
            model=model,
            fingerprints={label: tuple(p) for label, p in chunk.fingerprints.items()},
            speech_s={label: seconds for label, seconds in known.items() if seconds is not None},
        )

    def chunk(self) -> VoiceChunk:
        return VoiceChunk(self.id, self.offset_s, self.fingerprints, self.speech_s)


class Sessions:
    """Every method raises UnavailableError while the store is away.

    Those with a session raise NotFoundError for one that ended, or is somebody else's.
    """

    def __init__(
        self, store: SessionStore, clock: Clock, rules: ClusterRules | None = None
    ) -> None:
        self._store = store
        self._clock = clock
        self._rules = rules

    async def open(self, tenant: str) -> str:
        """Begin a session and return its id."""
        session_id = new_id()
        head = _Head(opened_at=self._clock.now().isoformat())
        await self._store.create(tenant, session_id, head.model_dump_json())
        return session_id

    async def require(self, tenant: str, session_id: str) -> None:
        """Return where there is such a session."""
        await self._entries(tenant, session_id)

    async def hear(self, tenant: str, session_id: str, chunk: VoiceChunk, model: str) -> Heard:
        """Add a chunk and return who is who in it; the same chunk again changes nothing.

        Raises EmbeddingModelMismatchError for prints of another model than those before, and
        ConflictError when the session is full.
        """
        before = await self._entries(tenant, session_id)
        again = any(entry.id == chunk.id for entry in before)
        if not again:
            _require_room(before)
            if chunk.fingerprints:
                _require_model(before, model, chunk)
            entry = _Entry.of(chunk, model).model_dump_json()
            before = _read(await self._store.append(tenant, session_id, entry))
            if not before:
                raise _ended()
        labels = labelled_online(_chunks(before), self._rules)
        return Heard(labels[chunk.id], len(labels))

    async def finalise(self, tenant: str, session_id: str) -> Finalised:
        """Return who is who over all chunks; the session goes on."""
        chunks = _chunks(await self._entries(tenant, session_id))
        online = labelled_online(chunks, self._rules)
        clustered = revised(chunks, online, self._rules)
        return Finalised(clustered, len(online), _changed(online, clustered))

    async def close(self, tenant: str, session_id: str) -> None:
        """Forget a session with its prints at once."""
        if not (is_id(session_id) and await self._store.delete(tenant, session_id)):
            raise _ended()

    async def _entries(self, tenant: str, session_id: str) -> list[_Entry]:
        found = await self._store.read(tenant, session_id) if is_id(session_id) else []
        if not found:
            raise _ended()
        return _read(found)


def _read(entries: Sequence[str]) -> list[_Entry]:
    return [_Entry.model_validate_json(entry) for entry in entries[1:]]


def _chunks(entries: Sequence[_Entry]) -> list[VoiceChunk]:
    """Return each chunk once: of two that were sent at the same time the first."""
    first: dict[str, VoiceChunk] = {}
    for entry in entries:
        first.setdefault(entry.id, entry.chunk())
    return list(first.values())


def _require_model(entries: Sequence[_Entry], model: str, chunk: VoiceChunk) -> None:
    """Raise EmbeddingModelMismatchError; chunks without a voice, as silence, are of no model."""
    models = {entry.model for entry in entries if entry.fingerprints}
    prints = [print_ for entry in entries for print_ in entry.fingerprints.values()]
    sizes = {len(print_) for print_ in (*prints, *chunk.fingerprints.values())}
    if models - {model} or len(sizes) > 1:
        raise EmbeddingModelMismatchError(
            "the session was begun with another voice model: open a new one",
            models=[*sorted({*models, model})],
        )


def _require_room(entries: Sequence[_Entry]) -> None:
    if len(entries) >= MOST_CHUNKS:
        raise ConflictError(f"the session has {MOST_CHUNKS} chunks: finalise it and open a new one")


def _changed(online: Mapping[str, Labels], clustered: Clustered) -> tuple[tuple[str, str], ...]:
    return tuple(
        (chunk, label)
        for chunk, row in online.items()
        for label, name in row.items()
        if clustered.mapping[chunk][label] != name
    )


def _ended() -> NotFoundError:
    return NotFoundError("there is no such session: it ended, or was never opened")
