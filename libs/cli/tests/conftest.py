"""A gateway that answers what a test put down, and keeps what sparkctl asked."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

from spark_cli import gateway_client
from spark_cli.__main__ import main


@dataclass
class ScriptedGateway:
    """Stands behind every client that sparkctl makes."""

    answers: dict[tuple[str, str], httpx.Response] = field(default_factory=dict)
    asked: list[httpx.Request] = field(default_factory=list)

    def says(self, method: str, path: str, body: Any, status: int = 200) -> None:
        """Answer JSON at ``path``, as it stands in the address."""
        self.answers[method, path] = httpx.Response(status, json=body)

    def streams(self, method: str, path: str, *events: tuple[str, Any]) -> None:
        """Answer server-sent events, numbered from 1."""
        frames = [
            f"id: q1-{number}\nevent: {name}\ndata: {json.dumps(body)}\n\n"
            for number, (name, body) in enumerate(events, 1)
        ]
        self.answers[method, path] = httpx.Response(200, text="".join(frames))

    @property
    def calls(self) -> list[tuple[str, str]]:
        """Methods and paths, in the order in which they came."""
        return [_place(request) for request in self.asked]

    def body(self, number: int = -1) -> Any:
        """Return the JSON of one request, of the latest unless given."""
        return json.loads(self.asked[number].content)

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        self.asked.append(request)
        return self.answers[_place(request)]


def _place(request: httpx.Request) -> tuple[str, str]:
    return request.method, request.url.raw_path.decode().partition("?")[0]


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> ScriptedGateway:
    """Answers every client of the test."""
    made, real = ScriptedGateway(), httpx.Client

    def client(**given: Any) -> httpx.Client:
        return real(
            **{**given, "transport": httpx.MockTransport(lambda request: made.answer(request))}
        )

    monkeypatch.setattr(gateway_client.httpx, "Client", client)
    return made


@pytest.fixture(autouse=True)
def _own_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the tokens of tests away from those of whoever runs them."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def run():
    """Runs sparkctl with some words, and with ``text`` typed in."""

    def run_it(*words: str, text: str | None = None) -> Result:
        return CliRunner().invoke(main, words, input=text)

    return run_it
