"""Collections of vectors: their names, and snapshots of them that a schedule can ask for."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from spark_common.contracts.rpc import Reply, Request, Rpc
from spark_common.contracts.swaps import Text

_FORBIDDEN = frozenset('<>:"/\\|?*\0\x1f')


def check_collection(name: str) -> str:
    """Return a name that Qdrant takes and that stays one segment of a path."""
    if found := sorted(_FORBIDDEN & set(name)):
        raise ValueError(f"a collection's name cannot contain {found[0]!r}")
    if name in (".", ".."):
        raise ValueError("a collection cannot be named like a folder above it")
    try:
        name.encode()
    except UnicodeEncodeError:
        raise ValueError("a collection's name must be readable text") from None
    return name


CollectionName = Annotated[
    str, StringConstraints(min_length=1, max_length=255), AfterValidator(check_collection)
]
SnapshotName = CollectionName
"""It is a file on Qdrant's disk, and obeys the same rule."""


class SnapshotView(Reply):
    """One snapshot, as Qdrant keeps it on its disk. Size in bytes."""

    name: str
    size_bytes: int | None = None
    created_at: datetime | None = None
    checksum: str | None = None


class TakeSnapshot(Request):
    """Have a collection written to a file on the machine of Qdrant."""

    collection: CollectionName
    requested_by: Text = "someone"
    keep: int | None = Field(default=None, ge=1, le=1000)
    """So many snapshots of the collection stay, the newest; without a number all stay."""
    ours: list[SnapshotName] | None = Field(default=None, max_length=1000)
    """Names of those that count for ``keep`` beside the new one; all others stay whatever they
    are. Without, all that Qdrant took and named count."""
    unless_since: datetime | None = None
    """A snapshot made since then is the one that was wanted: nothing is made twice."""


class SnapshotTaken(Reply):
    """What is there now."""

    collection: str
    snapshot: SnapshotView
    removed: list[str] = []
    """Older ones that had to go."""
    made: bool = True
    """False: there was one already."""
    problem: str | None = None
    """Why older ones that had to go could not be deleted."""


TAKE_SNAPSHOT = Rpc("rpc.gateway.snapshot.take", TakeSnapshot, SnapshotTaken)
