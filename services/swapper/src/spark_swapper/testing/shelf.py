"""A shelf with models that are simply there, and a log that says what it means."""

from collections.abc import Iterable
from typing import Literal

from spark_common.contracts.models import Menu, RuntimeView
from spark_common.contracts.swaps import Cause
from spark_common.errors import SparkError, UnknownModelError
from spark_common.testing import FakeClock
from spark_swapper.launching.candidate import Candidate
from spark_swapper.ports import LogEvent, PreflightResult


def a_candidate(
    key: str = "qwen", hosts: tuple[str, ...] = ("spark1",), image: str = "vllm-node"
) -> Candidate:
    """Return a model that could be started."""
    mode: Literal["solo", "cluster"] = "solo" if len(hosts) == 1 else "cluster"
    repo = f"org/{key}"
    return Candidate(
        key=key,
        name=key.upper(),
        repo=repo,
        served_name=f"{key}-served",
        mode=mode,
        hosts=hosts,
        image=image,
        launch_argv=("./launch-cluster.sh", "-d", "exec", "vllm", "serve", repo),
        vllm_argv=(repo,),
        stop_argv=("./launch-cluster.sh", "--solo", "stop"),
    )


class FakeShelf:
    """Holds candidates; ``broken`` is raised instead of an answer."""

    def __init__(self, clock: FakeClock, candidates: Iterable[Candidate]) -> None:
        self._clock = clock
        self.candidates = {candidate.key: candidate for candidate in candidates}
        self.broken: SparkError | None = None
        self.refreshes = 0
        """How often somebody asked for a look at the disks soon."""

    async def find(self, name: str) -> Candidate:
        """Return a candidate by key, repository or served name."""
        if self.broken is not None:
            raise self.broken
        for one in self.candidates.values():
            if name in (one.key, one.repo, one.served_name):
                return one
        raise UnknownModelError(f"no model {name!r}", near=[*self.candidates])

    async def menu(self, refresh: bool) -> Menu:
        """Return a menu without models: nobody here asks for them."""
        view = RuntimeView(state="unknown")
        return Menu(models=[], recipes=[], hosts=[], runtime=view, as_of=self._clock.now())

    def refresh_soon(self) -> None:
        """Count the wish."""
        self.refreshes += 1

    def key_for(self, repo: str) -> str | None:
        """Return the key of a repository."""
        return next((one.key for one in self.candidates.values() if one.repo == repo), None)


class FakePreflight:
    """Takes a moment and answers what the test put into ``result``."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.result = PreflightResult("good", "The arguments are accepted.")
        self.seconds = 0.75
        self.asked: list[tuple[Candidate, bool]] = []

    async def __call__(self, candidate: Candidate, *, deep: bool = False) -> PreflightResult:
        """Check nothing."""
        self.asked.append((candidate, deep))
        await self._clock.sleep(self.seconds)
        return self.result


class PlainReader:
    """Reads logs whose lines are ``weights N`` and ``FATAL words``."""

    def __init__(self) -> None:
        self._rest = ""
        self._fatal: str | None = None

    def feed(self, text: str) -> list[LogEvent]:
        """Return the complete lines."""
        *lines, self._rest = (self._rest + text).split("\n")
        return [self._event(line) for line in lines]

    def verdict(self, process_alive: bool) -> Cause | None:
        """Return the first fatal line; something general for a death without one."""
        if self._fatal is not None:
            return Cause(code="out_of_memory", sentence=self._fatal, action="Press another.")
        if process_alive:
            return None
        return Cause(code="runtime_died", sentence="It ended without a word.", action="Look.")

    def _event(self, line: str) -> LogEvent:
        word, _, rest = line.partition(" ")
        if word == "FATAL" and self._fatal is None:
            self._fatal = rest
        if word == "weights":
            return LogEvent(line, float(rest), "weights")
        return LogEvent(line)
