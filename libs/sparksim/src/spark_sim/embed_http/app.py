"""The HTTP surface of the embedding server, as ``cluster/spark-embed`` has it."""

import asyncio
import base64
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from spark_sim.embed_http import small_model
from spark_sim.embed_http.bodies import (
    Body,
    count,
    documents_of,
    model_of,
    read_body,
    refused,
    texts_of,
)
from spark_sim.pace import epoch
from spark_sim.vllm_http.choices import new_id
from spark_sim.vllm_http.errors import RequestError
from spark_sim.vllm_http.exchange import ClientGoneError, Exchange, Receive, Send

EMBEDDER = "BAAI/bge-m3"
RERANKER = "BAAI/bge-reranker-v2-m3"


@dataclass
class EmbedServer:
    """The ASGI application; its switches are what a real one may lack or suffer."""

    has_sparse: bool = True
    """False: a plain OpenAI server, which passes over ``return_sparse``."""
    has_reranker: bool = True
    loading: bool = False
    failed: str | None = None
    """Why its models cannot be used."""
    delay_seconds: float = 0.0
    calls: list[str] = field(default_factory=list)
    """Paths that were asked, in order."""

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        exchange = Exchange(scope, receive, send)
        try:
            await self._answer(exchange)
        except ClientGoneError:
            return
        except RequestError as error:
            await exchange.reply_json(error.body(), error.status)

    async def _answer(self, exchange: Exchange) -> None:
        self.calls.append(exchange.path)
        routes = self._routes()
        if exchange.path == "/openapi.json":
            await exchange.reply_json({"openapi": "3.1.0", "paths": dict.fromkeys(routes, None)})
            return
        methods = routes.get(exchange.path)
        if methods is None:
            gone = RequestError("There is nothing at this address.", "NotFoundError", None, 404)
            await exchange.reply_json(gone.body(), 404)
        elif exchange.method not in methods:
            gone = RequestError("It does not answer to that.", "MethodNotAllowed", None, 405)
            await exchange.reply_json(gone.body(), 405, allow=", ".join(methods))
        elif self.loading and exchange.path != "/health":
            gone = RequestError("The models are being loaded.", "ServiceUnavailable", None, 503)
            await exchange.reply_json(gone.body(), 503, retry_after="5")
        else:
            await asyncio.sleep(self.delay_seconds)
            await methods[exchange.method](exchange)

    def _routes(self) -> dict[str, dict[str, Callable[[Exchange], Awaitable[None]]]]:
        routes: dict[str, dict[str, Callable[[Exchange], Awaitable[None]]]] = {
            "/health": {"GET": self._health},
            "/v1/models": {"GET": self._models},
            "/v1/embeddings": {"POST": self._embeddings},
        }
        if self.has_sparse:
            routes["/embed_sparse"] = {"POST": self._embed_sparse}
        if self.has_reranker:
            for path in ("/rerank", "/v1/rerank", "/v2/rerank"):
                routes[path] = {"POST": self._rerank}
        return routes

    async def _health(self, exchange: Exchange) -> None:
        if self.failed is not None:
            await exchange.reply_json({"status": "failed", "problem": self.failed}, 503)
            return
        state = "loading" if self.loading else "ok"
        await exchange.reply_json({"status": state}, 503 if self.loading else 200)

    async def _models(self, exchange: Exchange) -> None:
        kinds = {EMBEDDER: "embedding"} | ({RERANKER: "rerank"} if self.has_reranker else {})
        rows = [
            {"id": name, "object": "model", "created": 1_700_000_000, "owned_by": "spark-embed",
             "max_model_len": small_model.MAX_TOKENS, "kind": kind}
            for name, kind in kinds.items()
        ]  # fmt: skip
        await exchange.reply_json({"object": "list", "data": rows})

    async def _embeddings(self, exchange: Exchange) -> None:
        body = read_body(await exchange.body())
        name = model_of(body, (EMBEDDER,))
        coding = body.get("encoding_format", "float")
        if coding not in ("float", "base64"):
            raise refused("encoding_format must be float or base64.", "encoding_format")
        if body.get("dimensions") not in (None, small_model.DIMENSIONS):
            raise refused(
                f"Model '{name}' does not support Matryoshka embeddings; dimensions must be unset "
                f"(received dimensions={body['dimensions']}).", None,
            )  # fmt: skip
        if "input" not in body:
            raise refused("input is required.", "input")
        texts = texts_of(body["input"], "input")
        tokens = count(texts)
        rows = [self._row(index, text, body) for index, text in enumerate(texts)]
        await exchange.reply_json(
            {
                "id": new_id("embd-"), "object": "list", "created": int(epoch()), "model": name,
                "data": rows, "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
            }
        )  # fmt: skip

    def _row(self, index: int, text: str, body: Body) -> dict[str, Any]:
        vector: Any = small_model.dense(text)
        if body.get("encoding_format") == "base64":
            vector = base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
        row = {"index": index, "object": "embedding", "embedding": vector}
        if self.has_sparse and body.get("return_sparse"):
            weights = small_model.sparse(text)
            row["sparse_embedding"] = {"indices": list(weights), "values": list(weights.values())}
        return row

    async def _embed_sparse(self, exchange: Exchange) -> None:
        body = read_body(await exchange.body())
        texts = texts_of(body.get("inputs"), "inputs")
        count(texts)
        await exchange.reply_json(
            [
                [{"index": i, "value": v} for i, v in small_model.sparse(text).items()]
                for text in texts
            ]
        )

    async def _rerank(self, exchange: Exchange) -> None:
        body = read_body(await exchange.body())
        name = model_of(body, (RERANKER,))
        query = body.get("query")
        if not isinstance(query, str):
            raise refused("query is required.", "query")
        documents = documents_of(body)
        # What is too long is cut there, not refused.
        tokens = sum(small_model.count_tokens(f"{query} {one}") for one in documents)
        results = [
            {"index": index, "document": {"text": text, "multi_modal": None},
             "relevance_score": small_model.relevance(query, text)}
            for index, text in enumerate(documents)
        ]  # fmt: skip
        results.sort(key=lambda row: -float(str(row["relevance_score"])))
        if body.get("return_documents") is False:
            for row in results:
                del row["document"]
        await exchange.reply_json(
            {
                "id": new_id("score-"), "model": name,
                "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
                "results": results[: int(body.get("top_n") or len(results))],
            }
        )  # fmt: skip
