"""What the test before a swap found: one answer per thing that a swap needs. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from spark_common.contracts.plans import CheckResult, NodePlan, Verdict
from spark_common.contracts.swaps import Cause

CheckName = Literal[
    "arguments", "memory", "disk", "port", "image", "launcher", "hosts", "files", "quarantine"
]


@dataclass(frozen=True)
class Check:
    """One question and its answer."""

    name: CheckName
    verdict: Verdict
    sentence: str
    host: str | None = None
    cause: Cause | None = None
    """What it means for a swap; only when bad."""
    seconds: float | None = None

    def result(self) -> CheckResult:
        """Return the check as it is shown."""
        return CheckResult(
            name=self.name,
            verdict=self.verdict,
            host=self.host,
            sentence=self.sentence,
            seconds=self.seconds,
        )


@dataclass(frozen=True)
class Findings:
    """All checks of one candidate, in the order in which they decide."""

    checks: tuple[Check, ...]
    nodes: tuple[NodePlan, ...] = ()

    @property
    def causes(self) -> list[Cause]:
        """Return why a swap cannot work; empty when nothing speaks against it."""
        return [check.cause for check in self.checks if check.cause is not None]

    @property
    def doubts(self) -> list[str]:
        """Return what could not be checked."""
        return [check.sentence for check in self.checks if check.verdict == "unknown"]

    def stage(self) -> Check | None:
        """Return the first check that failed, else the first that could not tell."""
        return _first(self.checks, "bad") or _first(self.checks, "unknown")

    @property
    def verdict(self) -> Verdict:
        """Bad beats unknown beats good."""
        stage = self.stage()
        return stage.verdict if stage is not None else "good"


def _first(checks: Sequence[Check], verdict: Verdict) -> Check | None:
    return next((check for check in checks if check.verdict == verdict), None)
