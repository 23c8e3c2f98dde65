"""Which vectors of a collection fit a query, read from the collection's own configuration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spark_common.errors import InvalidRequestError

_USUAL_DENSE = ("dense", "", "bge-m3", "text-dense")
_USUAL_SPARSE = ("sparse", "bge-m3", "text-sparse", "lexical")


@dataclass(frozen=True)
class Layout:
    """The vectors of a collection by name; the unnamed one has an empty name."""

    dense: Mapping[str, int]
    """Sizes. Several vectors per point, as for late interaction, are not among them."""
    sparse: Sequence[str]


def read_layout(info: Any) -> Layout:
    """Return what ``GET /collections/{name}`` says of the vectors; nothing where it says none."""
    match info:
        case {"config": {"params": dict(params)}}:
            pass
        case _:
            params = {}
    vectors, sparse = params.get("vectors"), params.get("sparse_vectors")
    named = vectors if isinstance(vectors, dict) else {}
    if isinstance(named.get("size"), int):
        named = {"": named}
    sizes = {
        str(name): given["size"]
        for name, given in named.items()
        if isinstance(given, dict)
        and isinstance(given.get("size"), int)
        and not given.get("multivector_config")
    }
    return Layout(sizes, tuple(sparse) if isinstance(sparse, dict) else ())


def fitting_dense(layout: Layout, size: int, wanted: str | None) -> str | None:
    """Return the dense vector to compare with; None in a collection that has no dense ones.

    Raises InvalidRequestError where there are some and none fits, or several do.
    """
    if wanted is not None:
        if wanted not in layout.dense:
            raise _unknown("dense", wanted, sorted(layout.dense))
        if layout.dense[wanted] != size:
            raise _misfit({wanted: layout.dense[wanted]}, size)
        return wanted
    fits = [name for name, own in layout.dense.items() if own == size]
    if not fits:
        if layout.dense:
            raise _misfit(layout.dense, size)
        return None
    return _one_of(fits, _USUAL_DENSE, "dense")


def fitting_sparse(layout: Layout, wanted: str | None) -> str | None:
    """Return the sparse vector to compare with; None in a collection that has none.

    Raises InvalidRequestError where several fit.
    """
    if wanted is not None and wanted not in layout.sparse:
        raise _unknown("sparse", wanted, sorted(layout.sparse))
    return wanted or (_one_of(layout.sparse, _USUAL_SPARSE, "sparse") if layout.sparse else None)


def _one_of(names: Sequence[str], usual: Sequence[str], kind: str) -> str:
    if len(names) == 1:
        return names[0]
    for name in usual:
        if name in names:
            return name
    raise InvalidRequestError(
        f"the collection has several {kind} vectors; say which with {kind}_vector: "
        + ", ".join(repr(name) for name in sorted(names)),
        stage="fit",
        vectors=[*sorted(names)],
    )


def _misfit(sizes: Mapping[str, int], size: int) -> InvalidRequestError:
    have = ", ".join(f"{name or 'the unnamed one'} with {own}" for name, own in sizes.items())
    return InvalidRequestError(
        f"the embedding model makes vectors of {size} numbers, the collection has {have}: "
        "it was filled with another model",
        stage="fit",
        size=size,
    )


def _unknown(kind: str, wanted: str, known: list[str]) -> InvalidRequestError:
    listed = ", ".join(repr(name) for name in known) or "none"
    return InvalidRequestError(
        f"the collection has no {kind} vector {wanted!r}; it has {listed}",
        stage="fit",
        vectors=list(known),
    )
