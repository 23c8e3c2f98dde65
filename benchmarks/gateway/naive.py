"""The proxy that everybody writes first: a FastAPI route and a shared httpx client."""

import os
import sys
from collections.abc import AsyncIterator

import httpx
import uvicorn
from fastapi import FastAPI, Request
from starlette.responses import Response, StreamingResponse

UPSTREAM = os.environ.get("UPSTREAM", "")
app = FastAPI()
client = httpx.AsyncClient(limits=httpx.Limits(max_connections=1000), timeout=60, trust_env=False)


@app.post("/v1/chat/completions")
async def chat(request: Request) -> Response:
    body = await request.json()
    if not body.get("stream"):
        answer = await client.post(f"{UPSTREAM}/v1/chat/completions", json=body)
        return Response(answer.content, answer.status_code, media_type="application/json")

    async def events() -> AsyncIterator[bytes]:
        async with client.stream("POST", f"{UPSTREAM}/v1/chat/completions", json=body) as answer:
            async for chunk in answer.aiter_raw():
                yield chunk

    return StreamingResponse(events(), media_type="text/event-stream")


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="error", access_log=False)
