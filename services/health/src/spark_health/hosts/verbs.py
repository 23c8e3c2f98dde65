"""The questions about the Sparks as machines."""

from collections.abc import Callable, Mapping, Sequence

from spark_common.bus.port import Serving
from spark_common.clock import Clock
from spark_common.contracts.hardware import (
    GET_ADVICE,
    GET_HARDWARE,
    TURN_OFF,
    WAKE_HOST,
    Advice,
    ConsumerName,
    GetAdvice,
    GetHardware,
    Hardware,
    HostHardware,
    HostHistory,
)
from spark_common.errors import NotFoundError, UnavailableError
from spark_health.advice.advising import Advising
from spark_health.hosts.keeping import Keeper
from spark_health.hosts.looking import HardwareWatch
from spark_health.hosts.power import Power
from spark_health.hosts.remembering import Remembered
from spark_health.hosts.showing import show


class HardwareVerbs:
    """One method per verb."""

    def __init__(
        self,
        watch: HardwareWatch,
        keeper: Keeper,
        remembered: Remembered,
        power: Power,
        advising: Advising,
        known: Callable[[], Mapping[str, ConsumerName]],
        clock: Clock,
    ) -> None:
        self._watch = watch
        self._keeper = keeper
        self._remembered = remembered
        self._power = power
        self._advising = advising
        self._known = known
        self._clock = clock

    def verbs(self) -> Sequence[Serving]:
        """Return every verb with its function."""
        return (
            Serving(GET_HARDWARE, self.hardware),
            Serving(GET_ADVICE, self.advice),
            Serving(WAKE_HOST, self._power.wake),
            Serving(TURN_OFF, self._power.turn_off),
        )

    async def hardware(self, request: GetHardware) -> Hardware:
        """Return every Spark, or those named; raises NotFoundError for one there is not."""
        names = list(self._watch.sights)
        for name in request.hosts:
            if name not in names:
                raise NotFoundError(f"no Spark is named {name!r}")
        wanted = [name for name in names if not request.hosts or name in request.hosts]
        history: list[HostHistory] = []
        problems = self._keeper.problems
        if request.history is not None:
            try:
                for name in wanted:
                    history.append(await self._keeper.history(name, request.history))
            except UnavailableError as error:
                problems = [error.message]
        return Hardware(
            hosts=[self._shown(name) for name in wanted],
            history=history,
            problems=problems,
            as_of=self._clock.now(),
        )

    async def advice(self, _request: GetAdvice) -> Advice:
        """Return what is known to make trouble, from what was just read."""
        mono = self._clock.monotonic()
        fresh = [name for name, sight in self._watch.sights.items() if sight.fresh(mono)]
        seen = [(self._watch.sights[name], self._shown(name)) for name in fresh]
        return Advice(
            findings=self._advising.findings(seen, self._clock.now()),
            checks=self._advising.names,
            unread=[name for name in self._watch.sights if name not in fresh],
            as_of=self._clock.now(),
        )

    def _shown(self, name: str) -> HostHardware:
        return show(
            self._watch.sights[name],
            self._clock.now(),
            self._clock.monotonic(),
            self._known(),
            self._remembered.addresses.get(name),
            self._remembered.sent.get(name),
        )
