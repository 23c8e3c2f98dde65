"""A runtime that embeds has no chat, and one that chats has no embeddings."""

import base64
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import httpx
import pytest

from spark_common.plain_http import plain_client
from spark_common.runtime_questions import first_token
from spark_sim.vllm_http.engine import Engine, Served
from spark_sim.vllm_http.server import VllmServer

pytestmark = pytest.mark.connected
CHAT = {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 4}
Start = Callable[[bool], Awaitable[httpx.AsyncClient]]


async def forget(line: str) -> None:
    """Stand in for the container's log."""


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    async with AsyncExitStack() as exits:

        async def serve(pooling: bool) -> httpx.AsyncClient:
            served = Served(names=("m",), root="org/m", context_length=4096, pooling=pooling)
            engine = Engine(
                served, tokens_per_second=20_000, drag=lambda: 1.0,
                note=lambda kind, **details: None, wedges=lambda: False, babbles=lambda: False,
            )  # fmt: skip
            server = VllmServer(engine, forget)
            listener = socket.create_server(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            await server.start(listener)
            exits.push_async_callback(server.stop)
            return await exits.enter_async_context(plain_client(base_url=url))

        yield serve


async def test_each_kind_has_its_routes_and_no_others(start: Start) -> None:
    for pooling in (True, False):
        client = await start(pooling)
        chat = await client.post("/v1/chat/completions", json=CHAT)
        vector = await client.post("/v1/embeddings", json={"input": "Hi"})
        assert (chat.status_code, vector.status_code) == ((404, 200) if pooling else (200, 404))
        missing = chat if pooling else vector
        assert missing.json() == {"detail": "Not Found"}
        assert (await client.get("/v1/models")).json()["data"][0]["id"] == "m"


@pytest.mark.parametrize("pooling", [True, False])
@pytest.mark.parametrize("told", [True, False])
async def test_a_first_token_comes_of_either_kind(start: Start, pooling: bool, told: bool) -> None:
    client = await start(pooling)
    url = str(client.base_url).rstrip("/")
    assert await first_token(client, url, "m", pooling=pooling and told) is None
    assert "HTTP 404" in (await first_token(client, url, "other") or "")


async def test_the_same_text_is_the_same_vector_in_both_codings(start: Start) -> None:
    client = await start(True)
    body = {"model": "m", "input": ["Hi", "there", "Hi"]}
    rows = (await client.post("/v1/embeddings", json=body)).json()["data"]
    first, other, again = (row["embedding"] for row in rows)
    assert first == again != other
    assert sum(value * value for value in first) == pytest.approx(1)
    answer = await client.post("/v1/embeddings", json={**body, "encoding_format": "base64"})
    packed = base64.b64decode(answer.json()["data"][0]["embedding"])
    assert struct.unpack(f"<{len(first)}f", packed) == pytest.approx(first, abs=1e-6)


@pytest.mark.parametrize("given", [[], {}, [1, "a"], None, 7])
async def test_what_is_no_input_is_refused(start: Start, given: object) -> None:
    client = await start(True)
    answer = await client.post("/v1/embeddings", json={"model": "m", "input": given})
    assert answer.status_code == 400
