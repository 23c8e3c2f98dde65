"""Updates of the cluster software: the launcher's checkout and its images on the Sparks."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, SecretStr

from spark_common.contracts.downloads import HostName
from spark_common.contracts.jobs import CancelJob, GetJob, JobId, JobLog, JobView
from spark_common.contracts.rpc import Reply, Request, Rpc
from spark_common.contracts.swaps import Text

UpdateStep = Literal[
    "checking", "pulling", "building", "saving", "copying", "verifying", "reverting", "done"
]


class GetUpdates(Request):
    """Ask what could be updated; ``refresh`` fetches from the remote first."""

    refresh: bool = False


class PendingCommit(Reply):
    """A commit of the launcher that is not on the Spark yet."""

    sha: str
    subject: str
    body: str = ""
    at: datetime | None = None
    files: int | None = None


class ImageState(Reply):
    """An image of the runtime on one Spark."""

    host: str
    tag: str
    id: str | None = None
    """``sha256:...``; None when the Spark does not have it."""
    created_at: datetime | None = None
    size_bytes: int | None = None
    vllm_version: str | None = None


class CheckoutState(Reply):
    """The launcher's checkout on one Spark."""

    host: str
    label: str
    directory: str
    present: bool = True
    branch: str | None = None
    commit: str | None = None
    commit_at: datetime | None = None
    ahead: int | None = None
    behind: int | None = None
    dirty: list[str] = []
    """Files with local changes, and new ones where an update brings another of that name; it is
    refused while there are any."""
    commits: list[PendingCommit] = []
    """Newest first."""
    fetched_at: datetime | None = None
    """When its remote was last asked, by whomever. None: never as far as is known, so that
    ``behind`` says nothing of what is new there."""
    launcher: Literal["no_ray", "ray", "unknown"] = "unknown"
    problem: str | None = None
    """Why it could not be looked at, in one plain sentence."""
    stale: bool = False


class KeptImage(Reply):
    """An image that was in use before an update, kept to go back to."""

    host: str
    tag: str
    kept_as: str
    id: str
    commit: str | None = None
    """Commit of the checkout it was used with."""
    kept_at: datetime | None = None


class UpdateView(JobView):
    """An update as everybody sees it."""

    direction: Literal["update", "revert"] = "update"
    hosts: list[str] = []
    commit_before: str | None = None
    commit_after: str | None = None
    images_before: list[ImageState] = []
    images_after: list[ImageState] = []


class Updates(Reply):
    """What is installed, what is pending, what one can go back to."""

    checkouts: list[CheckoutState] = []
    images: list[ImageState] = []
    kept: list[KeptImage] = []
    can_apply: bool = False
    can_revert: bool = False
    blockers: list[str] = []
    """Why nothing can be applied now, one plain sentence each."""
    job: UpdateView | None = None
    """The one that runs, else the latest."""
    checked_at: datetime | None = None
    """When the remote of any of the checkouts was last asked; None: never."""


class ApplyUpdates(Request):
    """Fast-forward the checkout, get or build the images, copy them to every Spark."""

    requested_by: Text = "someone"
    hosts: Annotated[list[HostName], Field(max_length=16)] = []
    """Empty: the first Spark, with copies to the others."""
    lock_token: SecretStr | None = None
    """Token of the lease, if the caller holds it. Compared, never stored or repeated."""
    id: JobId | None = None


class RevertUpdates(Request):
    """Go back to the images and the commit before the last update."""

    requested_by: Text = "someone"
    lock_token: SecretStr | None = None
    id: JobId | None = None


GET_UPDATES = Rpc("rpc.swapper.updates.get", GetUpdates, Updates)
APPLY_UPDATES = Rpc("rpc.swapper.updates.apply", ApplyUpdates, UpdateView)
REVERT_UPDATES = Rpc("rpc.swapper.updates.revert", RevertUpdates, UpdateView)
GET_UPDATE_JOB = Rpc("rpc.swapper.updates.job", GetJob, UpdateView)
CANCEL_UPDATE = Rpc("rpc.swapper.updates.cancel", CancelJob, UpdateView)
READ_UPDATE_LOG = Rpc("rpc.swapper.updates.log", GetJob, JobLog)
