"""Does deep checks: every five minutes, when somebody asks, one at a time for each service."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import structlog

from spark_common.clock import Clock
from spark_common.contracts.deep_health import DeepResult, Trigger
from spark_common.errors import NotFoundError, SparkError, UnavailableError
from spark_common.ids import new_id
from spark_common.tasks import end
from spark_health.deep import numbers
from spark_health.deep.ports import DeepCheck, Outcome, Place
from spark_health.deep.scene import Scene
from spark_health.deep.store import DeepStore
from spark_health.deep.telling import TellsChecks, Untold

EVERY_SECONDS = 300.0
CONFIRM_SECONDS = 6.0
"""Between a job that failed suspiciously and the one that has to fail alike."""
_TICK_SECONDS = 5.0
_FLIGHT_SECONDS = 180.0
"""Longer than a check may take: two jobs of half a minute, and what lies between them."""
_SIGN_SECONDS = 15.0
"""Without a sign of life for this long a check of another process is over."""
_LOOK_SECONDS = 0.5
_SUSPICIOUS = frozenset({"gpu_error", "server_error", "cut_off"})

Heard = Callable[[Place, DeepResult, Outcome], Awaitable[DeepResult]]
"""Is told every result before it is kept, and may say more about it."""

_log = structlog.get_logger()


async def as_it_is(_: Place, result: DeepResult, __: Outcome) -> DeepResult:
    """Add nothing."""
    return result


class DeepRunner:
    """Every check of every service. ``checks`` is asked anew for what there is now."""

    def __init__(
        self,
        checks: Callable[[], Sequence[DeepCheck]],
        store: DeepStore,
        scene: Scene,
        clock: Clock,
        heard: Heard = as_it_is,
        teller: TellsChecks | None = None,
    ) -> None:
        self._teller: TellsChecks = teller or Untold()
        self._checks = checks
        self._store = store
        self._scene = scene
        self._clock = clock
        self._heard = heard
        self._mine = new_id()
        self._flights: dict[str, asyncio.Task[DeepResult]] = {}
        self._soon: dict[str, float] = {}
        self._shown: set[str] = set()
        self._asked: set[str] = set()
        """Services for whose check somebody waits."""

    @property
    def running(self) -> frozenset[str]:
        """Services that this process checks now."""
        return frozenset(self._flights)

    def checked(self) -> dict[str, DeepCheck]:
        """Return what is checked, by service."""
        return {check.place.service: check for check in self._checks()}

    def again_in(self, service: str, seconds: float) -> None:
        """Check a service out of turn, this much later."""
        self._soon[service] = self._clock.monotonic() + seconds

    async def run(self) -> None:
        """Check what is due, for ever."""
        try:
            await self._take_up()
            while True:
                for gone in self._shown - set(self.checked()):
                    numbers.forget(gone)
                self._shown = set(self.checked())
                for service in self._shown:
                    if service not in self._flights:
                        due = await self._due(service)
                        if due is not None:
                            self._begin(service, due, None)
                await self._clock.sleep(_TICK_SECONDS)
        finally:
            await end(tuple(self._flights.values()))

    async def once(
        self, service: str, trigger: Trigger, requested_by: str | None = None
    ) -> DeepResult:
        """Check now, or join the check that is under way. Raises NotFoundError, SparkError."""
        return await asyncio.shield(self.begin(service, trigger, requested_by))

    def begin(
        self, service: str, trigger: Trigger, requested_by: str | None = None
    ) -> "asyncio.Task[DeepResult]":
        """Begin a check, or return the one that is under way. Raises NotFoundError."""
        if service not in self.checked():
            known = ", ".join(sorted(self.checked()))
            raise NotFoundError(f"no deep check for {service!r}; there are: {known}")
        self._asked.add(service)
        return self._flights.get(service) or self._begin(service, trigger, requested_by)

    def _begin(
        self, service: str, trigger: Trigger, requested_by: str | None
    ) -> "asyncio.Task[DeepResult]":
        task = asyncio.create_task(self._fly(self.checked()[service], trigger, requested_by))
        self._flights[service] = task
        task.add_done_callback(lambda done: self._landed(service, done))
        return task

    def _landed(self, service: str, task: "asyncio.Task[DeepResult]") -> None:
        if self._flights.get(service) is task:
            del self._flights[service]
        if not task.cancelled() and (error := task.exception()) is not None:
            known = isinstance(error, SparkError)
            (_log.warning if known else _log.error)(
                "deep.check_lost", service=service, reason=str(error), kind=type(error).__name__
            )

    async def _take_up(self) -> None:
        """Look at once after a start at what was stuck before it: whoever knew that is gone."""
        for service in self.checked():
            try:
                latest = await self._store.latest(service, 1)
            except UnavailableError:
                continue
            if latest:
                numbers.shown(service, latest[0])
            if latest and latest[0].state == "wedged":
                self.again_in(service, 0.0)

    async def _due(self, service: str) -> Trigger | None:
        if self._soon.get(service, float("inf")) <= self._clock.monotonic():
            del self._soon[service]
            return "remedy"
        try:
            latest = await self._store.latest(service, 1)
        except UnavailableError:
            return None
        if not latest:
            return "timer"
        passed = (self._clock.now() - latest[0].at).total_seconds()
        # A clock that was set back must not silence the checks for longer than that.
        return "timer" if passed >= EVERY_SECONDS or passed < -EVERY_SECONDS else None

    async def _fly(
        self, check: DeepCheck, trigger: Trigger, requested_by: str | None
    ) -> DeepResult:
        service, began = check.place.service, self._clock.now()
        while not await self._store.take_off(service, self._mine, _SIGN_SECONDS):
            # Another process is at it: its result is as good as ours.
            latest = await self._store.latest(service, 1)
            if latest and latest[0].at >= began:
                await self._tell(service, latest[0], latest[0])
                return latest[0]
            if self._clock.now() - began > timedelta(seconds=_FLIGHT_SECONDS):
                raise UnavailableError(f"the check of {service} does not come to an end")
            await self._clock.sleep(_LOOK_SECONDS)
        flying = asyncio.create_task(self._show_life(service))
        try:
            if trigger == "timer" and not await self._still_due(service):
                return (await self._store.latest(service, 1))[0]
            before = await self._store.latest(service, 1)
            result = await self._checked(check, trigger, requested_by)
            numbers.checked(service, result)
            await self._store.add(service, result)
            await self._tell(service, result, before[0] if before else None)
            return result
        finally:
            await end([flying])
            await self._store.land(service, self._mine)

    async def _tell(self, service: str, result: DeepResult, before: DeepResult | None) -> None:
        asked = service in self._asked
        self._asked.discard(service)
        if asked or before is None or before.state != result.state:
            await self._teller.told(service, result, before)

    async def answer(self, service: str, result: DeepResult) -> None:
        """Tell a result again to somebody who asked for what was just done."""
        await self._teller.told(service, result, None)

    async def _show_life(self, service: str) -> None:
        while True:
            await self._clock.sleep(_SIGN_SECONDS / 5)
            with suppress(UnavailableError):
                await self._store.keep_flying(service, self._mine, _SIGN_SECONDS)

    async def _still_due(self, service: str) -> bool:
        """Two processes saw that it is due, and the other one was quicker."""
        latest = await self._store.latest(service, 1)
        return not latest or (self._clock.now() - latest[0].at).total_seconds() > _TICK_SECONDS

    async def _checked(
        self, check: DeepCheck, trigger: Trigger, requested_by: str | None
    ) -> DeepResult:
        place = check.place
        if (why := await self._skipped(place)) is not None:
            return DeepResult(
                state="skipped",
                sentence=why,
                at=self._clock.now(),
                trigger=trigger,
                requested_by=requested_by,
            )
        outcome = await check.run()
        if outcome.trouble in _SUSPICIOUS:
            await self._clock.sleep(CONFIRM_SECONDS)
            if (why := await self._skipped(place)) is not None:
                outcome = replace(outcome, trouble=None)
            else:
                outcome = _confirmed(outcome, await check.run())
        result = DeepResult(
            state=outcome.state,
            sentence=outcome.sentence,
            latency_ms=outcome.latency_ms,
            at=self._clock.now(),
            trigger=trigger,
            requested_by=requested_by,
            facts=dict(outcome.facts),
            evidence=list(outcome.evidence),
        )
        return await self._heard(place, result, outcome)

    async def _skipped(self, place: Place) -> str | None:
        try:
            swapping = await self._scene.swapping()
        except UnavailableError:
            # No reason to know nothing of the services as well; whoever acts asks again.
            return None
        why = swapping.get(place.host) if place.host is not None else None
        return None if why is None else f"not tried: {why}"


def _confirmed(first: Outcome, again: Outcome) -> Outcome:
    """Return what two jobs in a row say; only what failed suspiciously twice stays suspicious."""
    if again.trouble not in _SUSPICIOUS:
        return again
    evidence = dict.fromkeys((*first.evidence, *again.evidence))
    worse = "gpu_error" if "gpu_error" in (first.trouble, again.trouble) else again.trouble
    told = first if first.trouble == worse else again
    return replace(told, trouble=worse, evidence=tuple(evidence), latency_ms=again.latency_ms)
