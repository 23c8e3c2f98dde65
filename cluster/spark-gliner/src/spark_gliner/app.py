"""The routes: the one that NeMo Guardrails' GLiNER server has, and how this one is."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response

from spark_gliner.bodies import read_question
from spark_gliner.refusals import RefusalError, refuse_alike
from spark_gliner.server import Server


def build_app(server: Server) -> FastAPI:
    """Return the application; its model is loaded while it answers already."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        loading = asyncio.create_task(server.start())
        yield
        server.stop()
        loading.cancel()

    app = FastAPI(title="spark-gliner", lifespan=lifespan, docs_url=None, redoc_url=None)
    refuse_alike(app)

    @app.get("/health")
    async def health() -> Response:
        """Say whether the model can be used: 200, or 503 with why not."""
        good = server.state == "ok"
        said = {"status": server.state} | ({"problem": server.problem} if server.problem else {})
        return JSONResponse(said, 200 if good else 503)

    @app.get("/metrics")
    async def metrics() -> Response:
        """Numbers for Prometheus."""
        server.meters.waiting.set(server.waiting)
        return Response(server.meters.text(), media_type="text/plain; version=0.0.4")

    @app.get("/v1/models")
    async def models() -> Response:
        """Name what is loaded."""
        row = {"id": server.tagger().name, "object": "model", "created": server.created}
        return JSONResponse({"object": "list", "data": [row | {"owned_by": "spark-gliner"}]})

    @app.post("/v1/extract")
    async def extract(request: Request) -> Response:
        """Return the strings of a text that go by one of the labels."""
        began = time.monotonic()
        status = "500"
        try:
            answer = await _extracted(request, server)
            status = "200"
        except RefusalError as refusal:
            status = str(refusal.status)
            raise
        finally:
            server.meters.requests.labels(status).inc()
            server.meters.seconds.observe(time.monotonic() - began)
        return answer

    return app


async def _extracted(request: Request, server: Server) -> Response:
    asked = read_question(await _raw(request, server), server.settings)
    entities = [
        {
            "value": asked.text[each.start : each.end],
            "suggested_label": each.label,
            "start_position": each.start,
            "end_position": each.end,
            "score": round(each.score, 4),
        }
        for each in await server.extract(asked)
    ]
    said = {"entities": entities, "total_entities": len(entities)}
    return JSONResponse(said, headers={"cache-control": "no-store"})


async def _raw(request: Request, server: Server) -> bytes:
    """Return the body, and stop reading where it is longer than may be."""
    most = server.settings.gliner_max_body_kb * 1024
    pieces, size = [], 0
    async for piece in request.stream():
        pieces.append(piece)
        size += len(piece)
        if size > most:
            raise RefusalError(413, f"A body may have {most} bytes.")
    return b"".join(pieces)
