"""Asks a JSON server on a Spark, in bounded time and size, and names the stage that failed."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from spark_common.errors import DeadlineExceededError, UnavailableError, UpstreamFailedError
from spark_common.plain_http import plain_client

MOST_BYTES = 32 * 1024 * 1024
_WAYS = 32
_PATIENCE_SECONDS = 3.0


def make_client() -> httpx.AsyncClient:
    """Return a client of its own: searches never take the connections of anything else."""
    limits = httpx.Limits(max_connections=_WAYS, max_keepalive_connections=8)
    return plain_client(
        limits=limits,
        timeout=httpx.Timeout(None, connect=_PATIENCE_SECONDS, pool=_PATIENCE_SECONDS),
    )


@dataclass(frozen=True)
class Place:
    """Where a server is, and what it wants to see with every question."""

    url: str
    """Without a slash at the end."""
    headers: Mapping[str, bytes]


@dataclass(frozen=True)
class Said:
    """A whole answer; the body is None where it was not JSON."""

    status: int
    body: Any


class JsonServer:
    """One server on a Spark."""

    def __init__(
        self, name: str, stage: str, place: Callable[[], Place], client: httpx.AsyncClient
    ) -> None:
        """``name`` as people know it, ``stage`` as errors carry it."""
        self._name = name
        self._stage = stage
        self._place = place
        self._client = client

    async def ask(self, method: str, path: str, body: object = None, *, seconds: float) -> Said:
        """Ask and return whatever it answers, of any status.

        Raises UnavailableError, DeadlineExceededError, UpstreamFailedError.
        """
        place = self._place()
        content = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        headers = dict(place.headers)
        if content is not None:
            headers["content-type"] = b"application/json"
        named = [(name.encode(), value) for name, value in headers.items()]
        request = self._client.build_request(
            method, place.url + path, content=content, headers=named
        )
        try:
            async with asyncio.timeout(seconds):
                return await self._read(request)
        except TimeoutError as error:
            raise DeadlineExceededError(
                f"{self._name} did not answer within {seconds:.0f} seconds", stage=self._stage
            ) from error
        except httpx.PoolTimeout as error:
            raise UnavailableError(
                f"{self._name} has more questions than it answers; try again in a moment",
                stage=self._stage,
            ) from error
        except httpx.HTTPError as error:
            raise UnavailableError(
                f"{self._name} does not answer; start it, or look at its address in the settings",
                stage=self._stage,
            ) from error

    async def _read(self, request: httpx.Request) -> Said:
        response = await self._client.send(request, stream=True)
        try:
            pieces, size = [], 0
            async for piece in response.aiter_bytes():
                pieces.append(piece)
                size += len(piece)
                if size > MOST_BYTES:
                    raise self.failed(f"answered more than {MOST_BYTES // 2**20} MB")
        finally:
            await response.aclose()
        try:
            return Said(response.status_code, json.loads(b"".join(pieces)))
        except (ValueError, RecursionError):
            return Said(response.status_code, None)

    def failed(self, what: str) -> UpstreamFailedError:
        """Return the error for an answer that is no answer to what was asked."""
        return UpstreamFailedError(f"{self._name} {what}", stage=self._stage)
