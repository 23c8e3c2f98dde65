"""Bodies no client should send: the runtime's stand-in refuses them as vLLM does, and lives on."""

import asyncio
import json
from typing import Any, Final

import pytest

from spark_sim.vllm_http.app import GENERATING, VllmApp
from spark_sim.vllm_http.declared import DECLARED
from spark_sim.vllm_http.engine import Engine, Served

SOUND: Final[dict[str, object]] = {
    "model": "tiny", "max_tokens": 1, "prompt": "Hello", "input": "Hello",
    "messages": [{"role": "user", "content": "Hello"}],
}  # fmt: skip
ODD: Final = (
    "NaN", "Infinity", "1e999", "-1", "1.5", "true", "null", '"x"', "[]", "{}", "[1]", "[[1]]",
    '["x"]', "[[NaN]]", '[{"role": "user", "content": 1}]', '{"include_usage": [1]}',
)  # fmt: skip
DEEP: Final = b"[" * 100_000 + b"]" * 100_000
PATHS: Final = [*GENERATING, "/tokenize", "/detokenize"]


async def _forget(line: str) -> None:
    """Stand in for the container's log."""


@pytest.fixture
def app() -> VllmApp:
    served = Served(names=("tiny",), root="tiny", context_length=4096, thinks=True)
    engine = Engine(
        served, tokens_per_second=1_000_000, drag=lambda: 1.0,
        note=lambda kind, **details: None, wedges=lambda: False, babbles=lambda: False,
    )  # fmt: skip
    return VllmApp(engine, _forget)


async def _status(app: VllmApp, path: str, body: bytes) -> tuple[int, bytes]:
    """Return what a body is answered with, without a socket."""
    status, pieces, asked = 0, [], iter([{"type": "http.request", "body": body}])

    async def receive() -> dict[str, Any]:
        for message in asked:
            return message
        return await asyncio.Future[dict[str, Any]]()

    async def send(message: dict[str, Any]) -> None:
        nonlocal status
        status = message.get("status", status)
        pieces.append(message.get("body", b""))

    head = [(b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": path, "headers": head}
    await app(scope, receive, send)
    return status, b"".join(pieces)


@pytest.mark.parametrize("path", PATHS)
async def test_no_value_of_any_field_is_an_error_of_the_server(app: VllmApp, path: str) -> None:
    for name in {*DECLARED, *SOUND}:
        for value in ODD:
            fields = {key: json.dumps(given) for key, given in SOUND.items()} | {name: value}
            body = "{" + ",".join(f'"{key}":{given}' for key, given in fields.items()) + "}"
            status, answer = await _status(app, path, body.encode())
            assert status in {200, 400, 404}, (name, value, answer)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("bad", [DEEP, b"1" * 5000], ids=["deep", "long number"])
async def test_what_python_will_not_read_cannot_be_parsed(
    app: VllmApp, path: str, bad: bytes
) -> None:
    status, answer = await _status(app, path, b'{"model":"tiny","x":' + bad + b"}")
    assert (status, answer) == (400, b'{"detail":"There was an error parsing the body"}')


async def test_a_number_that_is_none_is_named_as_pydantic_does(app: VllmApp) -> None:
    body = b'{"model":"tiny","messages":[{"role":"user","content":"a"}],"max_tokens":NaN}'
    status, answer = await _status(app, "/v1/chat/completions", body)
    error = json.loads(answer)["error"]
    assert (status, error["type"], error["param"]) == (400, "Bad Request", "body.max_tokens")
    assert "Input should be a finite number" in error["message"]
