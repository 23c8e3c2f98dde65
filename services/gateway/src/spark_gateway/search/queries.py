"""The body of a query to Qdrant, from what was asked and what fits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spark_gateway.search.embedding import Embedded
from spark_gateway.search.shapes import MOST_HITS, Mode, SearchOrder

USUAL_TEXTS = ("text", "content", "document", "page_content", "chunk", "body", "passage")
_CANDIDATES = 4
"""So many times the hits are looked at by the reranker, or by fusion in each list."""
_FEWEST = 20


@dataclass(frozen=True)
class Ways:
    """The names of the vectors that are compared; None for a way that is not gone."""

    dense: str | None
    sparse: str | None

    @property
    def mode(self) -> Mode:
        """What that amounts to."""
        if self.dense is not None and self.sparse is not None:
            return "hybrid"
        return "sparse" if self.dense is None else "dense"


def candidates(order: SearchOrder) -> int:
    """Return how many points are looked at to find as many as were asked for."""
    return min(MOST_HITS, max(_FEWEST, _CANDIDATES * order.limit))


def query_body(order: SearchOrder, ways: Ways, embedded: Embedded) -> dict[str, Any]:
    """Return the query: one way alone, or both as prefetches whose ranks are fused there."""
    most = candidates(order)
    asked = [
        _way(vector, name)
        for vector, name in ((embedded.dense, ways.dense), (_weights(embedded), ways.sparse))
        if name is not None
    ]
    limits = {"limit": most if order.rerank else order.limit, "with_payload": _fields(order)}
    filtered = {} if order.filter is None else {"filter": order.filter}
    if len(asked) == 1:
        return {**asked[0], **filtered, **limits}
    prefetch = [{**one, **filtered, "limit": most} for one in asked]
    return {"prefetch": prefetch, "query": {"fusion": order.fusion}, **limits}


def text_of(order: SearchOrder, payload: object) -> str | None:
    """Return what the reranker reads of a hit; None where there is no text."""
    if not isinstance(payload, Mapping):
        return None
    for name in (order.text_field,) if order.text_field else USUAL_TEXTS:
        found = _inside(payload, name)
        if isinstance(found, str) and found.strip():
            return found
    return None


def shown_payload(order: SearchOrder, payload: object) -> dict[str, Any] | None:
    """Return what a hit shows of its payload."""
    if order.with_payload is False:
        return None
    found = payload if isinstance(payload, dict) else {}
    if order.with_payload is True:
        return found
    # Qdrant picked inside of them; what only the reranker had to read goes.
    wanted = {_head(name) for name in order.with_payload}
    return {name: value for name, value in found.items() if name in wanted}


def _inside(payload: Mapping[str, Any], name: str) -> object:
    """Return a field of this name, or one inside of others, as in ``metadata.text``."""
    if name in payload:
        return payload[name]
    head, _, rest = name.partition(".")
    inner = payload.get(head)
    return _inside(inner, rest) if rest and isinstance(inner, Mapping) else None


def _head(name: str) -> str:
    """Return the outermost field of one of Qdrant's paths: of ``a.b``, ``a[].b``, ``"a".b``."""
    if name.startswith('"'):
        return name[1:].partition('"')[0]
    return name.partition(".")[0].partition("[")[0]


def _fields(order: SearchOrder) -> bool | Sequence[str]:
    if order.with_payload is True or not order.rerank:
        return order.with_payload
    read = (order.text_field,) if order.text_field else USUAL_TEXTS
    return list(dict.fromkeys([*(order.with_payload or ()), *read]))


def _way(vector: object, name: str) -> dict[str, Any]:
    # The unnamed vector is asked for without a name.
    return {"query": vector, **({"using": name} if name else {})}


def _weights(embedded: Embedded) -> dict[str, Any] | None:
    if embedded.sparse is None:
        return None
    return {"indices": list(embedded.sparse.indices), "values": list(embedded.sparse.values)}
