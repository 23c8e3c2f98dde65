"""A search from words to hits, stage by stage; what is missing is said and not hidden."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from spark_common.clock import Clock
from spark_common.errors import InvalidRequestError, NotFoundError, SparkError, UpstreamFailedError
from spark_gateway.search.embedding import Embedded, EmbeddingServer, NoRerankerError
from spark_gateway.search.qdrant import Qdrant
from spark_gateway.search.queries import Ways, query_body, shown_payload, text_of
from spark_gateway.search.shapes import (
    CollectionView,
    Degradation,
    Hit,
    SearchAnswer,
    SearchOrder,
    StageTimes,
)
from spark_gateway.search.vectors import Layout, fitting_dense, fitting_sparse, read_layout

_READ_CHARACTERS = 20_000
"""Of a document, for the reranker: more than its model reads."""
_AT_ONCE = 8
"""Collections that are looked at; there may be thousands."""
_log = structlog.get_logger()

_SENTENCES = {
    "no_sparse_vectors": "The collection has no sparse vectors: only meaning was compared.",
    "no_sparse_embedding": "The embedding server makes no sparse vectors: only meaning was "
    "compared.",
    "no_words": "No word of the query has weight: only meaning was compared.",
    "no_dense_vectors": "The collection has no dense vectors: only words were compared.",
    "no_reranker": "The embedding server has no reranker: the hits are in Qdrant's order.",
    "rerank_failed": "The reranker failed: the hits are in Qdrant's order.",
    "no_text": "Some hits have no text to rerank; say which field has it with text_field.",
}


class Searching:
    """Hybrid search over the collections of one Qdrant."""

    def __init__(self, embedding: EmbeddingServer, qdrant: Qdrant, clock: Clock) -> None:
        self._embedding = embedding
        self._qdrant = qdrant
        self._clock = clock

    async def search(self, order: SearchOrder) -> SearchAnswer:
        """Find the points nearest to a query.

        Raises NotFoundError for the collection, InvalidRequestError for what does not fit,
        UnavailableError, DeadlineExceededError and UpstreamFailedError of the stage they name.
        """
        began = self._clock.monotonic()
        layout = read_layout(await self._qdrant.info(order.collection))
        described_at = self._clock.monotonic()
        embedded = await self._embedding.embed(order.query)
        embedded_at = self._clock.monotonic()
        degraded: list[Degradation] = []
        ways = choose_ways(order, layout, embedded, degraded)
        body = query_body(order, ways, embedded)
        points = await self._qdrant.query(order.collection, body)
        found_at = self._clock.monotonic()
        scores = await self._rank(order, points, degraded) if order.rerank and points else {}
        hits = [_hit(order, point, scores.get(place)) for place, point in enumerate(points)]
        # Stable: what the reranker did not read stays behind, in Qdrant's order.
        hits.sort(key=lambda hit: (hit.rerank_score is None, -(hit.rerank_score or 0.0)))
        times = StageTimes(
            embed=round(embedded_at - described_at, 4),
            search=round(found_at - embedded_at + described_at - began, 4),
            rerank=round(self._clock.monotonic() - found_at, 4) if scores else None,
        )
        _log.info("search.finished", mode=ways.mode, hits=len(hits), reranked=bool(scores))
        return SearchAnswer(
            collection=order.collection,
            mode=ways.mode,
            reranked=bool(scores),
            degraded=degraded,
            embedding_model=embedded.model,
            hits=hits[: order.limit],
            seconds=times,
        )

    async def collections(self) -> list[CollectionView]:
        """Return every collection with its vectors."""
        names = await self._qdrant.names()
        places = asyncio.Semaphore(_AT_ONCE)

        async def view(name: str) -> CollectionView | None:
            async with places:
                return await self._view(name)

        found = await asyncio.gather(*map(view, names))
        return [one for one in found if one is not None]

    async def _view(self, name: str) -> CollectionView | None:
        try:
            info = await self._qdrant.info(name)
        except NotFoundError:
            return None  # Deleted since it was listed.
        except UpstreamFailedError as error:
            return CollectionView(name=name, problem=error.message)
        layout = read_layout(info)
        count = info.get("points_count")
        return CollectionView(
            name=name,
            points=count if isinstance(count, int) else None,
            dense_vectors=dict(layout.dense),
            sparse_vectors=list(layout.sparse),
        )

    async def _rank(
        self,
        order: SearchOrder,
        points: Sequence[Mapping[str, Any]],
        degraded: list[Degradation],
    ) -> dict[int, float]:
        """Return relevance by place in ``points``; empty when there was no ranking."""
        texts = {
            place: text[:_READ_CHARACTERS]
            for place, point in enumerate(points)
            if (text := text_of(order, point.get("payload"))) is not None
        }
        if len(texts) < len(points):
            degraded.append(_missed("no_text"))
        if not texts:
            return {}
        places = list(texts)
        try:
            ranked = await self._embedding.rank(order.query, list(texts.values()))
        except NoRerankerError:
            degraded.append(_missed("no_reranker"))
        except SparkError as error:
            _log.warning("search.not_reranked", reason=error.code)
            degraded.append(_missed("rerank_failed"))
        else:
            return {places[at]: score for at, score in ranked}
        return {}


def choose_ways(
    order: SearchOrder, layout: Layout, embedded: Embedded, degraded: list[Degradation]
) -> Ways:
    """Return the ways to go; adds to ``degraded`` what a hybrid search has to do without.

    Raises InvalidRequestError when nothing of what was asked for can be done.
    """
    dense = sparse = None
    if order.mode != "sparse":
        dense = fitting_dense(layout, len(embedded.dense), order.dense_vector)
    if order.mode != "dense":
        sparse = fitting_sparse(layout, order.sparse_vector)
    lacks_sparse = "no_sparse_vectors"
    if sparse is not None and (embedded.sparse is None or not embedded.sparse.indices):
        lacks_sparse = "no_sparse_embedding" if embedded.sparse is None else "no_words"
        sparse = None
    if dense is None and sparse is None:
        raise InvalidRequestError(
            {
                "hybrid": "the collection has no vectors that a search could compare",
                "dense": "the collection has no dense vectors; use mode sparse",
                "sparse": _SENTENCES[lacks_sparse].partition(":")[0] + "; use mode dense",
            }[order.mode],
            stage="fit",
        )
    if order.mode == "hybrid" and sparse is None:
        degraded.append(_missed(lacks_sparse))
    if order.mode == "hybrid" and dense is None:
        degraded.append(_missed("no_dense_vectors"))
    return Ways(dense, sparse)


def _missed(code: str) -> Degradation:
    return Degradation.model_validate({"code": code, "sentence": _SENTENCES[code]})


def _hit(order: SearchOrder, point: Mapping[str, Any], rerank_score: float | None) -> Hit:
    return Hit(
        id=point["id"],
        score=point["score"],
        rerank_score=rerank_score,
        payload=shown_payload(order, point.get("payload")),
    )
