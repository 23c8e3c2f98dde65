"""The control API: look at the Sparks, switch their behaviour, read the journal."""

import json
import math
from dataclasses import asdict
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from spark_sim.checkout import CheckoutState
from spark_sim.checkout_files import LAUNCHERS
from spark_sim.faults import Behaviour
from spark_sim.speech.control import SpeechControl

if TYPE_CHECKING:
    from spark_sim.cluster import SimulatedCluster


class ControlApi:
    """HTTP in front of a cluster. Meant for loopback only."""

    def __init__(self, cluster: "SimulatedCluster") -> None:
        self._cluster = cluster
        self.app = Starlette(
            routes=[
                Route("/_sim/state", self._state),
                Route("/_sim/behaviour", self._behaviour, methods=["PUT"]),
                Route("/_sim/freeze", self._freeze, methods=["PUT"]),
                Route("/_sim/launcher", self._launcher, methods=["PUT"]),
                Route("/_sim/speed", self._speed, methods=["PUT"]),
                Route("/_sim/checkout", self._checkout, methods=["PUT"]),
                Route("/_sim/journal", self._journal),
                Route("/_sim/reset", self._reset, methods=["POST"]),
                *SpeechControl(cluster).routes,
            ]
        )

    async def _state(self, _: Request) -> JSONResponse:
        return JSONResponse(self._cluster.state())

    async def _behaviour(self, request: Request) -> JSONResponse:
        try:
            wanted = json.loads(await request.body())
            host, behaviour = wanted["host"], Behaviour(wanted["behaviour"])
        except (ValueError, KeyError, TypeError):
            known = ", ".join(Behaviour)
            return JSONResponse({"error": f"behaviour must be one of {known}"}, 422)
        if host != "all" and host not in self._cluster.hosts:
            return JSONResponse({"error": f"no host {host!r}"}, 404)
        await self._cluster.behave(host, behaviour)
        return JSONResponse(self._cluster.state())

    async def _freeze(self, request: Request) -> JSONResponse:
        try:
            wanted = json.loads(await request.body())
            host, frozen = self._cluster.hosts[wanted["host"]], bool(wanted["frozen"])
        except (ValueError, KeyError, TypeError):
            return JSONResponse({"error": "name a host, and say whether it is frozen"}, 422)
        if frozen:
            host.freeze()
        else:
            await host.thaw()
        return JSONResponse(self._cluster.state())

    async def _launcher(self, request: Request) -> JSONResponse:
        try:
            wanted = json.loads(await request.body())
            host, launcher = wanted["host"], wanted["launcher"]
        except (ValueError, KeyError, TypeError):
            launcher = host = None
        if launcher not in LAUNCHERS:
            return JSONResponse({"error": f"launcher must be one of {', '.join(LAUNCHERS)}"}, 422)
        if host != "all" and host not in self._cluster.hosts:
            return JSONResponse({"error": f"no host {host!r}"}, 404)
        self._cluster.use_launcher(host, launcher)
        return JSONResponse(self._cluster.state())

    async def _speed(self, request: Request) -> JSONResponse:
        try:
            speed = float(json.loads(await request.body())["speed"])
        except (ValueError, KeyError, TypeError):
            speed = 0.0
        if not 0 < speed < math.inf:
            return JSONResponse({"error": "speed must be a number above 0"}, 422)
        self._cluster.pace(speed)
        return JSONResponse(self._cluster.state())

    async def _checkout(self, request: Request) -> JSONResponse:
        try:
            wanted = json.loads(await request.body())
            host, state = wanted["host"], CheckoutState(wanted["state"])
        except (ValueError, KeyError, TypeError):
            known = ", ".join(CheckoutState)
            return JSONResponse({"error": f"state must be one of {known}"}, 422)
        if host != "all" and host not in self._cluster.hosts:
            return JSONResponse({"error": f"no host {host!r}"}, 404)
        await self._cluster.check_out(host, state)
        return JSONResponse(self._cluster.state())

    async def _journal(self, request: Request) -> JSONResponse:
        after = int(request.query_params.get("after", "0"))
        entries = [asdict(entry) for entry in self._cluster.journal.after(after)]
        return JSONResponse({"entries": entries})

    async def _reset(self, _: Request) -> JSONResponse:
        await self._cluster.reset()
        return JSONResponse(self._cluster.state())
