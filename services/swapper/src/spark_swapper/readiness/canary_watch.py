"""Remembers whether the loaded model talks sense, and asks again while it does not."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from spark_common.clock import Clock
from spark_common.errors import SparkError, UnavailableError
from spark_swapper.readiness.canary import QUESTIONS, Finding, judge, judge_all
from spark_swapper.records.store import JobStore
from spark_swapper.runtime import Runtime, Served

_AGAIN_SECONDS = 300.0
_RECALL_SECONDS = 5.0
_log = structlog.get_logger()


@dataclass(frozen=True)
class Degraded:
    """A model that answers, but not with sense."""

    repo: str
    reason: str
    """How its answer looked; never its text."""

    @property
    def sentence(self) -> str:
        """What the owner reads."""
        return f"Its answer to a test question is gibberish: {self.reason}."

    @property
    def look(self) -> str:
        """How the answer looked, as a sentence of its own."""
        return f"{self.reason[:1].upper()}{self.reason[1:]}."


class CanaryWatch:
    """Holds the one finding that counts: that of the model that is loaded.

    It survives a restart of the swapper, starts nothing and stops nothing: a person decides. The
    next load is examined anew, whatever it loads.
    """

    def __init__(self, runtime: Runtime, store: JobStore, clock: Clock) -> None:
        self._runtime = runtime
        self._store = store
        self._clock = clock
        self._known: Degraded | None = None

    def degraded(self, repo: str) -> Degraded | None:
        """Return why the answers of a loaded model are not well, or None; without any I/O."""
        known = self._known
        return known if known is not None and known.repo == repo else None

    async def examine(self, host: str, served: Served) -> Degraded | None:
        """Ask the test questions and keep what is found; None when nothing speaks against it."""
        finding = await self._ask(host, served)
        _log.info("canary.examined", repo=served.repo, verdict=finding.verdict if finding else None)
        found = None
        if finding is not None and finding.verdict == "gibberish":
            found = Degraded(served.repo, finding.reason)
        await self._keep(found)
        return found

    async def ask_again(self) -> bool:
        """Ask a degraded model once more; True when it is well now."""
        for host in self._runtime.hosts:
            served = await self._runtime.served(host)
            if served is None or self.degraded(served.repo) is None:
                continue
            finding = await self._ask(host, served)
            if finding is None or finding.verdict == "gibberish":
                return False
            _log.info("canary.well_again", repo=served.repo)
            await self._keep(None)
            return True
        return False

    async def run(
        self, idle: Callable[[], Awaitable[bool]], changed: Callable[[], Awaitable[None]]
    ) -> None:
        """Ask again for ever, only while ``idle`` says that nobody else needs the model."""
        while not await self._recall():
            await self._clock.sleep(_RECALL_SECONDS)
        await changed()
        while True:
            await self._clock.sleep(_AGAIN_SECONDS)
            if self._known is not None and await idle() and await self.ask_again():
                await changed()

    async def _ask(self, host: str, served: Served) -> Finding | None:
        """Return the finding; None when the model said nothing at all."""
        answers = await self._runtime.answers(
            host, served.served_name, [question.text for question in QUESTIONS]
        )
        if not answers:
            return None
        return judge_all(
            [
                judge(answer, question.expected)
                for answer, question in zip(answers, QUESTIONS, strict=True)
            ]
        )

    async def _keep(self, found: Degraded | None) -> None:
        self._known = found
        try:
            await self._store.keep_degraded(
                found.repo if found else "", found.reason if found else ""
            )
        except SparkError:
            _log.warning("canary.not_kept")

    async def _recall(self) -> bool:
        try:
            kept = await self._store.degraded()
        except UnavailableError:
            return False
        if self._known is None and kept is not None:
            self._known = Degraded(*kept)
        return True
