"""The speech services in the control API: what came to them, and the switches of each."""

import json
from typing import Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from spark_sim.speech.kokoro import Kokoro
from spark_sim.speech.parakeet import Parakeet
from spark_sim.speech.switches import told, turn


class Speaking(Protocol):
    """Where the services are."""

    def parakeet(self) -> Parakeet | None:
        """Speech to text, where there is one."""

    def kokoro(self) -> Kokoro | None:
        """Text to speech, where there is one."""


class SpeechControl:
    """Looks with GET, turns with PUT ``{"service": "parakeet", "wedge_next": true}``, forgets."""

    def __init__(self, services: Speaking) -> None:
        self._services = services
        self.routes = [
            Route("/_sim/speech", self._look),
            Route("/_sim/speech", self._turn, methods=["PUT"]),
            Route("/_sim/speech/forget", self._forget, methods=["POST"]),
        ]

    async def _look(self, _: Request) -> JSONResponse:
        return JSONResponse(self._told())

    async def _turn(self, request: Request) -> JSONResponse:
        try:
            changes = json.loads(await request.body())
            service = {"parakeet": self._services.parakeet, "kokoro": self._services.kokoro}[
                changes.pop("service", "parakeet")
            ]()
        except (ValueError, KeyError, TypeError, AttributeError):
            return JSONResponse({"error": "service must be parakeet or kokoro"}, 422)
        if service is None:
            return JSONResponse({"error": "it does not run here"}, 404)
        try:
            turn(service.switches, changes)
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 422)
        return JSONResponse(self._told())

    async def _forget(self, _: Request) -> JSONResponse:
        for service in (self._services.parakeet(), self._services.kokoro()):
            if service is not None:
                service.forget()
        return JSONResponse(self._told())

    def _told(self) -> dict[str, object]:
        said: dict[str, object] = {}
        if (parakeet := self._services.parakeet()) is not None:
            said["parakeet"] = {
                "switches": told(parakeet.switches),
                "wedged": parakeet.process.wedged,
                "inside": parakeet.process.inside,
                **parakeet.records.told(),
            }
        if (kokoro := self._services.kokoro()) is not None:
            said["kokoro"] = {"switches": told(kokoro.switches), **kokoro.records.told()}
        return said
