"""Containers, lease and swaps that behave, on a clock that a test moves."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from pydantic import SecretStr

from spark_common.clock import Clock
from spark_common.errors import DeadlineExceededError, HostUnreachableError, LeaseHeldError
from spark_health.remedies.holding import InTheWayError
from spark_health.remedies.ports import ContainerSight, Restarted


@dataclass
class _Run:
    started: float
    number: int = 0
    running: bool = True
    lines: list[str] = field(default_factory=list)


class FakeContainers:
    """Containers with runs. ``journal`` holds every restart that really happened."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._runs: dict[tuple[str, str], _Run] = {}
        self.journal: list[tuple[str, str]] = []
        self.away: set[str] = set()
        self.loses_answers = False
        """Restarts happen, and nobody hears of it."""

    def start(self, host: str, container: str, age_seconds: float = 3600.0) -> None:
        """Have a container that runs since then."""
        self._runs[host, container] = _Run(self._clock.monotonic() - age_seconds)

    def write(self, host: str, container: str, line: str) -> None:
        """Let it log a line."""
        self._runs[host, container].lines.append(line)

    def runs(self, host: str, container: str) -> int:
        """Return how often it was restarted."""
        return self._runs[host, container].number

    async def look(self, host: str, container: str) -> ContainerSight | None:
        """Return how it is."""
        self._require(host)
        run = self._runs.get((host, container))
        if run is None:
            return None
        now = self._clock.monotonic()
        return ContainerSight(f"run {run.number}", run.running, now - run.started, now)

    async def restart(
        self, host: str, container: str, started_at: str, not_after: float
    ) -> Restarted:
        """Restart this one run."""
        self._require(host)
        run = self._runs[host, container]
        if started_at != f"run {run.number}":
            return "already"
        if self._clock.monotonic() > not_after:
            return "late"
        self._runs[host, container] = replace(
            run, started=self._clock.monotonic(), number=run.number + 1, running=True, lines=[]
        )
        self.journal.append((host, container))
        if self.loses_answers:
            raise DeadlineExceededError("no answer in time")
        return "restarted"

    async def recent_lines(self, host: str, container: str, seconds: float) -> Sequence[str]:
        """Return what it wrote."""
        self._require(host)
        run = self._runs.get((host, container))
        return [] if run is None else list(run.lines)

    def _require(self, host: str) -> None:
        if host in self.away:
            raise HostUnreachableError(f"{host} does not answer")


class FakeScene:
    """Swaps by host."""

    def __init__(self) -> None:
        self.swaps: dict[str, str] = {}
        self.about_to_begin: str | None = None
        """A swap anywhere that still looks at the lease."""

    async def unsettled(self) -> str | None:
        """Return what is about to begin."""
        return self.about_to_begin

    async def swapping(self) -> Mapping[str, str]:
        """Return what runs."""
        return dict(self.swaps)


class FakeObstacles:
    """What stands in the way of a job, by a lease and swaps that a test has."""

    OWN = 7
    """The epoch of whoever shows the token of the lease; that is the name of its holder."""

    def __init__(self, scene: FakeScene, leases: "FakeLeases") -> None:
        self._scene = scene
        self._leases = leases

    async def admit(self, host: str, token: SecretStr | None) -> int:
        """Let a person begin."""
        await self._leases.admit(token, force=False)
        return await self.epoch(token)

    async def epoch(self, token: SecretStr | None) -> int:
        """Return that of the lease to who holds it."""
        own = token is not None and token.get_secret_value() == self._leases.holder
        return self.OWN if own else 0

    async def now(self, host: str, epoch: int) -> str | None:
        """Say what is in the way."""
        if host in self._scene.swaps:
            return self._scene.swaps[host]
        holder = self._leases.holder
        return None if holder is None or epoch == self.OWN else f"{holder!r} holds the cluster"

    @asynccontextmanager
    async def held(self, host: str, epoch: int, order: str, reason: str) -> AsyncIterator[None]:
        """Hold the lease, unless the caller does."""
        if self._leases.holder is not None and epoch == self.OWN:
            yield
            return
        async with self._leases.held(order, reason):
            yield


class FakeLeases:
    """One lease. ``holder`` is who else has it; ``log`` is who held it for what."""

    def __init__(self, scene: FakeScene | None = None) -> None:
        self.holder: str | None = None
        self.log: list[str] = []
        self.held_now: str | None = None
        """The order for which it is held; a process that is killed leaves it so."""
        self.swap_slips_in = False
        """A swap was admitted between the look and the lease."""
        self.taken_meanwhile_by: str | None = None
        """Who takes it between the next look and the lease."""
        self._scene = scene

    async def free(self) -> None:
        """Look."""
        if self.holder is not None:
            raise InTheWayError(f"{self.holder} holds the cluster or waits for it")

    async def admit(self, token: SecretStr | None, *, force: bool) -> bool:
        """Look for a person; the token of whoever holds it is their name."""
        if self.holder is None:
            return True
        if force or (token is not None and token.get_secret_value() == self.holder):
            return False
        raise LeaseHeldError(f"{self.holder} holds the cluster", holder=self.holder)

    @asynccontextmanager
    async def held(self, order: str, reason: str) -> AsyncIterator[None]:
        """Hold it."""
        self.holder, self.taken_meanwhile_by = self.taken_meanwhile_by or self.holder, None
        await self.free()
        if self.held_now not in (None, order):
            raise InTheWayError("health holds the cluster")
        self.held_now = order
        self.log.append(reason)
        if self.swap_slips_in and self._scene is not None:
            self._scene.swaps["spark1"] = "a swap to Gemma runs on it"
        try:
            yield
        finally:
            self.held_now = None
