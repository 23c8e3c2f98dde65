"""Asks an OpenAI server on a Spark, most of all vLLM. Nothing that is sent is logged anywhere."""

import json
from collections.abc import Callable, Sequence
from typing import Any, Final

import httpx

from spark_redaction.desk.counts import ASKED_OTHERWISE
from spark_redaction.unknown.ports import NoAnswerError, Said
from spark_redaction.unknown.prompt import answer, question

_MOST_BYTES: Final = 256 * 1024
_LOOK: Final = httpx.Timeout(2.0, connect=1.0)
_READ: Final = httpx.Timeout(120.0, connect=2.0)
"""Whoever asks has an end of their own, which is sooner."""
_SILENT: Final = "the model does not answer"
_PLAINER: Final = frozenset({400, 422})


class ModelServer:
    """A ``Reader``. ``url``: the base address just now, None when nobody may be asked."""

    def __init__(self, url: Callable[[], str | None], client: httpx.AsyncClient) -> None:
        """The client goes straight to addresses and follows nobody who sends it elsewhere."""
        self._url = url
        self._client = client
        self._plain: set[str] = set()

    async def model(self) -> str | None:
        """Return the first model that is served; see ``Reader``."""
        url = self._url()
        if url is None:
            return None
        try:
            status, raw = await self._asked("GET", f"{url}/v1/models", None, _LOOK)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            return None
        except httpx.HTTPError as error:
            raise NoAnswerError(_SILENT) from error
        try:
            models = json.loads(raw)["data"] if status == 200 else []
            served = models[0]["id"] if models else None
        except (ValueError, LookupError, TypeError, RecursionError):
            raise NoAnswerError("the model server does not say what it serves") from None
        if status >= 500 or not isinstance(served, str | None):
            raise NoAnswerError("the model server does not say what it serves")
        return served

    async def read(self, model: str, piece: str, kinds: Sequence[str]) -> list[Said]:
        """Ask once; a server that takes less than vLLM is asked in plainer words."""
        url = self._url()
        if url is None:
            raise NoAnswerError("nobody may be asked for names")
        asked = f"{url} {model}"
        plain = asked in self._plain
        status, raw = await self._chat(url, question(model, piece, kinds, plain=plain))
        if status in _PLAINER and not plain:
            ASKED_OTHERWISE.labels("plainer").inc()
            status, raw = await self._chat(url, question(model, piece, kinds, plain=True))
            if status == 200:
                self._plain = {asked}
        if status != 200:
            raise NoAnswerError(f"the model does not read this (status {status})")
        return answer(raw)

    async def _chat(self, url: str, body: dict[str, Any]) -> tuple[int, bytes]:
        try:
            return await self._asked("POST", f"{url}/v1/chat/completions", body, _READ)
        except httpx.HTTPError:
            # Without its cause: that holds the request, and the request holds the text.
            raise NoAnswerError(_SILENT) from None

    async def _asked(
        self, method: str, url: str, body: dict[str, Any] | None, times: httpx.Timeout
    ) -> tuple[int, bytes]:
        content = None if body is None else json.dumps(body).encode("ascii")
        request = self._client.build_request(
            method,
            url,
            content=content,
            headers={"content-type": "application/json", "accept-encoding": "identity"},
            timeout=times,
        )
        response = await self._client.send(request, stream=True, follow_redirects=False)
        try:
            raw = bytearray()
            async for data in response.aiter_raw():
                raw += data
                if len(raw) > _MOST_BYTES:
                    raise NoAnswerError("the model's answer is too long")
            return response.status_code, bytes(raw)
        finally:
            await response.aclose()
