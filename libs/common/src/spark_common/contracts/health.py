"""Health: how every target is, how it was, what apps told of it, and when nobody should mind."""

from datetime import datetime
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, JsonValue, StringConstraints

from spark_common.contracts.rpc import Reply, Request, Rpc
from spark_common.contracts.swaps import Text

TargetKind: TypeAlias = Literal["host", "service", "model"]
Level: TypeAlias = Literal["up", "degraded", "down", "unknown"]
"""What transitions lead between. ``idle`` and ``busy`` are kinds of ``up``."""
Shown: TypeAlias = Literal["up", "idle", "busy", "degraded", "down", "unknown"]
TargetName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]


class GetHealth(Request):
    """Ask for every target, or for those named."""

    targets: list[TargetName] = Field(default=[], max_length=200)


class Uptime(Reply):
    """How much of the watched time a target was up, in percent; maintenance is left out.

    Null where nobody watched. ``degraded`` is up: it answered.
    """

    day: float | None = None
    """The last 24 hours."""
    week: float | None = None
    month: float | None = None
    """The last 30 days."""
    watched_since: datetime | None = None
    """When it was seen for the first time; what was before is not counted."""


class Maintenance(Reply):
    """A time in which changes of a target are noted but nobody is told of them."""

    id: str
    target: str
    """A target by its name, or ``all``."""
    starts_at: datetime
    ends_at: datetime
    reason: str = ""
    requested_by: str
    active: bool = False


class TargetView(Reply):
    """One target as it is shown: never up without a fresh good look."""

    name: str
    kind: TargetKind
    label: str
    host: str | None = None
    url: str | None = None
    state: Shown
    level: Level
    """What the state amounts to: ``idle`` and ``busy`` are ``up``."""
    reason: str = ""
    because: str | None = None
    """The target whose trouble this is: the host it runs on."""
    since: datetime | None = None
    """Since when it is on this level."""
    for_seconds: float | None = None
    seen_at: datetime | None = None
    """The last good look."""
    age_seconds: float | None = None
    """How old that is."""
    looked_at: datetime | None = None
    """The last look, good or not."""
    stale: bool = False
    """The last good look is too old to be shown as true; ``last_state`` is what it was."""
    last_state: Shown | None = None
    misses: int = 0
    """Looks in a row that failed; three make it down."""
    changes: int = 0
    """Transitions within the last half hour."""
    flapping: bool = False
    """It changed four times or more within the last half hour."""
    maintenance: bool = False
    uptime: Uptime = Uptime()
    facts: dict[str, JsonValue] = {}


class HealthView(Reply):
    """Every target that is watched: hosts first, then by name."""

    targets: list[TargetView]
    disabled: list[str] = []
    """Services the owner hid: no tile, no probe."""
    maintenance: list[Maintenance] = []
    problems: list[str] = []
    """Why something may be missing here, one plain sentence each."""
    as_of: datetime


GET_HEALTH = Rpc("rpc.health.targets.get", GetHealth, HealthView)


class GetEndpoints(Request):
    """Ask where everything is."""


class Endpoint(Reply):
    """The direct address of one service on the network."""

    name: str
    label: str
    kind: Literal["vllm", "speech_to_text", "text_to_speech", "embeddings", "vectors", "other"]
    host: str
    """Address of the machine."""
    port: int
    url: str
    openai_base_url: str | None = None
    """Where it speaks the API of OpenAI."""
    disabled: bool = False
    state: Shown | None = None
    """As its target is shown; null for what is not watched."""


class Endpoints(Reply):
    """Every service that the settings name."""

    endpoints: list[Endpoint]


GET_ENDPOINTS = Rpc("rpc.health.endpoints.get", GetEndpoints, Endpoints)


class GetConnectivity(Request):
    """Ask for the log of transitions, the newest first."""

    target: TargetName | None = None
    hours: float = Field(default=24.0, gt=0, le=24 * 90, allow_inf_nan=False)
    limit: int = Field(default=200, ge=1, le=1000)


class Transition(Reply):
    """One change of level."""

    id: str
    target: str
    kind: TargetKind
    label: str
    before: Level
    after: Level
    reason: str = ""
    since: datetime
    until: datetime | None = None
    """When the next one came; null while it lasts."""
    seconds: float
    """How long it lasted, or lasts until now."""
    before_seconds: float | None = None
    """How long the level before had lasted."""
    maintenance: bool = False


class WorkFailure(Reply):
    """A time in which a target could not do its work, whether or not it answered."""

    target: str
    state: Literal["failing", "wedged"]
    """As the first deep check of that time found it; see ``DeepState``."""
    sentence: str = ""
    since: datetime
    until: datetime | None = None
    """When it worked again, or had nothing to do; null while it lasts."""
    restarted: bool = False
    """The check at its end was that of a restart."""


class PassiveReport(Reply):
    """What an app told; it changes no state."""

    id: str
    service: str
    target: str | None = None
    """The target it is about, where the name is known."""
    ok: bool
    source: str | None = None
    error: str | None = None
    ms: float | None = None
    at: datetime


class Reported(Reply):
    """What apps told of one service within the time asked for."""

    service: str
    ok: int = 0
    failed: int = 0
    last_ok_at: datetime | None = None
    last_failed_at: datetime | None = None
    last_error: str | None = None


class TargetUptime(Reply):
    """The uptime of one target."""

    target: str
    label: str
    kind: TargetKind
    state: Shown
    uptime: Uptime


class Connectivity(Reply):
    """The log of transitions, and apart from it what apps told."""

    transitions: list[Transition]
    more: bool = False
    """Older ones were left out by the limit."""
    uptime: list[TargetUptime] = []
    failures: list[WorkFailure] = []
    """What deep checks found, the newest first, at most a hundred."""
    reports: list[PassiveReport] = []
    """The newest first, at most a hundred."""
    reported: list[Reported] = []
    maintenance: list[Maintenance] = []
    complete: bool = True
    """False while the log is still being read after a start."""
    as_of: datetime


GET_CONNECTIVITY = Rpc("rpc.health.connectivity.get", GetConnectivity, Connectivity)


class ReportHealth(Request):
    """Tell how a service served an app."""

    service: Text
    ok: bool
    source: Text | None = None
    error: Annotated[str, StringConstraints(max_length=20_000, strip_whitespace=True)] | None = None
    """Its last thousand characters are kept."""
    ms: float | None = Field(default=None, ge=0, allow_inf_nan=False)


class ReportTaken(Reply):
    """The report is stored."""

    id: str
    target: str | None = None
    """The target it is about, where the name is known."""


REPORT_HEALTH = Rpc("rpc.health.report.put", ReportHealth, ReportTaken)


class BeginMaintenance(Request):
    """Announce maintenance: from ``starts_at``, or now, for so many minutes."""

    target: TargetName = "all"
    minutes: float = Field(default=60.0, ge=1, le=7 * 24 * 60, allow_inf_nan=False)
    starts_at: datetime | None = None
    reason: Annotated[str, StringConstraints(max_length=500, strip_whitespace=True)] = ""
    requested_by: Text = "someone"
    id: TargetName | None = None
    """The same one again is the same window, replaced."""


class EndMaintenance(Request):
    """End a window now, or call it off."""

    id: TargetName
    requested_by: Text = "someone"


class ListMaintenance(Request):
    """Ask for the windows that run or come."""


class MaintenanceWindows(Reply):
    """Windows that run or come, by their beginning."""

    windows: list[Maintenance]


BEGIN_MAINTENANCE = Rpc("rpc.health.maintenance.begin", BeginMaintenance, Maintenance)
END_MAINTENANCE = Rpc("rpc.health.maintenance.end", EndMaintenance, MaintenanceWindows)
LIST_MAINTENANCE = Rpc("rpc.health.maintenance.list", ListMaintenance, MaintenanceWindows)
