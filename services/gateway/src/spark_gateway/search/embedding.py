"""The embedding server: one call for dense and sparse vectors, one to rank what was found."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from spark_common.errors import InvalidRequestError, UnavailableError
from spark_gateway.search.asking import JsonServer, Said

_EMBED_SECONDS = 15.0
_RERANK_SECONDS = 20.0
_SAID_CHARACTERS = 300
_LARGEST = 1e300


@dataclass(frozen=True)
class Sparse:
    """Lexical weights: token numbers and how much each says; none where no word counts."""

    indices: Sequence[int]
    values: Sequence[float]


@dataclass(frozen=True)
class Embedded:
    """A text as vectors; sparse is None where the server has none."""

    dense: Sequence[float]
    sparse: Sparse | None
    model: str


class NoRerankerError(Exception):
    """The server has no model that ranks."""


class EmbeddingServer:
    """``cluster/spark-embed``, or any other server with OpenAI's embeddings."""

    def __init__(self, server: JsonServer) -> None:
        self._server = server

    async def embed(self, text: str) -> Embedded:
        """Return the vectors of a text.

        Raises InvalidRequestError for a text that is too long, UnavailableError,
        DeadlineExceededError, UpstreamFailedError.
        """
        # A server that has no sparse vectors passes over what it does not know.
        body = {"input": text, "encoding_format": "float", "return_sparse": True}
        said = await self._server.ask("POST", "/v1/embeddings", body, seconds=_EMBED_SECONDS)
        if said.status in (400, 413, 422):
            raise InvalidRequestError(f"the query cannot be embedded: {_why(said)}", stage="embed")
        if said.status in (429, 503):
            raise UnavailableError(
                f"the embedding server is not ready: {_why(said)}", stage="embed"
            )
        if said.status != 200:
            raise self._server.failed(f"refused to embed: {_why(said)}")
        match said.body:
            case {"data": [{"embedding": list(dense), **row}, *_], **rest} if _numbers(dense):
                name = rest.get("model")
                return Embedded(
                    dense, _sparse(row.get("sparse_embedding")), str(name) if name else "unknown"
                )
        raise self._server.failed("answered something that is no embedding")

    async def rank(self, query: str, documents: Sequence[str]) -> list[tuple[int, float]]:
        """Return (place of the document, relevance), the most relevant first.

        Raises NoRerankerError, and as ``embed``.
        """
        body = {"query": query, "documents": list(documents), "return_documents": False}
        said = await self._server.ask("POST", "/v1/rerank", body, seconds=_RERANK_SECONDS)
        if said.status in (404, 405, 501):
            raise NoRerankerError
        if said.status != 200:
            raise self._server.failed(f"refused to rank: {_why(said)}")
        rows = said.body.get("results") if isinstance(said.body, dict) else None
        ranked = [_ranked(row, len(documents)) for row in rows] if isinstance(rows, list) else []
        found = [row for row in ranked if row is not None]
        if len({place for place, _ in found}) != len(documents):
            raise self._server.failed("answered something that is no ranking")
        return sorted(found, key=lambda row: -row[1])


def _ranked(row: Any, most: int) -> tuple[int, float] | None:
    match row:
        case {"index": int(place), "relevance_score": score} if 0 <= place < most and _is_number(
            score
        ):
            return place, float(score)
    return None


def _sparse(given: Any) -> Sparse | None:
    match given:
        case {"indices": list(indices), "values": list(values)} if (
            len(indices) == len(values)
            and all(isinstance(one, int) and one >= 0 for one in indices)
            and all(map(_is_number, values))
        ):
            return Sparse(indices, values)
    return None


def _numbers(values: list[Any]) -> bool:
    return bool(values) and all(map(_is_number, values))


def _is_number(value: object) -> bool:
    """Whether it is one that a vector can hold; a whole number may be longer than that."""
    return isinstance(value, int | float) and abs(value) <= _LARGEST


def _why(said: Said) -> str:
    match said.body:
        case {"error": {"message": str(text)}} | {"error": str(text)} | {"detail": str(text)}:
            return text[:_SAID_CHARACTERS]
        case _:
            return f"HTTP {said.status}"
