"""The simulator's embedding server and the real one answer alike, apart from the numbers."""

from typing import Any

import httpx
import pytest

from spark_embed.app import build_app
from spark_embed.meters import Meters
from spark_embed.server import Server
from spark_embed.settings import Settings
from spark_embed.tiny import tiny_models
from spark_embed.token_ids import refuse
from spark_sim.embed_http.app import EmbedServer

REQUESTS: list[tuple[str, str, Any]] = [
    ("GET", "/v1/models", None),
    ("GET", "/health", None),
    ("GET", "/v1/embeddings", None),
    ("GET", "/nowhere", None),
    ("POST", "/v1/embeddings", {"input": "Paris"}),
    ("POST", "/v1/embeddings", {"input": ["Paris", "cats"], "encoding_format": "base64"}),
    ("POST", "/v1/embeddings", {"input": ["Paris"], "return_sparse": True}),
    ("POST", "/v1/embeddings", {"input": [1, 2]}),
    ("POST", "/v1/embeddings", {"input": [[1, 2], [3]]}),
    ("POST", "/v1/embeddings", {"input": []}),
    ("POST", "/v1/embeddings", {"input": 7}),
    ("POST", "/v1/embeddings", {}),
    ("POST", "/v1/embeddings", {"input": "a", "model": "nope"}),
    ("POST", "/v1/embeddings", {"input": "a", "dimensions": 7}),
    ("POST", "/v1/embeddings", {"input": "a", "encoding_format": "hex"}),
    ("POST", "/v1/embeddings", {"input": "w " * 9000}),
    ("POST", "/embed_sparse", {"inputs": ["Paris"]}),
    ("POST", "/rerank", {"query": "a", "documents": ["b", "c"]}),
    ("POST", "/v1/rerank", {"query": "a", "documents": [{"text": "b"}], "top_n": 1}),
    ("POST", "/v2/rerank", {"query": "a", "documents": ["b"], "return_documents": False}),
    ("POST", "/rerank", {"query": "a", "documents": ["w " * 9000]}),
    ("POST", "/rerank", {"query": "a", "documents": []}),
    ("POST", "/rerank", {"documents": ["b"]}),
]


def shape(value: object) -> object:
    """Return names and types, without the values."""
    if isinstance(value, dict):
        named = {key: shape(item) for key, item in value.items()}
        # Which parameter an error names is for people to read.
        return named | {"param": "-"} if "param" in named else named
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return "number" if isinstance(value, int | float) else type(value).__name__


@pytest.mark.parametrize(("method", "path", "body"), REQUESTS)
async def test_they_answer_alike(method: str, path: str, body: Any) -> None:
    server = Server(Settings(), lambda _: tiny_models(), Meters())
    await server.start()
    told = []
    for application in (build_app(server, refuse), EmbedServer()):
        transport = httpx.ASGITransport(application)  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://embed") as http:
            answer = await http.request(method, path, json=body)
            told.append((answer.status_code, shape(answer.json())))
    server.stop()
    assert told[0] == told[1]
