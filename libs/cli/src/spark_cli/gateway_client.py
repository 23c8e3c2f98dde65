"""Talks to a running gateway over HTTP, and turns every failure into one line."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import click
import httpx

DEFAULT_URL = "http://127.0.0.1:9999"
REFUSED = 3
"""Exit code when the gateway refuses or cannot be reached."""


class RefusedError(click.ClickException):
    """The gateway said no, or nobody answered."""

    exit_code = REFUSED


@dataclass(frozen=True)
class ServerEvent:
    """One event of a text/event-stream."""

    name: str
    id: str | None
    body: Any


def gateway_url() -> str:
    """Return the address of the gateway: SPARK_CONTROL_URL, else this machine."""
    return os.environ.get("SPARK_CONTROL_URL", DEFAULT_URL).rstrip("/")


class GatewayClient:
    """A small client of the public control API."""

    def __init__(self, url: str, transport: httpx.BaseTransport | None = None) -> None:
        self._http = httpx.Client(base_url=url, timeout=15.0, transport=transport)
        self._url = url

    def get(self, path: str, **query: str | int | bool) -> Any:
        """GET a JSON document."""
        return self._ask("GET", path, params=query)

    def post(self, path: str, body: dict[str, Any], headers: dict[str, str] | None = None) -> Any:
        """POST a JSON document and return the JSON answer."""
        return self._ask("POST", path, json=body, headers=headers)

    def events(self, path: str, last_id: str | None = None) -> Iterator[ServerEvent]:
        """Follow server-sent events; resumes by itself, ends when the server says so."""
        while True:
            headers = {"accept": "text/event-stream"}
            if last_id is not None:
                headers["last-event-id"] = last_id
            try:
                timeout = httpx.Timeout(15.0, read=60.0)
                with self._http.stream("GET", path, headers=headers, timeout=timeout) as answer:
                    if answer.status_code == httpx.codes.NO_CONTENT:
                        return
                    if answer.is_error:
                        answer.read()
                        raise self._refusal(answer)
                    for event in parse_events(answer.iter_lines()):
                        last_id = event.id or last_id
                        yield event
            except (httpx.RemoteProtocolError, httpx.ReadError, httpx.ReadTimeout):
                continue
            except httpx.TransportError as error:
                raise self._unreachable() from error

    def _ask(self, method: str, path: str, **arguments: Any) -> Any:
        try:
            answer = self._http.request(method, path, **arguments)
        except httpx.TransportError as error:
            raise self._unreachable() from error
        if answer.is_error:
            raise self._refusal(answer)
        return answer.json()

    def _unreachable(self) -> RefusedError:
        return RefusedError(
            f"nobody answers at {self._url}: start it with `make demo`, "
            "or set SPARK_CONTROL_URL to where it runs"
        )

    @staticmethod
    def _refusal(answer: httpx.Response) -> RefusedError:
        try:
            problem = answer.json()
            text = f"{problem['detail']} ({problem['code']})"
            near = problem.get("details", {}).get("near")
        except (ValueError, KeyError, TypeError, AttributeError):
            return RefusedError(f"the gateway answered {answer.status_code}")
        if near:
            text += f"\nclose to it: {', '.join(near)}"
        return RefusedError(text)


def parse_events(lines: Iterator[str]) -> Iterator[ServerEvent]:
    """Turn the lines of an event stream into events; comments are skipped."""
    name, identity, data = "message", None, list[str]()
    for line in lines:
        if line == "":
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
