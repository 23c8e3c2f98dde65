"""Downloads: a repository from the Hugging Face hub to the Sparks' disks."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from spark_common.contracts.jobs import CancelJob, GetJob, JobId, JobLog, JobView
from spark_common.contracts.rpc import Reply, Request, Rpc
from spark_common.contracts.swaps import Text

RepoName = Annotated[
    str,
    StringConstraints(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=200
    ),
]
HostName = Annotated[str, StringConstraints(pattern=r"^spark[1-9][0-9]{0,2}$")]

DownloadStep = Literal["checking", "fetching", "copying", "verifying", "done"]
"""Copying: from the Spark that fetched it to the others over the fast link."""


class PlanDownload(Request):
    """Ask what a download would need; touches nothing."""

    repo: RepoName
    hosts: Annotated[list[HostName], Field(max_length=16)] = []


class StartDownload(Request):
    """Download a repository, or go on with a half download of it."""

    repo: RepoName
    hosts: Annotated[list[HostName], Field(min_length=1, max_length=16)]
    """The Sparks that shall have it; the first that is up fetches, the others get a copy."""
    requested_by: Text = "someone"
    id: JobId | None = None
    """Idempotency key: the same key never starts a second download."""


class ListDownloads(Request):
    """Ask for the running downloads and the latest ones that ended."""

    limit: Annotated[int, Field(ge=1, le=200)] = 20


class DownloadPlace(Reply):
    """One Spark of a download. Sizes in bytes."""

    host: str
    label: str
    state: Literal["unknown", "absent", "partial", "ready", "running", "failed"]
    done_bytes: int = 0
    total_bytes: int | None = None
    free_bytes: int | None = None
    """Of its disk now."""
    free_after_bytes: int | None = None
    """Of its disk when all of it is there; absent while the size is not known."""
    problem: str | None = None
    """Why it cannot go there, in one plain sentence."""


class DownloadPlan(Reply):
    """What a download would do. Sizes in bytes, durations in seconds."""

    repo: str
    total_bytes: int | None = None
    """Size of the repository as the hub says, or the size the recipe expects."""
    size_source: Literal["hub", "recipe", "disk", "unknown"] = "unknown"
    missing_bytes: int | None = None
    """What is still to be fetched."""
    places: list[DownloadPlace] = []
    usual_bytes_per_second: float | None = None
    """Median of earlier downloads; absent before the first."""
    eta_seconds: float | None = None
    running: str | None = None
    """Id of the download of this repository that runs already."""
    blockers: list[str] = []
    """Why it would be refused, one plain sentence each (gated, missing, no space)."""


class DownloadView(JobView):
    """A download as everybody sees it."""

    repo: str
    places: list[DownloadPlace] = []
    done_bytes: int = 0
    """Of all hosts together, copies included."""
    total_bytes: int | None = None
    bytes_per_second: float | None = None
    """Over the last seconds; absent while nothing moves."""


class Downloads(Reply):
    """Those that run, and the latest ones that ended, newest first."""

    running: list[DownloadView] = []
    recent: list[DownloadView] = []


PLAN_DOWNLOAD = Rpc("rpc.swapper.download.plan", PlanDownload, DownloadPlan)
START_DOWNLOAD = Rpc("rpc.swapper.download.start", StartDownload, DownloadView)
GET_DOWNLOAD = Rpc("rpc.swapper.download.get", GetJob, DownloadView)
LIST_DOWNLOADS = Rpc("rpc.swapper.download.list", ListDownloads, Downloads)
CANCEL_DOWNLOAD = Rpc("rpc.swapper.download.cancel", CancelJob, DownloadView)
READ_DOWNLOAD_LOG = Rpc("rpc.swapper.download.log", GetJob, JobLog)
