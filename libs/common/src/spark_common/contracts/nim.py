"""NIM services of NVIDIA's registry: what can be installed, installing it, and removing it."""

from datetime import datetime
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, SecretStr, StringConstraints

from spark_common.contracts.health import TargetName
from spark_common.contracts.jobs import CancelJob, GetJob, JobId, JobLog, JobView
from spark_common.contracts.leases import Token
from spark_common.contracts.rpc import Reply, Request, Rpc
from spark_common.contracts.swaps import Text

NimName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$")]
"""Name of the service, of its container and, unless another is given, of its volume."""
NimImage = Annotated[
    str,
    StringConstraints(
        max_length=255,
        pattern=(
            r"^nvcr\.io(?:/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*){2,6}"
            r"(?::[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(?:@sha256:[0-9a-f]{64})?$"
        ),
    ),
]
"""An image of NVIDIA's registry and of no other: its container is given the key."""
VolumeName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$")]
VariableName = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,63}$")]
VariableValue = Annotated[
    str, StringConstraints(max_length=500, pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$")
]
HealthPath = Annotated[
    str, StringConstraints(max_length=200, pattern=r"^/[A-Za-z0-9._~/-]*(?:\?[A-Za-z0-9._~=&-]*)?$")
]
Label = Annotated[
    str, StringConstraints(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")
]
NgcKey = Annotated[SecretStr, Field(min_length=1, max_length=500)]
Port = Annotated[int, Field(ge=1, le=65535)]
NimKind: TypeAlias = Literal[
    "llm", "speech_to_text", "text_to_speech", "embeddings", "rerank", "other"
]


class NimEntry(Reply):
    """What is needed to run one NIM; an entry of the catalogue, or written by hand."""

    name: NimName
    label: Label
    image: NimImage
    kind: NimKind = "other"
    about: Annotated[str, StringConstraints(max_length=500)] = ""
    port: Port = 8010
    """On the Spark."""
    container_port: Port = 8000
    """On which it answers inside its container."""
    volume: VolumeName | None = None
    """Docker volume of what it downloads; named after the service unless given."""
    env: dict[VariableName, VariableValue] = Field(default={}, max_length=40)
    health_path: HealthPath = "/v1/health/ready"
    shm_gb: Annotated[int, Field(ge=1, le=64)] = 16
    download_gb: Annotated[int, Field(ge=0, le=2000)] = 20
    """What its first start downloads beside the image; so much room is asked for."""
    memory_gb: Annotated[int, Field(ge=1, le=1024)] | None = None
    """What it takes of the Spark's memory when it is ready; a little more than what it downloads
    unless given."""


class NimChoice(NimEntry):
    """An entry of the catalogue as it is shown."""

    own: bool = False
    """From the owner's file rather than from ours."""
    installed_on: list[str] = []


class NimService(Reply):
    """One NIM that was installed."""

    name: NimName
    label: str
    kind: NimKind = "other"
    host: TargetName
    image: str
    port: int
    container: str
    volume: str
    health_path: str
    url: str = ""
    """Its address for clients on the network."""
    installed_at: datetime


class GetNimCatalog(Request):
    """Ask what can be installed."""


class NimWish(Request):
    """What is to be installed: an entry of the catalogue, changed as wished, or one by hand.

    What is given here stands in place of what the entry says; without an ``entry``, ``name``
    and ``image`` are needed.
    """

    entry: NimName | None = None
    name: NimName | None = None
    label: Label | None = None
    image: NimImage | None = None
    kind: NimKind | None = None
    host: TargetName | None = None
    """The Spark; the one beside the model unless given."""
    port: Port | None = None
    container_port: Port | None = None
    volume: VolumeName | None = None
    env: dict[VariableName, VariableValue] | None = Field(default=None, max_length=40)
    health_path: HealthPath | None = None
    shm_gb: Annotated[int, Field(ge=1, le=64)] | None = None
    download_gb: Annotated[int, Field(ge=0, le=2000)] | None = None
    memory_gb: Annotated[int, Field(ge=1, le=1024)] | None = None
    force: bool = False
    """Install it although the Spark has too little memory for it now, or somebody else holds the
    cluster; they keep it."""
    ngc_api_key: NgcKey | None = None
    """The key of the settings unless given. Kept for this installation only, nowhere else."""
    requested_by: Text = "someone"
    id: JobId | None = None
    """Idempotency key: the same key never starts a second one."""


class InstallNim(NimWish):
    """Install a NIM."""

    lock_token: Token | None = None
    """Of the lease, where it is the caller's."""


class NimInstallView(JobView):
    """One installation as everybody sees it."""

    what: str
    """Name of the service."""
    host: str
    image: str
    port: int
    done_bytes: int = 0
    """Downloaded of the image, while that is pulled."""
    total_bytes: int | None = None


class NimCatalog(Reply):
    """What can be installed, what is, and what is being installed."""

    entries: list[NimChoice] = []
    services: list[NimService] = []
    key_set: bool
    """Whether the settings have a key, so that none need be given."""
    problems: list[str] = []
    """What of the owner's file cannot be used, one plain sentence each."""
    job: NimInstallView | None = None
    """The installation that runs, or the latest."""


class RemoveNim(Request):
    """Remove a NIM from its Spark; ``volume``: what it downloaded too."""

    name: NimName
    volume: bool = False
    requested_by: Text = "someone"


class NimRemoved(Reply):
    """What was removed, in one sentence."""

    name: str
    host: str
    volume: str
    volume_removed: bool
    message: str


GET_NIM_CATALOG = Rpc("rpc.health.nim.catalog", GetNimCatalog, NimCatalog)
INSTALL_NIM = Rpc("rpc.health.nim.install", InstallNim, NimInstallView)
REMOVE_NIM = Rpc("rpc.health.nim.remove", RemoveNim, NimRemoved)
GET_NIM_JOB = Rpc("rpc.health.nim.job", GetJob, NimInstallView)
CANCEL_NIM_JOB = Rpc("rpc.health.nim.cancel", CancelJob, NimInstallView)
READ_NIM_LOG = Rpc("rpc.health.nim.log", GetJob, JobLog)
