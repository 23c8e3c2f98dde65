"""Asks a server on a Spark over plain HTTP and reads no more than an answer may have.

Nothing that is sent is logged anywhere.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

import httpx

from spark_redaction.unknown.ports import NoAnswerError

_MOST_BYTES: Final = 256 * 1024
_LOOK: Final = httpx.Timeout(2.0, connect=1.0)
_READ: Final = httpx.Timeout(120.0, connect=2.0)
"""Whoever asks has an end of their own, which is sooner."""


class BoundedHttp:
    """One kind of server; ``who`` names it in errors."""

    def __init__(self, who: str, client: httpx.AsyncClient) -> None:
        """The client goes straight to addresses and follows nobody who sends it elsewhere."""
        self._who = who
        self._client = client

    async def served(self, url: str) -> str | None:
        """Return the first model of ``GET /v1/models``; None where nobody is there.

        Raises NoAnswerError when somebody is there who does not say.
        """
        try:
            status, raw = await self._asked("GET", f"{url}/v1/models", None, _LOOK)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            return None
        except httpx.HTTPError as error:
            raise self._silent() from error
        try:
            models = json.loads(raw)["data"] if status == 200 else []
            first = models[0]["id"] if models else None
        except (ValueError, LookupError, TypeError, RecursionError):
            raise NoAnswerError(f"{self._who} does not say what it serves") from None
        if status >= 500 or not isinstance(first, str | None):
            raise NoAnswerError(f"{self._who} does not say what it serves")
        return first

    async def post(self, url: str, body: Mapping[str, Any]) -> tuple[int, bytes]:
        """Return status and body of an answer; raises NoAnswerError."""
        try:
            return await self._asked("POST", url, body, _READ)
        except httpx.HTTPError:
            # Without its cause: that holds the request, and the request holds the text.
            raise self._silent() from None

    def _silent(self) -> NoAnswerError:
        return NoAnswerError(f"{self._who} does not answer")

    async def _asked(
        self, method: str, url: str, body: Mapping[str, Any] | None, times: httpx.Timeout
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
                    raise NoAnswerError(f"the answer of {self._who} is too long")
            return response.status_code, bytes(raw)
        finally:
            await response.aclose()
