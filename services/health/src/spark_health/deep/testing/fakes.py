"""A store in memory and checks whose outcomes a test names."""

from collections import defaultdict, deque
from datetime import datetime

from spark_common.clock import Clock
from spark_common.contracts.deep_health import MOST_KEPT, DeepResult
from spark_common.errors import UnavailableError
from spark_health.deep.ports import Outcome, Place

WELL = Outcome("ok", "done", 20.0)


class MemoryDeepStore:
    """``DeepStore`` in memory, for as many processes as share it."""

    def __init__(self) -> None:
        self.results: defaultdict[str, deque[DeepResult]] = defaultdict(
            lambda: deque(maxlen=MOST_KEPT)
        )
        self.flights: dict[str, str] = {}
        self.away = False

    async def add(self, service: str, result: DeepResult) -> None:
        """Keep a result."""
        self._require()
        self.results[service].appendleft(result)

    async def latest(self, service: str, most: int) -> list[DeepResult]:
        """Return results, the newest first."""
        self._require()
        return list(self.results[service])[:most]

    async def last_ok(self, service: str) -> datetime | None:
        """Return when a job went well last."""
        return next((one.at for one in self.results[service] if one.state == "ok"), None)

    async def take_off(self, service: str, mine: str, seconds: float) -> bool:
        """Begin a check unless another process does one."""
        self._require()
        return self.flights.setdefault(service, mine) == mine

    async def keep_flying(self, service: str, mine: str, seconds: float) -> None:
        """Let the claim end later; here it has no end."""

    async def land(self, service: str, mine: str) -> None:
        """End the claim."""
        if self.flights.get(service) == mine:
            del self.flights[service]

    def _require(self) -> None:
        if self.away:
            raise UnavailableError("the results are away")


class FakeCheck:
    """A job that takes its time. ``outcomes`` are the next ones; afterwards all is well."""

    def __init__(self, service: str, clock: Clock, host: str | None = "spark1") -> None:
        self.place = Place(service, service.title(), "http://127.0.0.9:1", host, service)
        self.outcomes: list[Outcome] = []
        self.seconds = 1.0
        self.jobs: list[float] = []
        self.at_once = self.most_at_once = 0
        self._clock = clock

    async def run(self) -> Outcome:
        """Do the job once."""
        self.jobs.append(self._clock.monotonic())
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self._clock.sleep(self.seconds)
        finally:
            self.at_once -= 1
        return self.outcomes.pop(0) if self.outcomes else WELL
