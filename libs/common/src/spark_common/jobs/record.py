"""A job as a value: what all of them have, and one that is no swap."""

from datetime import datetime
from typing import Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict

from spark_common.contracts.jobs import JOB_ENDS, JobState, StepMark
from spark_common.contracts.swaps import Cause


class KeptRecord(BaseModel):
    """What the record of every job has, a swap's too.

    Frozen: every change is a new value. ``revision`` counts them; the store compares it before
    it writes.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    version: Literal[1] = 1
    id: str
    requested_by: str
    body_sha256: str = ""
    """Hash of the request, to tell a repetition from another request with the same key."""

    percent: float | None = None
    eta_seconds: float | None = None
    message: str = ""
    cause: Cause | None = None
    n: int = 0
    """Number of the last progress event."""
    revision: int = 1
    created_at: datetime
    finished_at: datetime | None = None

    def amend(self, **changes: Any) -> Self:
        """Return the job with other facts in the same step, one revision later."""
        return self.model_copy(update={**changes, "revision": self.revision + 1})

    def total_seconds(self, at: datetime) -> float:
        """Return the time since the job was accepted, up to its end if there is one."""
        return max(0.0, ((self.finished_at or at) - self.created_at).total_seconds())


class JobRecord(KeptRecord):
    """One job from its acceptance to its end; a kind of job adds its own facts."""

    exclusive: str
    """Of the jobs of a kind with the same word here, one lives at a time (the repository)."""
    state: JobState = JobState.RUNNING
    step: str
    steps: tuple[StepMark, ...] = ()

    @property
    def over(self) -> bool:
        """Whether the job reached one of its ends."""
        return self.state in JOB_ENDS

    def enter(self, step: str, at: datetime, message: str) -> Self:
        """Return the job in its next step, ``message`` being the sentence people read."""
        return self.amend(
            step=step,
            steps=(*self._closed(at), StepMark(step=step, at=at)),
            message=message,
            percent=None,
            eta_seconds=None,
        )

    def end(
        self, state: JobState, at: datetime, message: str, cause: Cause | None, **facts: Any
    ) -> Self:
        """Return the job at its end."""
        return self.amend(
            **facts,
            state=state,
            steps=self._closed(at),
            message=message,
            cause=cause,
            eta_seconds=None,
            finished_at=at,
        )

    def shared(self) -> dict[str, Any]:
        """Return the fields of ``JobView``, for the view of a kind."""
        return {
            "id": self.id,
            "requested_by": self.requested_by,
            "state": self.state,
            "step": self.step,
            "steps": list(self.steps),
            "percent": self.percent,
            "eta_seconds": self.eta_seconds,
            "message": self.message,
            "cause": self.cause,
            "n": self.n,
            "created_at": self.created_at,
            "finished_at": self.finished_at,
        }

    def _closed(self, at: datetime) -> tuple[StepMark, ...]:
        if not self.steps or self.steps[-1].seconds is not None:
            return self.steps
        last = self.steps[-1]
        seconds = max(0.0, (at - last.at).total_seconds())
        return (*self.steps[:-1], last.model_copy(update={"seconds": seconds}))


KeptT = TypeVar("KeptT", bound=KeptRecord)
RecordT = TypeVar("RecordT", bound=JobRecord)
