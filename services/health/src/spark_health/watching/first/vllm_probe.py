"""How vLLM is: idle is well, counters that move are life, and who knows is the swapper."""

import asyncio
import json
import re
from collections.abc import Callable, Mapping

import httpx

from spark_common.bus.port import Bus
from spark_common.clock import Clock
from spark_common.contracts.models import LIST_MODELS, ListModels, RuntimeView
from spark_common.contracts.swaps import LIST_SWAPS, ListSwaps
from spark_common.errors import SparkError
from spark_health.watching.first.http_look import HttpLook, look
from spark_health.watching.first.service_probe import Place
from spark_health.watching.ports import Sighting, Target

_ASK_SECONDS = 2.0
_COUNTER = re.compile(
    rb"^vllm:(prompt_tokens|generation_tokens|iteration_tokens|request_success)\w*"
    rb"(?:\{[^}\n]*\})?[ \t]+([0-9.eE+-]+)",
    re.MULTILINE,
)
_GAUGE = re.compile(
    rb"^vllm:(num_requests_running|num_requests_waiting)(?:\{[^}\n]*\})?[ \t]+([0-9.eE+-]+)",
    re.MULTILINE,
)


class VllmProbe:
    """The model server of the cluster."""

    def __init__(
        self,
        place: Callable[[], Place],
        client: httpx.AsyncClient,
        bus: Bus,
        clock: Clock,
        every_seconds: float,
    ) -> None:
        self.every_seconds = every_seconds
        self._place = place
        self._client = client
        self._bus = bus
        self._clock = clock
        self._counted: float | None = None
        self._served = False
        """It served when it was looked at last, and no swap ran since."""
        self._failed = False
        """It did not, though it should have; a switch that begins does not make it well."""

    @property
    def target(self) -> Target:
        """The server where it is now."""
        place = self._place()
        return Target(place.name, "service", place.label, place.host, place.url)

    async def look(self) -> Sighting:
        """Look at health and counters; where nothing listens, ask what is meant to."""
        place = self._place()
        health, metrics = await asyncio.gather(
            look(self._client, f"{place.url}/health"), look(self._client, f"{place.url}/metrics")
        )
        if health.outcome in ("refused", "unreachable"):
            self._counted = None
            return await self._nothing_there(place, health)
        moved = self._moved(metrics)
        running = _sum(_GAUGE, metrics.body, b"num_requests_running") if metrics.ok else None
        facts = await self._facts(place, running, metrics) if health.ok else {}
        model = facts.get("model")
        if health.ok:
            self._served = True
            if moved or running:
                return self._seen(
                    "busy", f"answering with {model}" if model else "answering", facts
                )
            return self._seen("up", f"the loaded model is {model}" if model else "", facts)
        if health.outcome == "silent" and moved:
            return self._seen("busy", "too busy to answer; its counters move", facts)
        if health.outcome == "answered" and health.status == 503:
            return self._seen("down", "its engine is dead: it answers HTTP 503", facts)
        return self._seen("down", f"vLLM {health.sentence}", facts)

    async def _nothing_there(self, place: Place, health: HttpLook) -> Sighting:
        if await self._swapping():
            self._served = False
            if self._failed:
                return self._seen("unknown", "a switch of the model is under way", {})
            return self._seen("busy", "a switch of the model is under way", {})
        runtime = await self._runtime()
        if runtime is None:
            if health.outcome == "unreachable":
                return self._seen("down", f"vLLM {health.sentence}", {})
            reason = "nothing listens there, and the swapper cannot say whether a model should"
            return self._seen("unknown", reason, {})
        match runtime.state:
            case "idle":
                if health.outcome == "unreachable":
                    return self._seen("down", f"{place.label} {health.sentence}", {})
                if runtime.ended and self._served:
                    reason = "vLLM ended by itself: its container runs, and nothing in it"
                    return self._seen("down", reason, {})
                return self._seen("idle", runtime.detail or "no model is loaded", {})
            case "starting":
                return self._seen("busy", runtime.detail or "a model is starting", {})
            case "unknown":
                return self._seen("unknown", "nothing listens there; not looked at yet", {})
            case _:
                # It served or was unreachable a moment ago; three looks settle it.
                return self._seen("down", f"{place.label} {health.sentence}", {})

    async def _runtime(self) -> RuntimeView | None:
        try:
            menu = await self._bus.call(LIST_MODELS, ListModels(), timeout_seconds=_ASK_SECONDS)
        except SparkError:
            return None
        return menu.runtime

    async def _swapping(self) -> bool:
        try:
            swaps = await self._bus.call(LIST_SWAPS, ListSwaps(), timeout_seconds=_ASK_SECONDS)
        except SparkError:
            return False
        return swaps.current is not None

    async def _facts(
        self, place: Place, running: float | None, metrics: HttpLook
    ) -> dict[str, str | int]:
        facts: dict[str, str | int] = {}
        served = await look(self._client, f"{place.url}/v1/models")
        if served.ok and (name := _model(served.body)):
            facts["model"] = name
        if running is not None:
            facts["running"] = int(running)
            facts["waiting"] = int(_sum(_GAUGE, metrics.body, b"num_requests_waiting") or 0)
        return facts

    def _moved(self, metrics: HttpLook) -> bool:
        """Say whether a counter grew since the last look; one that shrank began anew."""
        if not metrics.ok:
            return False
        counted = _sum(_COUNTER, metrics.body)
        before, self._counted = self._counted, counted
        return before is not None and counted is not None and counted > before

    def _seen(self, state: str, reason: str, facts: Mapping[str, str | int]) -> Sighting:
        now = self._clock.now()
        if state != "unknown":
            self._failed = state == "down"
        match state:
            case "up" | "idle" | "busy" | "down":
                return Sighting(state, reason, now, dict(facts))
            case _:
                return Sighting("unknown", reason, now, dict(facts))


def _sum(pattern: "re.Pattern[bytes]", text: bytes, name: bytes | None = None) -> float | None:
    total, found = 0.0, False
    for matched in pattern.finditer(text):
        if name is not None and matched[1] != name:
            continue
        try:
            total += float(matched[2])
        except ValueError:
            continue
        found = True
    return total if found else None


def _model(body: bytes) -> str | None:
    try:
        rows = json.loads(body)["data"]
        name = rows[0]["id"]
    except (ValueError, KeyError, IndexError, TypeError):
        return None
    return name[:200] if isinstance(name, str) and name.isprintable() else None
