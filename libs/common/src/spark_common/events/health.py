"""What changed its state, what was done about it, and what is asked of the health service."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field, StringConstraints

from spark_common.contracts.swaps import Text
from spark_common.events.message import Command, Event


class HealthTransition(Event):
    """A host, service or model changed its state."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", populate_by_name=True, serialize_by_alias=True
    )

    type: ClassVar[str] = "health.transition"

    target: str
    kind: Literal["host", "service", "model"]
    before: str | None = Field(default=None, alias="from")
    after: str = Field(alias="to")
    reason: str = ""
    since: datetime
    label: str | None = None
    """Its name for people."""
    host: str | None = None
    """The target it runs on."""
    before_seconds: float | None = None
    """How long the state before had lasted."""
    changes: int = 1
    """Transitions of this target within the last half hour, this one included."""
    maintenance: bool = False
    """It happened during announced maintenance: kept, but nobody is told by webhook."""


class ServiceAction(Event):
    """Something was done with a service, or with a Spark as a machine: by whom, why."""

    type: ClassVar[str] = "service.action"

    service: str
    """Of what is done with a whole Spark its name, as in ``host``."""
    host: str | None = None
    action: Literal["start", "stop", "restart", "remove", "update", "wake", "shutdown", "reboot"]
    automatic: bool = False
    requested_by: str
    reason: str = ""
    ok: bool
    message: str = ""
    at: datetime
    evidence: list[str] = []
    """What was seen that led to it: few short lines, no content of requests."""
    container: str | None = None
    decision: Literal["acted", "suggested", "gave_up"] = "acted"
    """``suggested``: nothing was done, the owner wants to press it. ``gave_up``: nothing was done
    and nothing will be until a person presses something. ``ok`` is false for both."""


class HealthChecked(Event):
    """A deep check is over: one that was asked for, or one that came to something else."""

    type: ClassVar[str] = "health.checked"

    target: str
    state: str
    """``ok``, ``idle``, ``busy``, ``loading``, ``failing``, ``wedged``, ``down``, ``skipped``."""
    before: str | None = None
    """What the check before came to."""
    sentence: str = ""
    trigger: str
    """``event``: asked for on the bus; ``manual``, ``timer``, ``remedy`` (after a restart)."""
    requested_by: str | None = None
    latency_ms: float | None = None
    at: datetime
    evidence: list[str] = []


class HealthReport(Event):
    """An outside app tells how a service served it. Shown; the state is only probed for."""

    type: ClassVar[str] = "health.report"

    service: Text
    ok: bool
    source: Text | None = None
    """The app that tells."""
    error: Annotated[str, StringConstraints(max_length=1000, strip_whitespace=True)] | None = None
    ms: float | None = Field(default=None, ge=0)


class HealthProbeRequested(Command):
    """Ask the health service for a deep check now."""

    type: ClassVar[str] = "health.probe.requested"

    target: Text
    """A service by its name, or ``all``."""
    requested_by: Text = "someone"
    reason: Text | None = None
