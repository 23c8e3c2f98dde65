"""A swap as a value: what was asked, where it stands, and the table of its legal moves."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from spark_common.contracts.swaps import TERMINAL, Phase, PhaseMark, SwapView
from spark_common.jobs.record import KeptRecord

_GIVE_UP = frozenset({Phase.FAILED, Phase.CANCELLED})
_GIVE_UP_OR_BACK = _GIVE_UP | {Phase.ROLLING_BACK}

TRANSITIONS: Mapping[Phase, frozenset[Phase]] = {
    Phase.QUEUED: _GIVE_UP | {Phase.PREFLIGHT},
    # Warming directly: a queued swap whose model serves by the time its turn comes.
    Phase.PREFLIGHT: _GIVE_UP | {Phase.DRAINING, Phase.WARMING},
    Phase.DRAINING: _GIVE_UP | {Phase.STOPPING},
    Phase.STOPPING: _GIVE_UP_OR_BACK | {Phase.LAUNCHING},
    Phase.LAUNCHING: _GIVE_UP_OR_BACK | {Phase.LOADING},
    Phase.LOADING: _GIVE_UP_OR_BACK | {Phase.WARMING},
    Phase.WARMING: _GIVE_UP_OR_BACK | {Phase.READY},
    Phase.ROLLING_BACK: _GIVE_UP | {Phase.ROLLED_BACK},
    Phase.READY: frozenset(),
    Phase.ROLLED_BACK: frozenset(),
    Phase.FAILED: frozenset(),
    Phase.CANCELLED: frozenset(),
}
"""From each phase to those that may follow it. Nothing else moves a swap."""

MAIN_LINE = (
    Phase.QUEUED,
    Phase.PREFLIGHT,
    Phase.DRAINING,
    Phase.STOPPING,
    Phase.LAUNCHING,
    Phase.LOADING,
    Phase.WARMING,
    Phase.READY,
)
"""The phases of a swap that goes well, in order."""
UNTOUCHED = frozenset({Phase.QUEUED, Phase.PREFLIGHT, Phase.DRAINING})
"""Phases in which nothing on the cluster has changed yet."""


class IllegalMoveError(Exception):
    """A move the table does not know: a bug, never an answer to a caller."""


class SwapJob(KeptRecord):
    """One swap, from admission to its end."""

    model: str
    model_name: str
    served_name: str = ""
    """The ``model`` that clients name, once it serves."""
    previous: str | None = None
    previous_name: str | None = None
    when_busy: Literal["reject", "queue"] = "reject"
    rollback: bool = False
    force: bool = False
    """Stop the old model at the end of the drain, though answers are still being written."""
    drop_caches: bool = False
    reload: bool = False
    """Stop the model and start it again, although it is the one that serves."""
    boots: Mapping[str, str] = {}
    """Boot id of each host when its load was first seen: another one means it went down."""
    memory_before: Mapping[str, int] = {}
    """Available bytes of each host when its load was first seen."""
    lease_epoch: int = 0
    override_lease: bool = False
    """A person swaps through the lease of somebody else: no gate stops it."""
    settings: Mapping[str, str] | None = None
    """What the owner had set when it began, secrets apart; every worker goes on with the same."""

    phase: Phase = Phase.QUEUED
    phases: tuple[PhaseMark, ...]
    usual_seconds: float | None = None
    hosts: tuple[str, ...] = ()
    """The Sparks it touches, once that is known."""
    failed_in: Phase | None = None
    serving: str | None = None
    degraded: str | None = None
    """Why the model's answers are not well although it serves."""
    attempt: int = 1

    @property
    def over(self) -> bool:
        """Whether the swap reached one of its ends."""
        return self.phase in TERMINAL

    @property
    def touched(self) -> bool:
        """Whether this swap may have changed anything on the cluster."""
        return self.phase not in UNTOUCHED and self.entered_at(Phase.STOPPING) is not None

    def enter(self, phase: Phase, at: datetime, reason: str) -> "SwapJob":
        """Return the swap in its next phase, ``reason`` being the sentence people read.

        Raises IllegalMoveError for a move the table does not know.
        """
        if phase not in TRANSITIONS[self.phase]:
            raise IllegalMoveError(f"{self.id}: {self.phase.value} -> {phase.value}")
        left = self.phases[-1]
        seconds = max(0.0, (at - left.at).total_seconds())
        marks = (*self.phases[:-1], left.model_copy(update={"seconds": seconds}))
        ended = phase in TERMINAL
        return self.model_copy(
            update={
                "phase": phase,
                "phases": (*marks, PhaseMark(phase=phase, at=at)),
                "message": reason,
                "percent": None,
                "eta_seconds": None if ended else self.eta_seconds,
                "finished_at": at if ended else None,
                "revision": self.revision + 1,
            }
        )

    def entered_at(self, phase: Phase) -> datetime | None:
        """Return when the swap entered a phase, or None."""
        return next((mark.at for mark in self.phases if mark.phase is phase), None)

    def phase_seconds(self) -> dict[str, float]:
        """Return how long each finished phase took."""
        return {
            mark.phase.value: round(mark.seconds, 3)
            for mark in self.phases
            if mark.seconds is not None
        }

    def running_seconds(self, at: datetime) -> float:
        """Return the time since it left the queue."""
        began = next((mark.at for mark in self.phases if mark.phase is not Phase.QUEUED), at)
        return max(0.0, (at - began).total_seconds())

    def view(self) -> SwapView:
        """Return the swap as everybody sees it."""
        return SwapView(
            id=self.id,
            model=self.model,
            model_name=self.model_name,
            previous=self.previous,
            requested_by=self.requested_by,
            when_busy=self.when_busy,
            rollback=self.rollback,
            force=self.force,
            phase=self.phase,
            phases=list(self.phases),
            percent=self.percent,
            eta_seconds=self.eta_seconds,
            usual_seconds=self.usual_seconds,
            message=self.message,
            cause=self.cause,
            serving=self.serving,
            degraded=self.degraded,
            attempt=self.attempt,
            lease_epoch=self.lease_epoch,
            hosts=list(self.hosts),
            n=self.n,
            created_at=self.created_at,
            finished_at=self.finished_at,
        )


def first_job(
    *, swap_id: str, model: str, model_name: str, requested_by: str, at: datetime
) -> SwapJob:
    """Return a fresh swap in the queue."""
    return SwapJob(
        id=swap_id,
        model=model,
        model_name=model_name,
        requested_by=requested_by,
        phases=(PhaseMark(phase=Phase.QUEUED, at=at),),
        message="Waiting for its turn.",
        created_at=at,
    )
