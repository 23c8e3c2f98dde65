"""Snapshots of collections: taken by a person or for a schedule, and no more kept than wanted."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import structlog

from spark_common.bus import Serving
from spark_common.contracts.collections import (
    TAKE_SNAPSHOT,
    SnapshotTaken,
    SnapshotView,
    TakeSnapshot,
)
from spark_common.errors import NotFoundError, SparkError
from spark_gateway.search.qdrant import Qdrant

_AT_ONCE = 2
_TAKEN = re.compile(r".+-[0-9]+-[0-9]{4}(-[0-9]{2}){5}\.snapshot", re.DOTALL)
"""How Qdrant names what it takes: collection, peer, moment."""
_log = structlog.get_logger()


class Snapshots:
    """Snapshots of the collections of one Qdrant. Raises as ``Qdrant`` does."""

    def __init__(self, qdrant: Qdrant) -> None:
        self._qdrant = qdrant

    def verbs(self) -> Sequence[Serving]:
        """Return the verbs with their functions."""
        return (Serving(TAKE_SNAPSHOT, self.take, limit=_AT_ONCE),)

    async def all(self, collection: str) -> list[SnapshotView]:
        """Return the snapshots of a collection, the newest first."""
        views = [_view(row) for row in await self._qdrant.snapshots(collection)]
        return sorted(views, key=_age, reverse=True)

    async def take(self, request: TakeSnapshot) -> SnapshotTaken:
        """Take one, then delete the oldest beyond those that shall stay.

        What Qdrant did not take and name itself is not counted and stays.
        """
        made = await self._made_since(request)
        fresh = made is None
        if made is None:
            made = _view(await self._qdrant.take_snapshot(request.collection))
        removed: list[str] = []
        problem = None
        try:
            if request.keep is not None:
                await self._prune(request, made, removed)
        except SparkError as error:
            # There is a snapshot; that there are too many is no reason to take another.
            problem = error.message
        _log.info("snapshot.taken", collection=request.collection, removed=len(removed))
        return SnapshotTaken(
            collection=request.collection,
            snapshot=made,
            removed=removed,
            made=fresh,
            problem=problem,
        )

    async def delete(self, collection: str, snapshot: str) -> None:
        """Delete one."""
        await self._qdrant.delete_snapshot(collection, snapshot)

    async def _made_since(self, request: TakeSnapshot) -> SnapshotView | None:
        if request.unless_since is None:
            return None
        newest = next(iter(await self.all(request.collection)), None)
        if newest is None or newest.created_at is None:
            return None
        return newest if newest.created_at >= request.unless_since else None

    async def _prune(self, request: TakeSnapshot, made: SnapshotView, removed: list[str]) -> None:
        """Delete the oldest, and name each in ``removed`` as soon as it is gone."""
        there = await self.all(request.collection)
        ours = None if request.ours is None else frozenset(request.ours)
        others = [
            one
            for one in there
            if one.name != made.name and _is_taken(one) and (ours is None or one.name in ours)
        ]
        for one in others[(request.keep or 1) - 1 :]:
            try:
                await self._qdrant.delete_snapshot(request.collection, one.name)
            except NotFoundError:
                continue  # Somebody else was faster.
            removed.append(one.name)


def _view(row: Mapping[str, Any]) -> SnapshotView:
    size, checksum = row.get("size"), row.get("checksum")
    return SnapshotView(
        name=row["name"],
        size_bytes=size if isinstance(size, int) else None,
        created_at=_moment(row.get("creation_time")),
        checksum=checksum if isinstance(checksum, str) else None,
    )


def _moment(text: object) -> datetime | None:
    """Return the time that Qdrant tells, which is UTC without saying so."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _is_taken(view: SnapshotView) -> bool:
    """Whether it was taken by Qdrant, and not put or named there by somebody who wants it kept."""
    return view.created_at is not None and _TAKEN.fullmatch(view.name) is not None


def _age(view: SnapshotView) -> tuple[bool, datetime, str]:
    known = view.created_at is not None
    return known, view.created_at or datetime.min.replace(tzinfo=UTC), view.name
