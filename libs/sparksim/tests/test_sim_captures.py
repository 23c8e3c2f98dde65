"""The runtime's stand-in beside what a real vLLM put on the wire for the same requests."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from spark_common.plain_http import plain_client
from spark_sim.vllm_http.engine import Engine, Served
from spark_sim.vllm_http.server import VllmServer

pytestmark = pytest.mark.connected

CAPTURES = Path(__file__).parent / "captures"
NAMES = sorted(path.name.removesuffix(".req.json") for path in CAPTURES.glob("*.req.json"))
NAMES.remove("chat_stream.raw")
SAME_HEADERS = ("content-type", "allow", "vary", "server", "access-control-max-age")


async def forget(line: str) -> None:
    """Stand in for the container's log."""


@pytest.fixture
async def base() -> AsyncIterator[str]:
    served = Served(
        names=("tiny", "tiny-alias"), root="models/chat", context_length=4096, thinks=True
    )
    engine = Engine(
        served, tokens_per_second=20_000, drag=lambda: 1.0,
        note=lambda kind, **details: None, wedges=lambda: False, babbles=lambda: False,
    )  # fmt: skip
    server = VllmServer(engine, forget)
    listener = socket.create_server(("127.0.0.1", 0))
    await server.start(listener)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    await server.stop()


def captured(name: str) -> tuple[int, dict[str, str], str]:
    """Return status, headers and body of a capture."""
    head, _, body = (CAPTURES / f"{name}.txt").read_text().partition("\n\n")
    first, *rows = head.splitlines()
    headers = {k.lower(): v.strip() for k, _, v in (row.partition(":") for row in rows)}
    return int(first.split()[1]), headers, body


def content_of(request: dict[str, Any]) -> bytes | None:
    """Return the bytes a capture's request had."""
    body = request["body"]
    if body is None:
        return None
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()


def shape(value: object) -> object:
    """Return names, order and types, without the values."""
    if isinstance(value, dict):
        return [(key, shape(item)) for key, item in value.items()]
    if isinstance(value, list):
        return sorted({repr(shape(item)) for item in value})
    return type(value).__name__


def events(body: str) -> list[object]:
    """Return the shapes of server-sent events, repeats folded."""
    found: list[object] = []
    for block in body.strip().split("\n\n"):
        fields = dict(row.split(": ", 1) for row in block.splitlines())
        data = fields["data"]
        one = (fields.get("event"), data if data == "[DONE]" else shape(json.loads(data)))
        if not found or found[-1] != one:
            found.append(one)
    return found


@pytest.mark.parametrize("name", NAMES)
async def test_it_answers_like_the_capture(name: str, base: str) -> None:
    request = json.loads((CAPTURES / f"{name}.req.json").read_text())
    status, headers, body = captured(name)
    async with plain_client() as client:
        sent = {k: v for k, v in request["headers"].items() if v}
        answer = await client.request(
            request["method"], base + request["path"], content=content_of(request), headers=sent
        )
    assert answer.status_code == status
    for header in SAME_HEADERS:
        assert answer.headers.get(header) == headers.get(header), header
    if headers.get("content-type", "").startswith("text/event-stream"):
        assert answer.headers["transfer-encoding"] == headers["transfer-encoding"]
        if "n2" in name:
            assert {repr(e) for e in events(answer.text)} == {repr(e) for e in events(body)}
        else:
            assert events(answer.text) == events(body)
    elif status >= 400:
        assert answer.text == body.strip()
    elif body.strip():
        assert shape(answer.json()) == shape(json.loads(body))
    else:
        assert answer.content == b""


async def test_every_event_is_one_chunk_of_the_wire(base: str) -> None:
    request = json.loads((CAPTURES / "chat_stream.raw.req.json").read_text())
    payload = json.dumps(request["body"]).encode()
    host, port = base.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        b"content-length: %d\r\n\r\n%s" % (len(payload), payload)
    )
    raw = await reader.readuntil(b"\r\n0\r\n\r\n")
    writer.close()
    _, _, body = (CAPTURES / "chat_stream.raw.txt").read_text().partition("\n\n")
    expected = [len(row) < 5 for row in body.splitlines() if row]
    got = [len(row) < 5 for row in raw.decode().partition("\r\n\r\n")[2].splitlines() if row]
    assert got == expected
