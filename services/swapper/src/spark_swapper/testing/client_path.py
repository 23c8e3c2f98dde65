"""A gateway in memory: counts that a test sets, and a front door that leads to the runtime."""

from spark_common.contracts.traffic import Traffic
from spark_common.errors import ServiceUnavailableError
from spark_common.testing import FakeClock
from spark_swapper.testing.runtime import FakeRuntime


class FakeClientPath:
    """Closes its door at once for whichever swap drains, unless ``door`` says otherwise."""

    def __init__(self, clock: FakeClock, runtime: FakeRuntime) -> None:
        self._clock = clock
        self._runtime = runtime
        self.away = False
        self.busy_until = 0.0
        """Moment until which two answers are on their way through the gateway."""
        self.swap_id = "swap-1"
        """The swap because of which requests are kept off."""
        self.answer_seconds = 0.0
        """How long a first token takes."""
        self.asked: list[tuple[str, bool]] = []
        """(served name, pooling) of every first token that was asked for."""
        self.abandoned = 0
        """Questions that were not waited for to the end."""

    async def traffic(self) -> Traffic | None:
        """Return two until ``busy_until``."""
        if self.away:
            return None
        busy = 2 if self._clock.monotonic() < self.busy_until else 0
        return Traffic(in_flight=busy, held_off_by=self.swap_id)

    async def first_token(self, served_name: str, *, pooling: bool) -> str | None:
        """Ask the runtime, as the gateway does."""
        self.asked.append((served_name, pooling))
        done = False
        try:
            if self.answer_seconds:
                await self._clock.sleep(self.answer_seconds)
            if self.away:
                raise ServiceUnavailableError("nobody answers for gateway")
            problem = await self._runtime.first_token(self._runtime.hosts[0], served_name)
            done = True
            return problem
        finally:
            self.abandoned += not done
