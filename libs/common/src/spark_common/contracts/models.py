"""The menu: models on the Sparks' disks, recipes, hosts and what is loaded."""

from datetime import datetime
from typing import Literal

from spark_common.contracts.rpc import Reply, Request, Rpc


class ListModels(Request):
    """Ask for the menu; ``refresh`` looks at the disks again first."""

    refresh: bool = False


class HostView(Reply):
    """A Spark as last seen over SSH. Sizes in bytes."""

    name: str
    """``spark1``, ``spark2`` ..."""
    label: str
    """``Spark 1``"""
    state: Literal["unknown", "online", "unreachable"]
    """Unknown until the first look."""
    detail: str | None = None
    """Why it is unreachable and what to try, in plain English."""
    seen_at: datetime | None = None
    """Last successful look; older values are stale, not true."""
    disk_total_bytes: int | None = None
    disk_free_bytes: int | None = None
    memory_total_bytes: int | None = None
    memory_available_bytes: int | None = None


class ModelCopy(Reply):
    """A model's files on one Spark."""

    host: str
    size_bytes: int
    state: Literal["ready", "downloading", "incomplete", "no_snapshot"]
    stale: bool = False
    """The host did not answer lately; this is the last known state."""


class ModelView(Reply):
    """A card of the menu."""

    key: str
    name: str
    repo: str
    served_name: str
    """The ``model`` that clients of ``/v1`` name."""
    state: Literal["ready", "needs_setup", "incomplete", "downloading", "missing"]
    """``needs_setup``: no recipe yet. ``incomplete``: no host the mode needs has it whole."""
    mode: Literal["solo", "cluster"] = "solo"
    capabilities: list[str] = []
    """Of ``chat``, ``vision``, ``tools``, ``reasoning``."""
    context_length: int | None = None
    """Tokens."""
    copies: list[ModelCopy] = []
    size_bytes: int | None = None
    """Size of the largest copy."""
    load_seconds: float | None = None
    """Median of earlier swaps to it; absent before the first."""
    loaded: bool = False


class RecipeView(Reply):
    """A way to launch a repository, on disk or not."""

    key: str
    name: str
    repo: str
    mode: Literal["solo", "cluster"]


class RuntimeView(Reply):
    """What the vLLM server is doing."""

    state: Literal["unknown", "idle", "starting", "serving", "degraded", "unreachable"]
    """Idle is well: nothing is loaded. Degraded: loaded, but its answers are not."""
    model: str | None = None
    """Key of the loaded model, if it is on the menu."""
    served_name: str | None = None
    context_length: int | None = None
    since: datetime | None = None
    detail: str | None = None


class Menu(Reply):
    """Everything a person needs to pick a model."""

    models: list[ModelView]
    recipes: list[RecipeView]
    hosts: list[HostView]
    runtime: RuntimeView
    problems: list[str] = []
    """Recipe entries that were skipped, with the reason."""
    as_of: datetime


LIST_MODELS = Rpc("rpc.swapper.models.list", ListModels, Menu)
