"""One HTTP client per speech server: its address asked anew, its failures by name."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from math import isfinite
from typing import Any

import httpx

from spark_audio_proxy.problems import SpeechError
from spark_common.plain_http import plain_client

CONNECT_SECONDS = 5.0
MOST_ANSWER = 64 * 1024 * 1024


@dataclass(frozen=True)
class Answer:
    """A whole answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether it is a success."""
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        """The body as text, whatever it is."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """Return the body as JSON, in which every number has an end; raises ValueError."""
        try:
            return json.loads(self.body, parse_float=_finite, parse_constant=_finite)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error


def _finite(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise ValueError("a number without an end")
    return number


class UpstreamHttp:
    """Speaks plain HTTP to one server. ``title`` is what people read when it does not answer."""

    def __init__(
        self,
        name: str,
        title: str,
        url: Callable[[], str | None],
        client: httpx.AsyncClient | None = None,
    ) -> None:
        """``url``: its base address now; None where there is no such server."""
        self.name = name
        self.title = title
        self._url = url
        self._client = client or plain_client(
            follow_redirects=False,
            limits=httpx.Limits(max_connections=64, max_keepalive_connections=4),
        )

    @property
    def there(self) -> bool:
        """Whether the owner has such a server at all."""
        return self._url() is not None

    @property
    def base(self) -> str | None:
        """Its base address now."""
        return self._url()

    @asynccontextmanager
    async def asked(
        self, method: str, path: str, *, seconds: float, **options: Any
    ) -> AsyncIterator[httpx.Response]:
        """Send a request and yield its answer, whose body is still to be read.

        ``options`` are those of ``httpx``. Leaving early closes the connection, which is all that
        a server can see of a caller that does not want an answer any more.
        Raises SpeechError: ``upstream_down``, ``upstream_timeout`` when nothing came for
        ``seconds``, ``upstream_bad_response`` when the connection broke.
        """
        base = self._url()
        if base is None:
            raise SpeechError("upstream_down", f"{self.title} is no part of this cluster")
        timeout = httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds), pool=seconds)
        try:
            async with self._client.stream(
                method, base + path, timeout=timeout, **options
            ) as answer:
                yield answer
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise SpeechError("upstream_down", f"{self.title} does not answer") from error
        except httpx.TimeoutException as error:
            raise self._late(seconds) from error
        except httpx.HTTPError as error:
            raise SpeechError(
                "upstream_bad_response", f"{self.title} broke off in the middle of its answer"
            ) from error

    async def answered(self, method: str, path: str, *, seconds: float, **options: Any) -> Answer:
        """Send a request and read its whole answer, within ``seconds`` altogether.

        Raises SpeechError like ``asked``.
        """
        try:
            async with (
                asyncio.timeout(seconds + CONNECT_SECONDS),
                self.asked(method, path, seconds=seconds, **options) as answer,
            ):
                body = bytearray()
                async for piece in answer.aiter_bytes():
                    body += piece
                    if len(body) > MOST_ANSWER:
                        raise SpeechError(
                            "upstream_bad_response", f"the answer of {self.title} has no end"
                        )
        except TimeoutError as error:
            raise self._late(seconds) from error
        return Answer(answer.status_code, answer.headers, bytes(body))

    async def get(self, path: str, *, seconds: float = 5.0) -> Answer:
        """Ask for something small; raises SpeechError like ``asked``."""
        return await self.answered("GET", path, seconds=seconds)

    def _late(self, seconds: float) -> SpeechError:
        return SpeechError(
            "upstream_timeout", f"{self.title} did not answer within {seconds:.0f} s"
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()
