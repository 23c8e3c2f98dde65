"""Answers for the data plane on the bus: what it carries, and whether a token comes through."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import httpx
import structlog

from spark_common.bus import Serving
from spark_common.clock import Clock
from spark_common.contracts.traffic import (
    FIRST_TOKEN,
    GET_TRAFFIC,
    AskFirstToken,
    FirstToken,
    GetTraffic,
    Traffic,
)
from spark_common.runtime_questions import first_token
from spark_gateway.dataplane.meters import Meters
from spark_gateway.dataplane.own_question import OwnQuestion

_UPSTREAM: Final = "llm"
_FORGOTTEN_SECONDS: Final = 30.0
"""A question nobody has come back for is ended: the swap was cancelled, or its worker died."""
_LOG = structlog.get_logger()


class Door(Protocol):
    """The router of ``/v1``, as far as it keeps requests off."""

    def held_off_by(self) -> str | None:
        """Return the id of the swap because of which requests are refused now, or None."""
        ...


@dataclass
class _Question:
    task: asyncio.Task[str | None]
    asked_at: float


class TrafficDesk:
    """Serves ``rpc.gateway.traffic.*``; the counts are the data plane's own."""

    def __init__(
        self,
        meters: Meters,
        door: Door,
        own: OwnQuestion,
        client: httpx.AsyncClient,
        clock: Clock,
    ) -> None:
        self._meters = meters
        self._door = door
        self._own = own
        self._client = client
        self._clock = clock
        self._questions: dict[tuple[str, bool], _Question] = {}

    def verbs(self) -> Sequence[Serving]:
        """Return the verbs with their functions."""
        return (Serving(GET_TRAFFIC, self.traffic), Serving(FIRST_TOKEN, self.ask_first_token))

    async def traffic(self, request: GetTraffic) -> Traffic:
        """Return the counts of this moment."""
        meter = self._meters.upstream(_UPSTREAM)
        return Traffic(
            in_flight=meter.in_flight,
            waiting=meter.waiting,
            models=dict(meter.by_model),
            taken_on=meter.total - meter.withdrawn,
            refused=self._meters.refused.get(503, 0),
            held_off_by=self._door.held_off_by(),
        )

    async def ask_first_token(self, request: AskFirstToken) -> FirstToken:
        """Ask through the front door, or go on waiting for the question that is under way."""
        self._forget()
        key = (request.served_name, request.pooling)
        question = self._questions.get(key)
        if question is None:
            question = _Question(asyncio.create_task(self._ask(request)), 0.0)
            self._questions[key] = question
        question.asked_at = self._clock.monotonic()
        await asyncio.wait({question.task}, timeout=request.patience_seconds)
        if not question.task.done():
            return FirstToken(state="waiting")
        self._questions.pop(key, None)
        if question.task.cancelled():
            return FirstToken(state="waiting")
        problem = question.task.result()
        _LOG.info("traffic.first_token", model=request.served_name, came=problem is None)
        return FirstToken(state="came" if problem is None else "missing", problem=problem)

    async def run(self) -> None:
        """End what nobody waits for any more, for ever."""
        try:
            while True:
                await self._clock.sleep(_FORGOTTEN_SECONDS)
                self._forget()
        finally:
            for question in self._questions.values():
                question.task.cancel()

    async def _ask(self, request: AskFirstToken) -> str | None:
        return await first_token(
            self._client,
            self._own.front_door,
            request.served_name,
            pooling=request.pooling,
            headers=self._own.headers,
        )

    def _forget(self) -> None:
        now = self._clock.monotonic()
        for key, question in list(self._questions.items()):
            if now - question.asked_at > _FORGOTTEN_SECONDS:
                question.task.cancel()
                del self._questions[key]
