"""Taking a model off the Sparks' disks."""

from typing import Annotated

from pydantic import Field, StringConstraints

from spark_common.contracts.downloads import HostName
from spark_common.contracts.rpc import Reply, Request, Rpc
from spark_common.contracts.swaps import Text

ModelName = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class PlanDelete(Request):
    """Ask what deleting a model from disk would free; touches nothing."""

    model: ModelName
    """Key or repository."""


class DeleteFromDisk(Request):
    """Delete the files of a model on every Spark that has them, or on some."""

    model: ModelName
    hosts: Annotated[list[HostName], Field(max_length=16)] = []
    """Empty: everywhere."""
    requested_by: Text = "someone"


class DeletePlace(Reply):
    """One Spark that holds files of the model. Sizes in bytes."""

    host: str
    label: str
    frees_bytes: int
    """What really becomes free: files that another repository shares are not counted."""
    shared_bytes: int = 0
    """Kept because another repository uses the same files."""
    free_bytes: int | None = None
    free_after_bytes: int | None = None
    stale: bool = False
    """The Spark did not answer lately; these are the last known values."""
    root_owned: bool = False
    """Some files belong to root and are removed through a container."""


class DeletePlan(Reply):
    """What would be freed, and why it would be refused."""

    model: str
    repo: str
    name: str
    places: list[DeletePlace] = []
    frees_bytes: int = 0
    blockers: list[str] = []
    """One plain sentence each: loaded, swapped to, downloading, local."""
    notes: list[str] = []
    """What a person should know: settings are kept, how long a download takes."""


class DeletedPlace(Reply):
    """How it ended on one Spark."""

    host: str
    label: str
    freed_bytes: int = 0
    problem: str | None = None
    """Why files are still there, in one plain sentence; None when they are gone."""


class Deleted(Reply):
    """How a deletion ended; ``complete`` when nothing is left anywhere."""

    model: str
    repo: str
    complete: bool
    freed_bytes: int
    places: list[DeletedPlace] = []


PLAN_DELETE = Rpc("rpc.swapper.disk.plan", PlanDelete, DeletePlan)
DELETE_FROM_DISK = Rpc("rpc.swapper.disk.delete", DeleteFromDisk, Deleted)
