"""``/api/search``: hybrid search in the collections of Qdrant, and snapshots of them."""

from typing import Annotated

from fastapi import APIRouter, Body, Path
from pydantic import BaseModel, ConfigDict, Field

from spark_common.contracts.collections import (
    CollectionName,
    SnapshotName,
    SnapshotTaken,
    SnapshotView,
    TakeSnapshot,
)
from spark_common.contracts.swaps import Text
from spark_gateway.api.asking import PartsOf
from spark_gateway.api.errors_doc import CHANGE, READ, REMOVE, problems
from spark_gateway.control_route import ControlRoute
from spark_gateway.search.shapes import Collections, SearchAnswer, SearchOrder

router = APIRouter(prefix="/api/search", tags=["search"], route_class=ControlRoute)
CollectionInPath = Annotated[CollectionName, Path(description="Name of the collection.")]


class SnapshotOrder(BaseModel):
    """The body of `POST /api/search/collections/{collection}/snapshots`; it may be empty."""

    model_config = ConfigDict(extra="forbid")

    requested_by: Text = "someone"
    keep: Annotated[int, Field(ge=1, le=1000)] | None = None
    """So many snapshots stay, the newest; without a number all stay."""


class SnapshotList(BaseModel):
    """The snapshots of a collection, the newest first."""

    collection: str
    snapshots: list[SnapshotView]


class SnapshotGone(BaseModel):
    """A snapshot that is no more."""

    collection: str
    name: str


@router.post("", responses=problems(404, 502, *CHANGE))
async def search(parts: PartsOf, order: Annotated[SearchOrder, Body()]) -> SearchAnswer:
    """The points of a collection that are nearest to a query in words.

    `degraded` says what was asked for and could not be done.
    """
    return await parts.search.searching.search(order)


@router.get("/collections", responses=problems(502, *READ))
async def list_collections(parts: PartsOf) -> Collections:
    """Every collection of Qdrant with its vectors."""
    return Collections(collections=await parts.search.searching.collections())


@router.get("/collections/{collection}/snapshots", responses=problems(404, 502, *READ))
async def list_snapshots(parts: PartsOf, collection: CollectionInPath) -> SnapshotList:
    """The snapshots of a collection; they lie on the disk of Qdrant's machine."""
    found = await parts.search.snapshots.all(collection)
    return SnapshotList(collection=collection, snapshots=found)


@router.post(
    "/collections/{collection}/snapshots",
    status_code=201,
    responses=problems(404, 502, *CHANGE),
)
async def take_snapshot(
    parts: PartsOf,
    collection: CollectionInPath,
    order: Annotated[SnapshotOrder | None, Body()] = None,
) -> SnapshotTaken:
    """Write the collection to a file beside Qdrant; answers when it is whole."""
    asked = order or SnapshotOrder()
    return await parts.search.snapshots.take(
        TakeSnapshot(collection=collection, requested_by=asked.requested_by, keep=asked.keep)
    )


@router.delete(
    "/collections/{collection}/snapshots/{snapshot}",
    responses=problems(404, 502, *REMOVE),
)
async def delete_snapshot(
    parts: PartsOf,
    collection: CollectionInPath,
    snapshot: Annotated[SnapshotName, Path(description="Name of the snapshot.")],
) -> SnapshotGone:
    """Delete one snapshot."""
    await parts.search.snapshots.delete(collection, snapshot)
    return SnapshotGone(collection=collection, name=snapshot)
