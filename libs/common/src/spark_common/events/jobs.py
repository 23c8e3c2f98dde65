"""Jobs that are not swaps: downloads, updates, installations and care of a service's files."""

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import Field

from spark_common.contracts.jobs import JobState
from spark_common.contracts.swaps import Cause, LogLine
from spark_common.events.message import Event


class JobProgress(Event):
    """A step of a running job: a change of step, a percentage, bytes or log lines."""

    job_id: str
    n: int = Field(ge=1)
    """Numbered from 1 per job."""
    step: str
    previous_step: str | None = None
    """Present when this event is the change of step itself."""
    percent: float | None = None
    eta_seconds: float | None = None
    message: str = ""
    lines: list[LogLine] = []
    at: datetime


class JobEnded(Event):
    """The one outcome of a job. Durations in seconds."""

    job_id: str
    requested_by: str
    outcome: JobState
    message: str = ""
    cause: Cause | None = None
    total_seconds: float
    finished_at: datetime


class DownloadProgress(JobProgress):
    """A step of a running download. Sizes in bytes, speed in bytes a second."""

    type: ClassVar[str] = "download.progress"

    repo: str
    done_bytes: int = 0
    total_bytes: int | None = None
    bytes_per_second: float | None = None


class DownloadComplete(JobEnded):
    """The repository is whole on every Spark that was asked for."""

    type: ClassVar[str] = "download.complete"

    repo: str
    hosts: list[str] = []
    total_bytes: int | None = None


class DownloadFailed(JobEnded):
    """The download ended without the repository being whole everywhere."""

    type: ClassVar[str] = "download.failed"

    repo: str
    hosts: list[str] = []


class UpdateProgress(JobProgress):
    """A step of a running update of the cluster software."""

    type: ClassVar[str] = "update.progress"

    direction: Literal["update", "revert"] = "update"


class UpdateComplete(JobEnded):
    """The cluster software was updated, or is back at what it was."""

    type: ClassVar[str] = "update.complete"

    direction: Literal["update", "revert"] = "update"
    commit_before: str | None = None
    commit_after: str | None = None


class UpdateFailed(JobEnded):
    """The update ended badly or was cancelled; what was in use before still is."""

    type: ClassVar[str] = "update.failed"

    direction: Literal["update", "revert"] = "update"


class InstallProgress(JobProgress):
    """A step of a running installation of a service on a Spark."""

    type: ClassVar[str] = "install.progress"

    what: str
    host: str


class InstallComplete(JobEnded):
    """The service was built on the Spark, runs and is ready."""

    type: ClassVar[str] = "install.complete"

    what: str
    host: str


class InstallFailed(JobEnded):
    """The installation ended without a service that is ready; the cause says what runs now."""

    type: ClassVar[str] = "install.failed"

    what: str
    host: str


class OverlayProgress(JobProgress):
    """A step of putting our files into the speech container, of the way back, or of a restart."""

    type: ClassVar[str] = "overlay.progress"

    action: Literal["reapply", "undo", "restart"]
    host: str


class OverlayComplete(JobEnded):
    """The speech container runs with the files that were wanted, and is ready."""

    type: ClassVar[str] = "overlay.complete"

    action: Literal["reapply", "undo", "restart"]
    host: str


class OverlayFailed(JobEnded):
    """It ended badly or was cancelled; the message says with which files speech runs now."""

    type: ClassVar[str] = "overlay.failed"

    action: Literal["reapply", "undo", "restart"]
    host: str
