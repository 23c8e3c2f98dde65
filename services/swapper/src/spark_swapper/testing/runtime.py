"""Two Sparks in memory: containers that come and go in their time, and a guard that remembers."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from spark_common.errors import HostUnreachableError, SparkError, StaleEpochError
from spark_common.runtime_questions import Spoken
from spark_common.testing import FakeClock
from spark_swapper.guarding.headroom import GIB, NodeMemory
from spark_swapper.launching.candidate import Candidate
from spark_swapper.launching.launcher import LauncherFeatures, adapt, line_of
from spark_swapper.loads.post_mortem import KernelWords
from spark_swapper.runtime import Glance, HostCheck, Order, Served, StaleFenceError, Watermarks

LABELS = {"spark1": "Spark 1", "spark2": "Spark 2"}


@dataclass
class Faults:
    """What goes wrong. Times in seconds after the launch."""

    away: set[str] = field(default_factory=set)
    """Hosts that do not answer over SSH."""
    dark: set[str] = field(default_factory=set)
    """Hosts whose HTTP ports are silent."""
    docker_silent: set[str] = field(default_factory=set)
    never_stops: bool = False
    starts_nothing: bool = False
    """The launch script ends, but no container comes up."""
    dies_after: float | None = None
    last_words: str = ""
    """What the log says when it dies, for example ``FATAL out of memory``."""
    worker_last_words: str = ""
    """Likewise on the second host."""
    worker_gone_after: float | None = None
    """Moment at which the second host's part is gone while the head still answers."""
    says_fatal_but_lives: str = ""
    silent_after: float | None = None
    """No log and no progress any more: a stall."""
    gpus: dict[str, int] = field(default_factory=dict)
    """How busy each GPU is, for deep looks."""
    kernel: dict[str, KernelWords] = field(default_factory=dict)
    no_token: str | None = None
    babble: str | None = None
    """What it says to every question, for example ``!!!!!!!!``."""
    problems: dict[str, SparkError | HostCheck] = field(default_factory=dict)
    """What a check of a host answers or raises."""
    leak_per_second: float = 0.0
    """Something else takes so many bytes of every host's memory per second, once a model loads."""
    freezes_below: float = 0.0
    """With less memory than this the host hangs, and comes back started anew."""
    reboot_seconds: float = 300.0
    only_for: str | None = None
    """Key of the one model whose load is broken; None breaks every load."""


class FakeMemory:
    """The memory of every host, as a test sets it. Nobody says anything until it does."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.node: NodeMemory | None = None
        """What a check before a swap sees."""
        self.total: int | None = None
        self.back: list[tuple[float, float]] = []
        """(seconds on the test's clock, GiB available) steps; empty: nobody says."""

    def returns(self, *steps: tuple[float, float]) -> None:
        """Let so much GiB be available from so many seconds on."""
        self.total = 128 * GIB
        self.back = list(steps)

    def available(self, taken: float) -> int | None:
        """Return what is available when ``taken`` bytes are gone to somebody else."""
        now = self._clock.monotonic()
        reached = [gib for at, gib in self.back if now >= at]
        return max(0, int(reached[-1] * GIB - taken)) if reached else None


@dataclass
class _Container:
    candidate: Candidate
    born: float
    hosts: tuple[str, ...]
    stop_at: float | None = None
    empty: bool = False
    """Whether no process of vLLM is in it."""
    headless: bool = False
    """Whether only the worker's half is there, which answers nobody."""


class FakeRuntime:
    """Behaves like the real one on the test's clock. ``journal`` lists every effect."""

    def __init__(self, clock: FakeClock, *, load_seconds: float = 60.0) -> None:
        self._clock = clock
        self.load_seconds = load_seconds
        self.stop_seconds = 10.0
        self.answer_seconds = 0.75
        """How long an order takes over SSH."""
        self.faults = Faults()
        self.busy_until = 0.0
        """Moment until which one answer is being generated."""
        self.journal: list[tuple[str, str, str, str]] = []
        """(effect, host, swap, step), each appended once per real execution."""
        self.listen_seconds = 0.5
        """How long an answer takes."""
        self.examined = 0
        """How often test questions were asked."""
        self.token_seconds = 0.0
        """How long a first token takes."""
        self.memory = FakeMemory(clock)
        self._boots = dict.fromkeys(LABELS, 1)
        self._frozen: dict[str, float] = {}
        """Until when a host hangs."""
        self._container: _Container | None = None
        self._marks: set[tuple[str, str, str]] = set()
        self._fence = dict.fromkeys(LABELS, 0)
        self._epoch = dict.fromkeys(LABELS, 0)

    @property
    def hosts(self) -> tuple[str, ...]:
        """Both hosts."""
        return tuple(LABELS)

    def label(self, host: str) -> str:
        """Return the name for people."""
        return LABELS[host]

    def serve(self, candidate: Candidate) -> None:
        """Let a model be loaded from before the test."""
        self._container = _Container(candidate, -1e9, candidate.hosts)

    def place(
        self,
        candidate: Candidate,
        *,
        age: float = 1e9,
        hosts: tuple[str, ...] | None = None,
        empty: bool = False,
    ) -> None:
        """Let a container stand there that was started ``age`` seconds ago.

        ``hosts`` are those that have one, ``empty`` is one without a process.
        """
        born = self._clock.monotonic() - age if age < 1e9 else -1e9
        at = hosts or candidate.hosts
        self._container = _Container(
            candidate, born, at, empty=empty, headless=at[0] != candidate.head
        )

    def clear(self) -> None:
        """Let no container be there."""
        self._container = None

    def mark(self, swap_id: str, host: str, *steps: str) -> None:
        """Let the guard of a host remember steps of an earlier worker."""
        self._marks |= {(swap_id, host, step) for step in steps}

    def raise_guard(self, *, fence: int = 0, epoch: int = 0) -> None:
        """Let a newer worker or holder have acted."""
        for host in LABELS:
            self._fence[host] = max(fence, self._fence[host])
            self._epoch[host] = max(epoch, self._epoch[host])

    @property
    def loaded(self) -> str | None:
        """Key of the model whose container exists, loading or not."""
        now = self._present()
        return now.candidate.key if now else None

    async def check(self, candidate: Candidate, host: str) -> HostCheck:
        """Return what the test prepared, else that all is well."""
        self._reach(host)
        prepared = self.faults.problems.get(host)
        if isinstance(prepared, SparkError):
            raise prepared
        return prepared or HostCheck(host, image_id="sha256:1", memory=self.memory.node)

    async def stop(self, order: Order, candidate: Candidate, host: str) -> None:
        """Begin to stop what is there."""
        if not self._guard(host, order):
            return
        self.journal.append(("stop", host, order.swap_id, order.step))
        if self._container is not None and not self.faults.never_stops:
            self._container.stop_at = self._clock.monotonic() + self.stop_seconds

    async def launch(self, order: Order, candidate: Candidate) -> bool:
        """Begin to load."""
        await self._clock.sleep(self.answer_seconds)
        if not self._guard(candidate.head, order):
            return False
        self.journal.append(("launch", candidate.head, order.swap_id, order.step))
        there = self._present()
        reuses = there is not None and candidate.head in there.hosts
        if not reuses and not (self.faults.starts_nothing and self._broken(candidate)):
            # Into a container that is there the launcher starts a second one, which finds the
            # port taken: nothing new comes of it.
            self._container = _Container(candidate, self._clock.monotonic(), candidate.hosts)
        return True

    async def launch_line(self, candidate: Candidate) -> str:
        """Return the launch of a current checkout."""
        self._reach(candidate.head)
        return line_of(adapt(candidate, LauncherFeatures()))

    async def kill(self, order: Order, host: str) -> None:
        """Take away what is there at once."""
        if not self._guard(host, order):
            return
        self.journal.append(("kill", host, order.swap_id, order.step))
        if self._container is not None and host in self._container.hosts:
            self._container.stop_at = self._clock.monotonic()

    async def flush(self, order: Order, candidate: Candidate, host: str) -> None:
        """Empty the page cache."""
        if self._guard(host, order):
            self.journal.append(("flush", host, order.swap_id, order.step))

    async def container(self, host: str, order: Order | None = None) -> Glance:
        """Look without logs."""
        marked = order is not None and (order.swap_id, host, order.step) in self._marks
        return self._glance(host, "ended" if marked else "none", 0, with_log=False)

    async def glance(
        self, order: Order, host: str, log_offset: int, *, deep: bool = False
    ) -> Glance:
        """Look with logs; a deep look shows the GPUs."""
        marked = (order.swap_id, host, order.step) in self._marks
        launcher: Literal["none", "ended"] = "ended" if marked else "none"
        seen = self._glance(host, launcher, log_offset, with_log=True)
        return replace(seen, gpu_percent=self.faults.gpus.get(host)) if deep else seen

    async def kernel_words(self, host: str, seconds: int) -> KernelWords:
        """Return what the test prepared."""
        self._reach(host)
        return self.faults.kernel.get(host, KernelWords(readable=True))

    async def steps(self, swap_id: str, host: str) -> frozenset[str]:
        """Return the started steps."""
        self._reach(host)
        return frozenset(step for swap, at, step in self._marks if (swap, at) == (swap_id, host))

    async def watermarks(self, host: str) -> Watermarks:
        """Return the highest fence and epoch seen."""
        self._reach(host)
        return Watermarks(self._fence[host], self._epoch[host])

    async def in_flight(self, host: str) -> int | None:
        """Return one until ``busy_until``."""
        if await self.served(host) is None:
            return None
        return 1 if self._clock.monotonic() < self.busy_until else 0

    async def served(self, host: str) -> Served | None:
        """Return what answers over HTTP on this host."""
        self._freeze(host)
        now = self._present()
        if host in self.faults.dark or host in self._frozen or now is None or now.headless:
            return None
        if host != now.hosts[0] or not self._alive(now):
            return None
        silent = self.faults.silent_after
        stuck = silent is not None and self._broken(now.candidate) and now.born >= 0
        if stuck or self._clock.monotonic() - now.born < self.load_seconds:
            return None
        return Served(now.candidate.repo, now.candidate.served_name, 4096)

    async def answers(self, host: str, served_name: str, questions: Sequence[str]) -> list[Spoken]:
        """Return what the fault says for this model, else something sound."""
        now = self._present()
        if now is None:
            return []
        self.examined += 1
        await self._clock.sleep(self.listen_seconds)
        babble = self.faults.babble if self._broken(now.candidate) else None
        return [Spoken(babble or "Paris, 12", whole=True) for _ in questions]

    async def first_token(
        self, host: str, served_name: str, *, pooling: bool = False
    ) -> str | None:
        """Return None for a token."""
        if self.token_seconds:
            await self._clock.sleep(self.token_seconds)
        now = self._present()
        if now is None:
            return "the connection failed"
        return self.faults.no_token if self._broken(now.candidate) else None

    def _broken(self, candidate: Candidate) -> bool:
        return self.faults.only_for in (None, candidate.key)

    def _reach(self, host: str) -> None:
        self._freeze(host)
        if host in self._frozen:
            raise HostUnreachableError(f"{LABELS[host]} accepts SSH and says nothing", host=host)
        if host in self.faults.away:
            raise HostUnreachableError(f"{LABELS[host]} does not answer", host=host)

    def _freeze(self, host: str) -> None:
        """Let a host hang whose memory is gone, and come back empty."""
        now, present = self._clock.monotonic(), self._present()
        until = self._frozen.get(host)
        if until is not None and now >= until:
            del self._frozen[host]
            self._boots[host] += 1
            self._container = None
        elif until is None and present is not None and host in present.hosts:
            left = self._available(present)
            if left is not None and left < self.faults.freezes_below:
                self._frozen[host] = now + self.faults.reboot_seconds

    def _available(self, present: _Container | None) -> int | None:
        leak = 0.0
        if present is not None and present.born >= 0 and self._broken(present.candidate):
            leak = (self._clock.monotonic() - present.born) * self.faults.leak_per_second
        return self.memory.available(leak)

    def _guard(self, host: str, order: Order) -> bool:
        self._reach(host)
        if order.fence < self._fence[host]:
            raise StaleFenceError(f"STALE fence given={order.fence} stored={self._fence[host]}")
        if order.epoch < self._epoch[host]:
            raise StaleEpochError(f"STALE epoch given={order.epoch}", host=host)
        self._fence[host], self._epoch[host] = order.fence, order.epoch
        mark = (order.swap_id, host, order.step)
        new = mark not in self._marks
        self._marks.add(mark)
        return new

    def _present(self) -> _Container | None:
        now = self._container
        if now is not None and now.stop_at is not None and self._clock.monotonic() >= now.stop_at:
            self._container = None
        return self._container

    def _alive(self, now: _Container) -> bool:
        if now.empty:
            return False
        after = self.faults.dies_after
        if after is None or not self._broken(now.candidate) or now.born < 0:
            return True
        return self._clock.monotonic() - now.born < after

    def _glance(
        self, host: str, launcher: Literal["none", "ended"], offset: int, *, with_log: bool
    ) -> Glance:
        self._reach(host)
        glance = self._of_docker(host, launcher, offset, with_log=with_log)
        return replace(
            glance,
            memory_available_bytes=self._available(self._present()),
            memory_total_bytes=self.memory.total,
            boot_id=f"boot-{self._boots[host]}",
        )

    def _of_docker(
        self, host: str, launcher: Literal["none", "ended"], offset: int, *, with_log: bool
    ) -> Glance:
        if host in self.faults.docker_silent:
            return Glance("unclear", detail="exit 124", launcher=launcher)
        now = self._present()
        if now is None or host not in now.hosts:
            output = "Command dispatched\ndocker: conflict\n"
            return Glance("missing", launcher=launcher, launcher_output=output)
        log = self._log(now, host)[offset:] if with_log else b""
        gone = self.faults.worker_gone_after
        if gone is not None and host != now.hosts[0] and self._broken(now.candidate):
            lives = self._clock.monotonic() - now.born < gone
        else:
            lives = self._alive(now)
        processes = 1 if lives else 0
        return Glance("running", "id", processes, launcher, 0, "", log)

    def _log(self, now: _Container, host: str) -> bytes:
        faults, broken = self.faults, self._broken(now.candidate)
        age = self._clock.monotonic() - now.born
        if broken and faults.silent_after is not None:
            age = min(age, faults.silent_after)
        share = min(100, int(100 * age / self.load_seconds))
        text = "".join(f"weights {percent}\n" for percent in range(0, share + 1, 10))
        if broken and faults.says_fatal_but_lives and age > 5:
            text += faults.says_fatal_but_lives + "\n"
        if broken and not self._alive(now):
            words = faults.last_words if host == now.hosts[0] else faults.worker_last_words
            text += f"{words}\n" if words else ""
        return text.encode()
