"""``GET /api/audio/status``: how speech stands, and who waits for it."""

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from spark_audio_proxy.permits.permits import Permits
from spark_audio_proxy.upstreams.parakeet import Parakeet

_LONGEST_WORD = 300


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
            state = "recovering"
        elif said.get("status") == "failed":
            state = "suspect"
        else:
            state = "busy" if working else "ready"
        body = {
            "state": state,
            "queue": queue,
            "upstream": {"answers": said is not None, **told_of(said or {})},
            **self._more(),
        }
        return JSONResponse(body, headers={"cache-control": "no-store"})


def told_of(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return what people may see of what the server says of itself: words, and no more of them."""
    diarizer = said.get("diarizer")
    parts = diarizer if isinstance(diarizer, Mapping) else {}
    return {
        "status": _word(said.get("status")),
        "model": _word(said.get("model")),
        "device": _word(said.get("device")),
        "diarizer": {name: _word(parts.get(name)) for name in ("status", "problem")}
        if parts
        else None,
    }


def _word(value: object) -> str | None:
    if not isinstance(value, str):
        return None
    return value[:_LONGEST_WORD].encode("utf-8", "replace").decode("utf-8")
