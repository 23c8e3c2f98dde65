"""``GET /api/audio/status``: how speech stands, and who waits for it."""

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from spark_audio_proxy.permits.permits import Permits
from spark_audio_proxy.upstreams.parakeet import Parakeet


class Status:
    """Puts together what the parts say of themselves."""

    def __init__(
        self,
        permits: Permits,
        parakeet: Parakeet,
        more: Callable[[], Mapping[str, Any]] = dict,
    ) -> None:
        """``more``: further facts; its ``state`` wins over what is seen here."""
        self._permits = permits
        self._parakeet = parakeet
        self._more = more

    def router(self) -> APIRouter:
        """Return the route."""
        router = APIRouter()
        router.add_api_route("/api/audio/status", self.show, methods=["GET"])
        return router

    async def show(self) -> Response:
        """Answer; busy is never reported as unhealthy."""
        queue = self._permits.standing()
        said = await self._parakeet.health()
        working = not self._permits.idle
        if said is None:
            # While it works the stock server answers nobody: only silence without work is news.
            state = "busy" if working else "down"
        elif said.get("status") == "loading":
            state = "loading"
        elif said.get("status") == "failed":
            state = "suspect"
        else:
            state = "busy" if working else "ready"
        body = {
            "state": state,
            "queue": queue,
            "upstream": {
                "answers": said is not None,
                "model": said.get("model") if said else None,
                "device": said.get("device") if said else None,
                "diarizer": said.get("diarizer") if said else None,
            },
            **self._more(),
        }
        return JSONResponse(body, headers={"cache-control": "no-store"})
