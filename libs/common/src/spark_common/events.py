"""Everything that is told or commanded on the bus, one class per type and version.

Events are past tense, ignore unknown fields and are never changed once sent. Commands forbid
unknown fields: a typo must not swap a model. An added optional field keeps the version; anything
else is a new class with the next version, sent beside the old one for one release.
"""

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from spark_common.contracts.jobs import JobState
from spark_common.contracts.swaps import Cause, LogLine, Phase, SwapId, Text


class Message(BaseModel):
    """A typed body of an envelope."""

    type: ClassVar[str]
    version: ClassVar[int] = 1

    @classmethod
    def type_name(cls) -> str:
        """The CloudEvents ``type``: ``spark.swap.complete.v1``."""
        return f"spark.{cls.type}.v{cls.version}"


class Event(Message):
    """Something that happened."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Command(Message):
    """Something that shall happen, accepted once and carried out once."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SwapRequested(Command):
    """What an automation publishes on ``swap.requested``, bare or in an envelope."""

    type: ClassVar[str] = "swap.requested"

    model: Text
    requested_by: Text = "automation"
    id: SwapId | None = None
    lock_token: SecretStr | None = None
    rollback: bool = True
    force: bool = False
    drop_caches: bool = False
    when_busy: Literal["reject", "queue"] = "reject"
    dry_run: bool = False


class SwapStart(Command):
    """An admitted swap, stored as ``swap.requested.<id>``; the worker's order."""

    type: ClassVar[str] = "swap.start"

    swap_id: SwapId
    model: str
    requested_by: str
    rollback: bool = False
    force: bool = False
    drop_caches: bool = False
    lease_epoch: int = Field(ge=0)


class SwapCancel(Command):
    """Stop a swap, stored as ``swap.cancel.<id>``."""

    type: ClassVar[str] = "swap.cancel"

    swap_id: SwapId
    requested_by: Text = "someone"


class SwapAccepted(Event):
    """A swap was admitted and its command is stored."""

    type: ClassVar[str] = "swap.accepted"

    swap_id: str
    model: str
    requested_by: str
    queued_behind: str | None = None


class SwapRejected(Event):
    """A published request was refused; ``code`` is one of the error codes."""

    type: ClassVar[str] = "swap.rejected"

    swap_id: str
    model: str
    requested_by: str
    code: str
    message: str


class SwapProgress(Event):
    """A step of a running swap: a phase, a percentage or log lines. Numbered from 1 per swap."""

    type: ClassVar[str] = "swap.progress"

    swap_id: str
    n: int = Field(ge=1)
    model: str
    phase: Phase
    previous_phase: Phase | None = None
    """Present when this event is the change of phase itself."""
    percent: float | None = None
    eta_seconds: float | None = None
    message: str = ""
    lines: list[LogLine] = []
    attempt: int = 1
    at: datetime


class SwapComplete(Event):
    """The model is serving; the one outcome of this swap. Durations in seconds."""

    type: ClassVar[str] = "swap.complete"

    swap_id: str
    model: str
    served_name: str
    previous: str | None = None
    requested_by: str
    total_seconds: float
    phase_seconds: dict[str, float] = {}
    degraded: str | None = None
    """Why the answers of the model are not well although it serves."""
    dry_run: bool = False
    finished_at: datetime


class SwapFailed(Event):
    """The model is not serving; the one outcome of this swap. Durations in seconds."""

    type: ClassVar[str] = "swap.failed"

    swap_id: str
    model: str
    previous: str | None = None
    requested_by: str
    outcome: Literal["failed", "cancelled", "rolled_back"]
    cause: Cause
    failed_in: Phase
    serving: str | None = None
    total_seconds: float
    phase_seconds: dict[str, float] = {}
    dry_run: bool = False
    finished_at: datetime


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


class MenuChanged(Event):
    """A hint: the menu, a host or the runtime looks different now; ask again."""

    type: ClassVar[str] = "menu.changed"

    reason: str


EVENTS: tuple[type[Event], ...] = (
    SwapAccepted,
    SwapRejected,
    SwapProgress,
    SwapComplete,
    SwapFailed,
    DownloadProgress,
    DownloadComplete,
    DownloadFailed,
    UpdateProgress,
    UpdateComplete,
    UpdateFailed,
    MenuChanged,
)
COMMANDS: tuple[type[Command], ...] = (SwapRequested, SwapStart, SwapCancel)
