"""``POST /api/audio/cluster-speakers``: whose voice is whose over the chunks of a recording."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request

from spark_audio_proxy.api.envelope import wrong_fields
from spark_audio_proxy.intake.small_body import read_small_body
from spark_audio_proxy.speakers.clustering import (
    Clustered,
    ClusterRules,
    cluster_speakers,
)
from spark_audio_proxy.speakers.voices import VoiceChunk
from spark_audio_proxy.speech import SpeakerSegment
from spark_common.settings.speech import SpeechSettings

_LARGEST_BODY = 32 * 1024 * 1024
"""Bytes: a thousand voices with prints of a thousand numbers."""
_Number = Annotated[float, Field(allow_inf_nan=False)]
_Seconds = Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)]
_Label = Annotated[str, Field(min_length=1, max_length=200)]
_Id = Annotated[str, Field(max_length=200)] | Annotated[int, Field(ge=0, le=10**15)]
_Print = Annotated[list[_Number], Field(min_length=1, max_length=4096)]


class TurnBody(BaseModel):
    """One turn, with times from the start of its chunk."""

    model_config = ConfigDict(extra="ignore")

    start_s: _Seconds
    end_s: _Seconds
    speaker: _Label
    confidence: _Number | None = None


class ChunkBody(BaseModel):
    """What ``diarize-chunk`` said of one chunk, and where the chunk lies."""

    model_config = ConfigDict(extra="ignore")

    id: _Id
    offset_s: _Seconds = 0.0
    fingerprints: dict[_Label, _Print] = {}
    speech_s: dict[_Label, _Seconds] = {}
    segments: list[TurnBody] = []

    def voices(self) -> VoiceChunk:
        """Return it for the clustering."""
        return VoiceChunk(
            str(self.id),
            self.offset_s,
            self.fingerprints,
            self.speech_s,
            tuple(
                SpeakerSegment(turn.start_s, turn.end_s, turn.speaker, turn.confidence)
                for turn in self.segments
            ),
        )


class ClusterBody(BaseModel):
    """The question; ``threshold`` is a cosine distance."""

    model_config = ConfigDict(extra="ignore")

    chunks: Annotated[list[ChunkBody], Field(max_length=2000)]
    threshold: Annotated[float | None, Field(ge=0, le=2, allow_inf_nan=False)] = None
    max_speakers: Annotated[int | None, Field(ge=1, le=1000)] = None
    overlap_s: Annotated[float, Field(ge=0, le=600, allow_inf_nan=False)] = 0.0


class Clustering:
    """Answers the route; nothing of a question is kept."""

    def __init__(self, settings: Callable[[], SpeechSettings]) -> None:
        self._settings = settings

    def router(self) -> APIRouter:
        """Return the route."""
        router = APIRouter()
        router.add_api_route("/api/audio/cluster-speakers", self.cluster, methods=["POST"])
        return router

    async def cluster(self, request: Request) -> dict[str, Any]:
        """Answer with the person behind each local label."""
        text = await read_small_body(request, _LARGEST_BODY)
        body = await asyncio.to_thread(_read, text)
        threshold = self._settings().cluster_dist if body.threshold is None else body.threshold
        rules = ClusterRules(threshold, body.max_speakers, body.overlap_s)
        chunks = [chunk.voices() for chunk in body.chunks]
        # The time grows with the cube of the voices: not on the loop.
        found = await asyncio.to_thread(cluster_speakers, chunks, rules)
        return clustered_document(found) | {"segments": _segments(chunks, found)}


def _read(text: bytes) -> ClusterBody:
    try:
        return ClusterBody.model_validate_json(text)
    except ValidationError as error:
        raise wrong_fields(error.errors(include_url=False, include_input=False)) from None


def clustered_document(found: Clustered) -> dict[str, Any]:
    """Return who is who as JSON."""
    return {
        "mapping": {chunk: dict(labels) for chunk, labels in found.mapping.items()},
        "speakers": [
            {
                "id": speaker.id,
                "centroid": None if speaker.centroid is None else list(speaker.centroid),
                "speech_s": speaker.speech_s,
                "chunks": list(speaker.chunks),
            }
            for speaker in found.speakers
        ],
    }


def _segments(chunks: list[VoiceChunk], found: Clustered) -> list[dict[str, Any]]:
    """Return all turns on the clock of the recording, in order."""
    turns = [
        {
            "start_s": round(turn.start + chunk.offset_s, 3),
            "end_s": round(turn.end + chunk.offset_s, 3),
            "speaker": found.mapping[chunk.id].get(turn.speaker),
            "chunk": chunk.id,
            "confidence": turn.confidence,
        }
        for chunk in chunks
        for turn in chunk.segments
    ]
    return sorted(turns, key=lambda turn: (turn["start_s"], turn["end_s"]))
