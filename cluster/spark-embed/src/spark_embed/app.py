"""The routes: OpenAI's embeddings, the weights of text-embeddings-inference, and reranking."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response

from spark_embed import answers
from spark_embed.bodies import read_embed, read_json, read_rank, read_sparse
from spark_embed.refusals import RefusalError, refuse_alike
from spark_embed.server import Server
from spark_embed.token_ids import Decode

ROUTES = ("/v1/embeddings", "/embed_sparse", "/rerank", "/v1/rerank", "/v2/rerank")


def build_app(server: Server, decode: Decode) -> FastAPI:
    """Return the application; its models are loaded while it answers already."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        loading = asyncio.create_task(server.start())
        yield
        server.stop()
        loading.cancel()

    app = FastAPI(title="spark-embed", lifespan=lifespan, docs_url=None, redoc_url=None)

    refuse_alike(app)

    @app.middleware("http")
    async def metered(
        request: Request, go_on: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        route = request.url.path if request.url.path in ROUTES else "other"
        began = time.monotonic()
        response = await go_on(request)
        server.meters.requests.labels(route, str(response.status_code)).inc()
        server.meters.seconds.labels(route).observe(time.monotonic() - began)
        return response

    @app.get("/health")
    async def health() -> Response:
        """Say whether the models can be used: 200, or 503 with why not."""
        good = server.state == "ok"
        said = {"status": server.state} | ({"problem": server.problem} if server.problem else {})
        return JSONResponse(said, 200 if good else 503)

    @app.get("/metrics")
    async def metrics() -> Response:
        """Numbers for Prometheus."""
        server.meters.waiting.set(server.waiting_tokens)
        return Response(server.meters.text(), media_type="text/plain; version=0.0.4")

    @app.get("/v1/models")
    async def models() -> Response:
        """List what is loaded."""
        return JSONResponse(answers.model_list(server.models(), server.created))

    @app.post("/v1/embeddings")
    async def embeddings(request: Request) -> Response:
        """Dense vectors, and with ``return_sparse`` the weights of their words beside them."""
        encoder = server.models().encoder
        body = read_json(await _raw(request, server))
        _require_model(body.get("model"), encoder.name)
        asked = read_embed(
            body,
            dimensions=encoder.dimensions,
            max_tokens=encoder.max_tokens,
            most=server.settings.embed_max_inputs,
            decode=decode,
        )
        found, tokens = await server.encode(asked)
        return JSONResponse(answers.embeddings(asked, found, encoder.name, tokens))

    @app.post("/embed_sparse")
    async def embed_sparse(request: Request) -> Response:
        """The weights of the words alone."""
        encoder = server.models().encoder
        asked = read_sparse(
            read_json(await _raw(request, server)),
            max_tokens=encoder.max_tokens,
            most=server.settings.embed_max_inputs,
            decode=decode,
        )
        found, _ = await server.encode(asked)
        return JSONResponse(answers.weights(found))

    async def rerank(request: Request) -> Response:
        """Documents by how well they answer a query."""
        ranker = server.models().ranker
        if ranker is None:
            raise RefusalError(404, "No reranker is loaded.")
        body = read_json(await _raw(request, server))
        _require_model(body.get("model"), ranker.name)
        asked = read_rank(body, most=server.settings.embed_max_inputs)
        scores, tokens = await server.rank(asked)
        return JSONResponse(answers.ranking(asked, scores, ranker.name, tokens))

    for path in ("/rerank", "/v1/rerank", "/v2/rerank"):
        app.add_api_route(path, rerank, methods=["POST"])
    return app


def _require_model(named: object, loaded: str) -> None:
    if named is not None and named != loaded:
        raise RefusalError(404, f"The model `{named}` does not exist.", "model")


async def _raw(request: Request, server: Server) -> bytes:
    """Return the body, and stop reading where it is longer than may be."""
    most = server.settings.embed_max_body_mb * 1024 * 1024
    pieces, size = [], 0
    async for piece in request.stream():
        pieces.append(piece)
        size += len(piece)
        if size > most:
            raise RefusalError(413, f"A body may have {most} bytes.")
    return b"".join(pieces)
