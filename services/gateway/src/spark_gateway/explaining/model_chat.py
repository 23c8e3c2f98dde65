"""A chat with the loaded model from inside the gateway: one request, streamed, nothing kept."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import httpx

from spark_common.errors import UnavailableError
from spark_gateway.dataplane.ports import UpstreamNow

_LINE_BYTES = 1_000_000
_TIMES = httpx.Timeout(10.0, connect=3.0, read=180.0)
"""A long prompt may take minutes before the first token."""


@dataclass(frozen=True)
class Chunk:
    """One event of a streamed chat."""

    delta: Mapping[str, object]
    finish: str | None = None


class BrokenChatError(Exception):
    """The model stopped in the middle; the text is fit for people."""


class ModelChat(Protocol):
    """Asks the model server for a streamed chat."""

    def ask(
        self, model: str, messages: Sequence[Mapping[str, str]], max_tokens: int
    ) -> AbstractAsyncContextManager[AsyncIterator[Chunk]]:
        """Enter once the server began to answer; leaving cancels the rest of the answer.

        Entering raises UnavailableError. The chunks raise BrokenChatError.
        """
        ...


class UpstreamChat:
    """The model server that the data plane uses."""

    def __init__(self, upstream: UpstreamNow, client: httpx.AsyncClient) -> None:
        self._upstream = upstream
        self._client = client

    @asynccontextmanager
    async def ask(
        self, model: str, messages: Sequence[Mapping[str, str]], max_tokens: int
    ) -> AsyncIterator[AsyncIterator[Chunk]]:
        """Ask. See ``ModelChat``."""
        body = {
            "model": model,
            "messages": list(messages),
            "max_tokens": max_tokens,
            "stream": True,
        }
        where = self._upstream()
        url = f"http://{where.host}:{where.port}/v1/chat/completions"
        request = self._client.build_request("POST", url, json=body, timeout=_TIMES)
        try:
            response = await self._client.send(request, stream=True)
        except httpx.HTTPError as error:
            raise UnavailableError("the model does not answer; try again in a moment") from error
        try:
            if response.status_code != 200:
                raise UnavailableError(
                    f"the model refused to explain (status {response.status_code}); "
                    "load a chat model, then ask again"
                )
            yield _chunks(response)
        finally:
            await response.aclose()


async def _chunks(response: httpx.Response) -> AsyncIterator[Chunk]:
    finished = False
    try:
        async for line in _lines(response):
            data = line.removeprefix(b"data:").strip()
            if not line.startswith(b"data:") or not data:
                continue
            if data == b"[DONE]":
                return
            if chunk := _chunk(data):
                finished = finished or chunk.finish is not None
                yield chunk
    except httpx.HTTPError as error:
        raise BrokenChatError("the model stopped answering in the middle") from error
    if not finished:
        raise BrokenChatError("the model stopped answering in the middle")


async def _lines(response: httpx.Response) -> AsyncIterator[bytes]:
    rest = b""
    async for piece in response.aiter_bytes():
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            yield line
        if len(rest) > _LINE_BYTES:
            raise BrokenChatError("the model answered something unreadable")


def _chunk(data: bytes) -> Chunk | None:
    try:
        said: Any = json.loads(data)
    except ValueError as error:
        raise BrokenChatError("the model answered something unreadable") from error
    if not isinstance(said, dict):
        raise BrokenChatError("the model answered something unreadable")
    if said.get("error"):
        raise BrokenChatError("the model failed in the middle of its answer")
    choices = said.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(first, dict):
        return None
    delta, finish = first.get("delta"), first.get("finish_reason")
    return Chunk(
        delta if isinstance(delta, dict) else {}, finish if isinstance(finish, str) else None
    )
