"""Swaps: asked for, admitted, followed, ended."""

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import Field, SecretStr

from spark_common.contracts.swaps import Cause, LogLine, Phase, SwapId, Text
from spark_common.events.message import Command, Event


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
    reload: bool = False
    override_lease: bool = False
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
