"""The services that are always on: how each and its container is, and starting and stopping it."""

from datetime import datetime
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, JsonValue, StringConstraints

from spark_common.contracts.health import Shown, TargetName
from spark_common.contracts.jobs import CancelJob, GetJob, JobId, JobLog, JobView
from spark_common.contracts.leases import Token
from spark_common.contracts.nim import HealthPath, Label, Port
from spark_common.contracts.rpc import Reply, Request, Rpc
from spark_common.contracts.swaps import Text

ServiceName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$")]
HostWord = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9:][A-Za-z0-9.:-]{0,252}$")]
"""``spark1``, or the address of another machine."""
UserName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]{0,31}$")]
ContainerWord = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$")]
Reason = Annotated[str, StringConstraints(max_length=500, strip_whitespace=True)]
ServiceKind: TypeAlias = Literal[
    "speech_to_text", "text_to_speech", "embeddings", "vectors", "nim", "http", "vllm", "bot"
]
CustomKind: TypeAlias = Literal["http", "vllm", "bot"]
"""``vllm`` is watched and never touched; a ``bot`` has no port, only a container."""
Origin: TypeAlias = Literal["built_in", "nim", "custom", "bridge"]
ServiceAct: TypeAlias = Literal["start", "stop", "restart"]
MOST_LINES = 2000
"""Of a log in one answer."""


class CustomService(Request):
    """One service of the owner's own, as it stands in ``services.yaml``."""

    name: ServiceName
    label: Label | None = None
    """Its name unless given."""
    kind: CustomKind
    host: HostWord | None = None
    """A Spark (``spark1``) or the address of another machine; the first Spark unless given."""
    user: UserName | None = None
    """The login there; that of the Spark unless given."""
    port: Port | None = None
    path: HealthPath = "/health"
    container: ContainerWord | None = None


class ContainerView(Reply):
    """How docker says a container is."""

    name: str
    state: Literal[
        "created", "running", "paused", "restarting", "removing", "exited", "dead", "missing",
        "unknown",
    ]  # fmt: skip
    problem: str | None = None
    """Why it is unknown: the host does not answer, docker hangs, docker is not allowed."""
    restart_count: int | None = None
    """By docker's own policy since somebody started it last."""
    recent_restarts: int = 0
    """Starts nobody asked for within the last ten minutes."""
    crash_loop: bool = False
    """It ends soon after every start."""
    health: Literal["healthy", "unhealthy", "starting"] | None = None
    """By the check that its image brings along, if it does."""
    started_at: datetime | None = None
    up_seconds: float | None = None
    """By the clock of its machine."""
    exit_code: int | None = None
    """Of the run that ended last."""
    out_of_memory: bool = False
    restart_policy: str | None = None
    image: str | None = None
    seen_at: datetime | None = None
    """When docker was asked last with success."""


class LastAction(Reply):
    """What somebody had done with a service last."""

    action: ServiceAct
    requested_by: str
    reason: str = ""
    ok: bool
    message: str = ""
    at: datetime


class ServiceView(Reply):
    """One service as its tile shows it."""

    name: str
    label: str
    kind: ServiceKind
    origin: Origin
    state: Shown
    reason: str = ""
    since: datetime | None = None
    for_seconds: float | None = None
    stale: bool = False
    age_seconds: float | None = None
    """Of the last good look."""
    host: str | None = None
    """The Spark it runs on."""
    address: str | None = None
    """Of its machine; null for what has no port."""
    port: int | None = None
    url: str | None = None
    http_ms: int | None = None
    """How long its health took to answer."""
    version: str | None = None
    """What it says itself, else what its image says."""
    container: ContainerView | None = None
    actions: list[ServiceAct] = []
    """What may be pressed."""
    has_logs: bool = False
    removable: bool = False
    """Whether ``DELETE /api/services/{name}`` takes it from the list."""
    acting: ServiceAct | None = None
    """What is being done with it now."""
    last_action: LastAction | None = None


class ListServices(Request):
    """Ask for every service, or for the one named."""

    name: TargetName | None = None


class Services(Reply):
    """Every service that is not hidden, the built-in ones first."""

    services: list[ServiceView] = []
    hidden: list[str] = []
    problems: list[str] = []
    """What of ``services.yaml`` cannot be used, one plain sentence each."""
    as_of: datetime


class SaveService(CustomService):
    """Put a service of one's own on the list."""

    replace: bool = False
    """Take the place of one of the same name."""
    requested_by: Text = "someone"


class RemoveService(Request):
    """Take a custom service from the list; its container is left alone."""

    name: TargetName
    requested_by: Text = "someone"
    reason: Reason = ""


class ReadOwnServices(Request):
    """Ask for the services of one's own as they stand in ``services.yaml``; for services."""


class OwnServices(Reply):
    """Each as ``SaveService`` takes it in again."""

    entries: list[dict[str, JsonValue]] = []


class ServiceRemoved(Reply):
    """What was done, in one sentence."""

    name: str
    message: str


class ActOnService(Request):
    """Start, stop or restart the container of a service."""

    name: TargetName
    action: ServiceAct
    requested_by: Text = "someone"
    reason: Reason = ""
    id: JobId | None = None
    """Idempotency key: the same key never acts twice."""
    lock_token: Token | None = None
    """Of the lease, where it is the caller's."""
    force: bool = False
    """Act on what is on the GPU although somebody else holds the cluster; they keep it."""


class ServiceActed(Reply):
    """What was done, in one sentence, and how the container is now."""

    name: str
    action: ServiceAct
    host: str | None = None
    container: str
    state: str
    """Of the container afterwards, in docker's word."""
    message: str
    at: datetime


LogMark = Annotated[
    str,
    StringConstraints(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z(?:\+\d{1,9})?$"),
]
"""A place in a log: a time, and how many lines of that time are before it."""


class ReadServiceLog(Request):
    """Ask for the end of a container's log, or for what was written after ``after``."""

    name: TargetName
    tail: int = Field(default=200, ge=1, le=MOST_LINES)
    after: LogMark | None = None
    """``next`` of the answer before."""


class ServiceLog(Reply):
    """Lines without colours, control characters and what looks like a secret."""

    name: str
    lines: list[str] = []
    next: str | None = None
    """Ask with this as ``after`` for what follows."""
    skipped: bool = False
    """More was written than fits; what is between is left out."""


LIST_SERVICES = Rpc("rpc.health.services.list", ListServices, Services)
READ_OWN_SERVICES = Rpc("rpc.health.services.own", ReadOwnServices, OwnServices)
SAVE_SERVICE = Rpc("rpc.health.services.save", SaveService, ServiceView)
REMOVE_SERVICE = Rpc("rpc.health.services.remove", RemoveService, ServiceRemoved)
ACT_ON_SERVICE = Rpc("rpc.health.services.act", ActOnService, ServiceActed)
READ_SERVICE_LOG = Rpc("rpc.health.services.log", ReadServiceLog, ServiceLog)


class UpdateBridge(Request):
    """Bring the Matrix bridge to the newest commit of its checkout, and start that."""

    requested_by: Text = "someone"
    reason: Reason = ""
    id: JobId | None = None
    """Idempotency key: the same key never starts a second one."""


class BridgeUpdateView(JobView):
    """One update as everybody sees it."""

    host: str
    container: str
    before: str | None = None
    """The commit that was checked out."""
    after: str | None = None


class GetBridge(Request):
    """Ask how the Matrix bridge is."""


class BridgeView(Reply):
    """The bridge as its tile shows it, and its update that runs or ran last."""

    service: ServiceView
    job: BridgeUpdateView | None = None


GET_BRIDGE = Rpc("rpc.health.bridge.get", GetBridge, BridgeView)
UPDATE_BRIDGE = Rpc("rpc.health.bridge.update", UpdateBridge, BridgeUpdateView)
GET_BRIDGE_JOB = Rpc("rpc.health.bridge.job", GetJob, BridgeUpdateView)
CANCEL_BRIDGE_JOB = Rpc("rpc.health.bridge.cancel", CancelJob, BridgeUpdateView)
READ_BRIDGE_LOG = Rpc("rpc.health.bridge.log", GetJob, JobLog)
