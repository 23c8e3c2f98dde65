"""Jobs that are not swaps: long work on a Spark that is started, followed, cancelled, kept."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import StringConstraints

from spark_common.contracts.rpc import Reply, Request
from spark_common.contracts.swaps import Cause, Text

JobId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]


class JobState(StrEnum):
    """Where a job stands. The last three are ends."""

    RUNNING = "running"
    COMPLETE = "complete"
    FAILED = "failed"
    CANCELLED = "cancelled"


JOB_ENDS = frozenset({JobState.COMPLETE, JobState.FAILED, JobState.CANCELLED})


class StepMark(Reply):
    """When a step of a job began and, once it ended, how long it took."""

    step: str
    at: datetime
    seconds: float | None = None


class JobView(Reply):
    """What all jobs have in common. Durations in seconds, sizes in bytes."""

    id: str
    requested_by: str
    state: JobState
    step: str
    """What is being done, one word of the kind's own list."""
    steps: list[StepMark] = []
    percent: float | None = None
    """0 to 100; absent where nothing can be measured."""
    eta_seconds: float | None = None
    """From the measured speed; absent rather than guessed."""
    message: str = ""
    """What is happening now, or how it ended, in one plain sentence."""
    cause: Cause | None = None
    """Why it failed or was cancelled, and what to press."""
    n: int = 0
    """Number of the last progress event that is already contained in this view."""
    created_at: datetime
    finished_at: datetime | None = None

    @property
    def over(self) -> bool:
        """Whether the job reached one of its ends."""
        return self.state in JOB_ENDS


class GetJob(Request):
    """Ask for one job."""

    id: JobId


class CancelJob(Request):
    """Ask to stop a job; what is done already is kept."""

    id: JobId
    requested_by: Text = "someone"


class JobLog(Reply):
    """The end of what a job's programs wrote, oldest line first."""

    lines: list[str] = []
    complete: bool = True
    """False when older lines were left out."""
