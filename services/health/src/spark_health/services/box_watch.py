"""The loop that looks at containers: one question per login and round, none waits for another."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from spark_common.clock import Clock
from spark_common.errors import SparkError
from spark_common.remote import RemoteShell
from spark_common.tasks import end
from spark_health.services.boxes import LOOK_SECONDS, Box, Looked, question, read_answer
from spark_health.services.logins import Login
from spark_health.services.pace import ServicePace
from spark_health.services.restarts import Restarts

_ROUND_SECONDS = 1.0
_log = structlog.get_logger()


@dataclass(frozen=True)
class Wanted:
    """What is to be looked at under one login. ``gpu``: how busy the GPU is, too."""

    names: frozenset[str]
    gpu: bool = False


@dataclass(frozen=True)
class BoxSight:
    """What is known of one container now; ``known`` is False until docker answered."""

    known: bool = False
    box: Box | None = None
    """None where it is known that there is none."""
    problem: str | None = None
    """Why the latest look did not see."""
    seen_at: datetime | None = None
    """The latest look that saw."""
    age_seconds: float = 0.0
    """Of what is known; by a steady clock."""
    recent_restarts: int = 0
    looping: bool = False
    gpu_percent: int | None = None


@dataclass
class _Known:
    looked: Looked = field(default_factory=Looked)
    at: datetime | None = None
    steady: float = 0.0
    problem: str | None = None
    runs: dict[str, Restarts] = field(default_factory=dict)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    asked: frozenset[str] = frozenset()


class BoxWatch:
    """Knows how the containers are that ``wanted`` names."""

    def __init__(
        self,
        shell: RemoteShell,
        wanted: Callable[[], Mapping[Login, Wanted]],
        clock: Clock,
        pace: ServicePace,
    ) -> None:
        self._shell = shell
        self._wanted = wanted
        self._clock = clock
        self._pace = pace
        self._known: dict[Login, _Known] = {}
        self._tasks: dict[Login, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Look for ever."""
        try:
            while True:
                wanted = self._wanted()
                for login in set(self._tasks) - set(wanted):
                    await end([self._tasks.pop(login)])
                    self._known.pop(login, None)
                for login in wanted:
                    if login not in self._tasks or self._tasks[login].done():
                        self._tasks[login] = asyncio.create_task(self._keep(login))
                await self._clock.sleep(_ROUND_SECONDS)
        finally:
            await end(list(self._tasks.values()))

    def sight(self, login: Login, name: str) -> BoxSight:
        """Return what is known of a container."""
        known = self._known.get(login)
        if known is None or name not in known.asked:
            return BoxSight(problem=known.problem if known is not None else None)
        runs = known.runs.get(name) or Restarts()
        return BoxSight(
            known=True,
            box=known.looked.boxes.get(name),
            problem=known.problem,
            seen_at=known.at,
            age_seconds=max(0.0, self._clock.monotonic() - known.steady),
            recent_restarts=runs.recent,
            looping=runs.looping,
            gpu_percent=known.looked.gpu_percent if known.problem is None else None,
        )

    async def look_now(self, login: Login) -> None:
        """Look once more, beside the rounds; what cannot be asked is taken in as that."""
        wanted = self._wanted().get(login)
        if wanted is None or not wanted.names:
            return
        known = self._known.setdefault(login, _Known())
        async with known.lock:
            names = sorted(wanted.names)
            looked = await self._ask(login, names, wanted.gpu)
            known.problem = looked.problem
            if looked.problem is not None:
                return
            known.looked, known.asked = looked, wanted.names
            known.at, known.steady = self._clock.now(), self._clock.monotonic()
            for name in names:
                runs = known.runs.setdefault(name, Restarts())
                runs.see(looked.boxes.get(name), known.steady)
            for name in set(known.runs) - wanted.names:
                del known.runs[name]

    def begin_anew(self, login: Login, name: str) -> None:
        """Take up that somebody started or stopped it on purpose."""
        if (known := self._known.get(login)) is not None and name in known.runs:
            known.runs[name].forget()

    def started_on_purpose(self, spark: str, name: str) -> None:
        """Take up that a container on a Spark was started, under whatever login it is seen."""
        for login in self._known:
            if login.spark == spark:
                self.begin_anew(login, name)

    async def _keep(self, login: Login) -> None:
        while True:
            try:
                await self.look_now(login)
            except Exception:
                _log.exception("services.look_broke", login=login.label)
            await self._clock.sleep(self._pace.look_seconds)

    async def _ask(self, login: Login, names: list[str], gpu: bool) -> Looked:
        asked = question(names, gpu=gpu, patience_seconds=self._pace.docker_seconds)
        try:
            ran = await self._shell.run(login.shell, asked, timeout_seconds=LOOK_SECONDS)
        except SparkError as error:
            return Looked(problem=error.message)
        if ran.exit_code is None:
            return Looked(problem=f"the connection to {login.label} was lost")
        if not ran.ok:
            return Looked(problem=f"{login.label} could not run the look (exit {ran.exit_code})")
        return read_answer(ran.stdout, names, login.label)
