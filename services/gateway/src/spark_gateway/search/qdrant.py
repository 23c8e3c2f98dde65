"""Qdrant: collections, one query, snapshots, and its refusals in plain words."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any
from urllib.parse import quote

from spark_common.errors import (
    ConflictError,
    DeadlineExceededError,
    InvalidRequestError,
    NotFoundError,
    SparkError,
    UnavailableError,
)
from spark_gateway.search.asking import JsonServer, Said

_SECONDS = 10.0
_SNAPSHOT_SECONDS = 600.0
"""A collection is written to disk whole; large ones take minutes."""
_SAID_CHARACTERS = 500
_STAGE = "search"


class Qdrant:
    """One Qdrant. Everything raises UnavailableError, DeadlineExceededError, UpstreamFailedError
    and NotFoundError where a collection or a snapshot is not there."""

    def __init__(self, server: JsonServer) -> None:
        self._server = server

    async def names(self) -> list[str]:
        """Return the collections, in order."""
        match await self._result("GET", "/collections"):
            case {"collections": list(rows)}:
                return sorted(str(row["name"]) for row in rows if _has_name(row))
            case _:
                raise self._server.failed("answered something that is no list of collections")

    async def info(self, collection: str) -> Mapping[str, Any]:
        """Return what Qdrant says of a collection."""
        found = await self._result("GET", _path(collection), about=collection)
        if not isinstance(found, dict):
            raise self._server.failed("answered something that is no collection")
        return found

    async def query(self, collection: str, body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """Return the points of a query, the best first.

        Raises InvalidRequestError for a filter that Qdrant does not understand.
        """
        path = f"{_path(collection)}/points/query"
        match await self._result("POST", path, body, about=collection):
            case {"points": list(points)} if all(_is_point(one) for one in points):
                return points
            case _:
                raise self._server.failed("answered something that is no list of points")

    async def snapshots(self, collection: str) -> list[Mapping[str, Any]]:
        """Return the snapshots of a collection, as Qdrant describes them."""
        found = await self._result("GET", f"{_path(collection)}/snapshots", about=collection)
        if not isinstance(found, list):
            raise self._server.failed("answered something that is no list of snapshots")
        return [row for row in found if _has_name(row)]

    async def take_snapshot(self, collection: str) -> Mapping[str, Any]:
        """Write a snapshot and return its description, when it is whole."""
        path = f"{_path(collection)}/snapshots?wait=true"
        try:
            made = await self._result("POST", path, about=collection, seconds=_SNAPSHOT_SECONDS)
        except DeadlineExceededError as error:
            raise DeadlineExceededError(
                f"the snapshot is not written after {_SNAPSHOT_SECONDS / 60:.0f} minutes; Qdrant "
                "goes on by itself: look for it in the list later",
                stage=_STAGE,
            ) from error
        if not isinstance(made, dict) or not _has_name(made):
            raise self._server.failed("answered something that is no snapshot")
        return made

    async def delete_snapshot(self, collection: str, snapshot: str) -> None:
        """Delete one; raises NotFoundError."""
        path = f"{_path(collection)}/snapshots/{quote(snapshot, safe='')}?wait=true"
        await self._result("DELETE", path, about=collection)

    async def _result(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        about: str | None = None,
        seconds: float = _SECONDS,
    ) -> Any:
        said = await self._server.ask(method, path, body, seconds=seconds)
        match said.status:
            case 200:
                return said.body.get("result") if isinstance(said.body, dict) else None
            case 401 | 403:
                raise self._server.failed(
                    "wants another API key; set QDRANT_API_KEY to the one it was started with"
                )
            case 404:
                raise await self._missing(about, _why(said))
            case 400 | 422:
                raise InvalidRequestError(f"Qdrant refused it: {_why(said)}", stage=_STAGE)
            case 408 | 429 | 503:
                raise UnavailableError(f"Qdrant is busy: {_why(said)}", stage=_STAGE)
            case 409:
                raise ConflictError(f"Qdrant refused it: {_why(said)}", stage=_STAGE)
            case _:
                raise self._server.failed(f"failed: {_why(said)}")

    async def _missing(self, collection: str | None, why: str) -> SparkError:
        """Return what a 404 means: who lacks an address answers as who lacks a collection."""
        if collection is None:
            return NotFoundError(f"Qdrant has no such thing: {why}", stage=_STAGE)
        if "napshot" in why:
            return NotFoundError(f"there is no such snapshot of {collection!r}", stage=_STAGE)
        known = await self.names()
        if collection in known:
            return self._server.failed("is too old for this: it takes 1.10 or newer")
        near = get_close_matches(collection, known, 3, 0.5)
        hint = f"; did you mean {', '.join(map(repr, near))}?" if near else ""
        return NotFoundError(
            f"there is no collection {collection!r}{hint}", stage=_STAGE, near=list(near)
        )


def _path(collection: str) -> str:
    return f"/collections/{quote(collection, safe='')}"


def _has_name(row: Any) -> bool:
    return isinstance(row, dict) and isinstance(row.get("name"), str)


def _is_point(row: Any) -> bool:
    return (
        isinstance(row, dict)
        and isinstance(row.get("id"), int | str)
        and isinstance(row.get("score"), int | float)
    )


def _why(said: Said) -> str:
    match said.body:
        case {"status": {"error": str(text)}}:
            return text[:_SAID_CHARACTERS]
        case _:
            return f"HTTP {said.status}"
