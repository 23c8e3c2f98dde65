"""Talks to a running gateway over HTTP, and turns every failure into one line."""

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import click
import httpx

from spark_common.plain_http import trusting_nobody

DEFAULT_URL = "http://127.0.0.1:9999"
KEY_VARIABLE = "SPARK_CONTROL_KEY"
"""Holds the API key to show, where the gateway asks for keys."""
REFUSED = 3
"""Exit code when the gateway refuses or cannot be reached."""
_AGAIN_SECONDS = 0.5
_MOST_TRIES = 120
"""A stream that was followed may be away for a minute: the gateway is being started again."""
_CONNECT_SECONDS = 15.0
_PATIENCE_SECONDS = 240.0
"""The gateway ends every question itself, in time for what it takes; a deletion takes longest."""
_AWAY = frozenset({httpx.codes.BAD_GATEWAY, httpx.codes.SERVICE_UNAVAILABLE})


class RefusedError(click.ClickException):
    """The gateway said no, or nobody answered."""

    exit_code = REFUSED


class AwayError(RefusedError):
    """The gateway, or what stands behind it, is away just now."""


@dataclass(frozen=True)
class ServerEvent:
    """One event of a text/event-stream."""

    name: str
    id: str | None
    body: Any


def gateway_url() -> str:
    """Return the address of the gateway: SPARK_CONTROL_URL, else this machine."""
    return (os.environ.get("SPARK_CONTROL_URL", "").strip() or DEFAULT_URL).rstrip("/")


class GatewayClient:
    """A small client of the public control API."""

    def __init__(
        self,
        url: str,
        transport: httpx.BaseTransport | None = None,
        pause: Callable[[float], None] = time.sleep,
        patience_seconds: float = _PATIENCE_SECONDS,
    ) -> None:
        """``pause`` waits between two attempts to follow a stream. Raises RefusedError."""
        if not url.startswith(("http://", "https://")):
            raise RefusedError(f"SPARK_CONTROL_URL must begin with http:// or https://: {url}")
        try:
            self._http = httpx.Client(
                base_url=url,
                timeout=httpx.Timeout(_CONNECT_SECONDS, read=patience_seconds),
                transport=transport,
                headers=_shown_key(),
                # Reading the authorities costs 25 ms, for nothing where there is no TLS.
                verify=trusting_nobody() if url.startswith("http://") else True,
            )
        except httpx.InvalidURL as error:
            raise RefusedError(f"SPARK_CONTROL_URL is not an address: {url}") from error
        self._url = url
        self._pause = pause

    def get(self, path: str, **query: str | int | bool | list[str]) -> Any:
        """GET a JSON document."""
        return self._ask("GET", path, params=query)

    def get_as(self, headers: dict[str, str], path: str) -> Any:
        """GET a JSON document, saying along who asks."""
        return self._ask("GET", path, headers=headers)

    def post(self, path: str, body: dict[str, Any], headers: dict[str, str] | None = None) -> Any:
        """POST a JSON document and return the JSON answer."""
        return self._ask("POST", path, json=body, headers=headers)

    def put(self, path: str, body: dict[str, Any]) -> Any:
        """PUT a JSON document and return the JSON answer."""
        return self._ask("PUT", path, json=body)

    def patch(self, path: str, body: dict[str, Any]) -> Any:
        """PATCH with a JSON document and return the JSON answer."""
        return self._ask("PATCH", path, json=body)

    def delete(
        self,
        path: str,
        query: dict[str, str | list[str]],
        headers: dict[str, str] | None = None,
    ) -> Any:
        """DELETE, and return the JSON answer."""
        return self._ask("DELETE", path, params=query, headers=headers)

    def said(self, path: str, body: dict[str, Any]) -> Iterator[ServerEvent]:
        """POST a JSON document and read the events of the answer. Raises RefusedError."""
        begun = False
        try:
            with self._http.stream("POST", path, json=body) as answer:
                if answer.is_error:
                    answer.read()
                    raise self._refusal(answer)
                begun = True
                yield from parse_events(answer.iter_lines())
        except httpx.TransportError as error:
            if begun:
                raise RefusedError("the answer broke off") from error
            raise self._unreachable(error) from error

    def events(self, path: str, last_id: str | None = None) -> Iterator[ServerEvent]:
        """Follow server-sent events; ends when the server says so.

        Resumes by itself: once it answered, the gateway may be away for a minute, also when
        nothing was to be told yet. Raises RefusedError.
        """
        followed, tries = False, 0

        def move(place: str | None) -> None:
            nonlocal last_id, tries
            last_id, tries = place or last_id, 0

        while True:
            headers = {"accept": "text/event-stream"}
            if last_id is not None:
                headers["last-event-id"] = last_id
            try:
                timeout = httpx.Timeout(_CONNECT_SECONDS, read=60.0)
                with self._http.stream("GET", path, headers=headers, timeout=timeout) as answer:
                    if answer.status_code == httpx.codes.NO_CONTENT:
                        return
                    if answer.is_error:
                        answer.read()
                        raise self._refusal(answer)
                    followed = True
                    yield from parse_events(answer.iter_lines(), move)
            except httpx.TransportError as error:
                if not followed or tries >= _MOST_TRIES:
                    raise self._unreachable(error) from error
            except AwayError:
                if not followed or tries >= _MOST_TRIES:
                    raise
            tries += 1
            self._pause(_AGAIN_SECONDS)

    def _ask(self, method: str, path: str, **arguments: Any) -> Any:
        try:
            answer = self._http.request(method, path, **arguments)
        except httpx.TransportError as error:
            raise self._unreachable(error) from error
        if answer.is_error:
            raise self._refusal(answer)
        try:
            return answer.json()
        except ValueError as error:
            raise RefusedError(f"what answers at {self._url} is not spark-control") from error

    def _unreachable(self, error: httpx.TransportError) -> RefusedError:
        if isinstance(error, httpx.ReadTimeout):
            return RefusedError(f"{self._url} took the question and gave no answer")
        return RefusedError(
            f"nobody answers at {self._url}: start it with `make demo`, "
            "or set SPARK_CONTROL_URL to where it runs"
        )

    @staticmethod
    def _refusal(answer: httpx.Response) -> RefusedError:
        kind = AwayError if answer.status_code in _AWAY else RefusedError
        try:
            problem = answer.json()
            return kind(f"{problem['detail']} ({problem['code']})")
        except (ValueError, KeyError, TypeError):
            return kind(f"the gateway answered {answer.status_code}")


def _shown_key() -> dict[str, str]:
    """Return the field with the API key of this shell, if it has one."""
    key = os.environ.get(KEY_VARIABLE, "").strip()
    if not key:
        return {}
    if not key.isascii() or not key.isprintable():
        raise RefusedError(f"{KEY_VARIABLE} is no API key")
    return {"authorization": f"Bearer {key}"}


def parse_events(
    lines: Iterator[str], reached: Callable[[str | None], None] = lambda _: None
) -> Iterator[ServerEvent]:
    """Turn the lines of an event stream into events; comments are skipped.

    ``reached`` is told the id of every event before it is handed over, and ids that come alone:
    quiet streams say that way how far they are.
    """
    name, identity, data = "message", None, list[str]()
    for line in lines:
        if line == "":
            if data or identity is not None:
                reached(identity)
            if data:
                yield ServerEvent(name, identity, json.loads("\n".join(data)))
            name, identity, data = "message", None, []
        elif line.startswith(":"):
            continue
        else:
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if field == "event":
                name = value
            elif field == "id":
                identity = value
            elif field == "data":
                data.append(value)
