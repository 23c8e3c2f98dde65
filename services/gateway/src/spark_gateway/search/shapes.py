"""A search as it is asked for and answered."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints

from spark_common.contracts.collections import CollectionName

MOST_HITS = 100
Mode = Literal["hybrid", "dense", "sparse"]
Fusion = Literal["rrf", "dbsf"]
VectorName = Annotated[str, StringConstraints(max_length=255)]
FieldName = Annotated[str, StringConstraints(min_length=1, max_length=255)]


class SearchOrder(BaseModel):
    """The body of `POST /api/search`."""

    model_config = ConfigDict(extra="forbid")

    collection: CollectionName
    query: Annotated[str, StringConstraints(min_length=1, max_length=32_768, pattern=r"\S")]
    """What is looked for, in plain words."""
    limit: Annotated[int, Field(ge=1, le=MOST_HITS, strict=True)] = 10
    filter: dict[str, JsonValue] | None = None
    """A filter of Qdrant over payloads; passed on as it is."""
    mode: Mode = "hybrid"
    fusion: Fusion = "rrf"
    """How a hybrid search makes one list of two: by rank, or by how far scores stand out."""
    rerank: bool = True
    """Whether a reranker reads the best hits and puts them in order."""
    with_payload: bool | Annotated[list[FieldName], Field(max_length=100)] = True
    """Whether hits carry their payload, or which fields of it."""
    text_field: FieldName | None = None
    """The field of the payload that the reranker reads; a usual one unless given."""
    dense_vector: VectorName | None = None
    """Name of the dense vector, where a collection has several that fit."""
    sparse_vector: VectorName | None = None
    """Name of the sparse vector, where a collection has several."""


class Hit(BaseModel):
    """One point; the best comes first."""

    id: int | str
    score: float
    """Qdrant's: of one vector, or of the ranks in both after fusion."""
    rerank_score: float | None = None
    """How relevant the reranker finds it; null where it did not read it."""
    payload: dict[str, JsonValue] | None = None


class Degradation(BaseModel):
    """Something that was asked for and could not be done."""

    code: Literal[
        "no_sparse_vectors", "no_sparse_embedding", "no_words", "no_dense_vectors", "no_reranker",
        "rerank_failed", "no_text",
    ]  # fmt: skip
    sentence: str


class StageTimes(BaseModel):
    """Seconds per stage; null where there was none."""

    embed: float
    search: float
    rerank: float | None = None


class SearchAnswer(BaseModel):
    """What was found, how, and what was missing."""

    collection: str
    mode: Mode
    """What was really done."""
    reranked: bool
    degraded: list[Degradation] = []
    """Empty when everything that was asked for was done."""
    embedding_model: str
    hits: list[Hit]
    seconds: StageTimes


class CollectionView(BaseModel):
    """A collection and the vectors in it; `searchable` by this product's embedding server."""

    name: str
    points: int | None = None
    dense_vectors: dict[str, int] = {}
    """Sizes by name; the unnamed vector has an empty name."""
    sparse_vectors: list[str] = []
    problem: str | None = None
    """Why Qdrant does not tell more of it, where it does not."""


class Collections(BaseModel):
    """All collections, by name."""

    collections: list[CollectionView]
