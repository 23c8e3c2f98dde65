"""The verbs of deep health."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Protocol

from spark_common.bus.port import Serving
from spark_common.clock import Clock
from spark_common.contracts.deep_health import (
    GET_DEEP_HEALTH,
    RUN_DEEP_CHECK,
    DeepHealth,
    DeepResult,
    DeepService,
    GetDeepHealth,
    RemedyView,
    RunDeepCheck,
)
from spark_common.errors import NotFoundError
from spark_health.deep.ports import Place
from spark_health.deep.runner import EVERY_SECONDS, DeepRunner
from spark_health.deep.store import DeepStore


class Shows(Protocol):
    """What is known of the remedy of a service."""

    def __call__(self, place: Place, latest: DeepResult | None) -> Awaitable[RemedyView | None]:
        """Return it."""
        ...


class DeepVerbs:
    """Answers questions about deep checks; raises UnavailableError while Redis is away."""

    def __init__(
        self,
        runner: DeepRunner,
        store: DeepStore,
        clock: Clock,
        remedy: Shows,
        hidden: Callable[[], Sequence[Place]] = tuple,
    ) -> None:
        self._runner = runner
        self._store = store
        self._clock = clock
        self._remedy = remedy
        self._hidden = hidden

    def verbs(self) -> Sequence[Serving]:
        """Return every verb with its function."""
        return (
            Serving(GET_DEEP_HEALTH, self.get, limit=8),
            Serving(RUN_DEEP_CHECK, self.run, limit=16),
        )

    async def get(self, request: GetDeepHealth) -> DeepHealth:
        """Return the latest results; raises NotFoundError for a service that is not checked."""
        places = [check.place for check in self._runner.checked().values()]
        hidden = {place.service: place for place in self._hidden()}
        if request.service is not None:
            places = [place for place in places if place.service == request.service]
            hidden = {name: one for name, one in hidden.items() if name == request.service}
            if not places and not hidden:
                raise NotFoundError(f"no deep check for {request.service!r}")
        return DeepHealth(
            services=[
                *[await self._shown(place, request.history) for place in places],
                *(
                    DeepService(name=one.service, label=one.label, host=one.host, disabled=True)
                    for one in hidden.values()
                ),
            ],
            every_seconds=EVERY_SECONDS,
            as_of=self._clock.now(),
        )

    async def run(self, request: RunDeepCheck) -> DeepService:
        """Check now and wait a while for the result; raises NotFoundError."""
        task = self._runner.begin(request.service, "manual", request.requested_by)
        place = self._runner.checked()[request.service].place
        waiting = asyncio.create_task(self._clock.sleep(request.wait_seconds))
        try:
            await asyncio.wait((task, waiting), return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
        if task.done():
            task.result()
        return await self._shown(place, 12)

    async def _shown(self, place: Place, history: int) -> DeepService:
        results = await self._store.latest(place.service, max(1, history))
        last = results[0] if results else None
        return DeepService(
            name=place.service,
            label=place.label,
            host=place.host,
            running=place.service in self._runner.running,
            last=last,
            last_ok_at=await self._store.last_ok(place.service),
            next_at=None if last is None else last.at + timedelta(seconds=EVERY_SECONDS),
            history=results[:history],
            remedy=await self._remedy(place, last),
        )
