"""The menu: models on the Sparks' disks, recipes, hosts and what is loaded."""

from datetime import datetime
from typing import Annotated, Generic, Literal, TypeVar

from pydantic import StringConstraints

from spark_common.contracts.plans import Quarantine, Verdict
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
    """What it takes of the disk, ``incomplete_bytes`` included."""
    state: Literal["ready", "downloading", "incomplete", "broken", "no_snapshot"]
    """Broken: files are there and cannot be used (dead links, unreadable)."""
    incomplete_bytes: int = 0
    """Of files that are only partly there."""
    missing: list[str] = []
    """What is not there yet, at most twenty names."""
    root_owned: bool = False
    """Some files belong to root: only a container can delete them."""
    stale: bool = False
    """The host did not answer lately; this is the last known state."""


class MemoryFit(Reply):
    """Whether a model fits its Sparks, from its recipe and their memory. Sizes in bytes."""

    needed_bytes: int
    """On each Spark: the share of the memory that the recipe claims."""
    total_bytes: int
    left_bytes: int
    """For everything else on that Spark, were nothing else running there; negative when it does
    not fit. What really stays available is the headroom of a plan."""
    verdict: Verdict


class LastTest(Reply):
    """The latest pre-flight test of a model, or how its latest load ended."""

    kind: Literal["test", "load"]
    verdict: Verdict
    sentence: str
    at: datetime


class ModelView(Reply):
    """A card of the menu."""

    key: str
    name: str
    repo: str
    """``owner/name``; for a local model its directory."""
    local_path: str | None = None
    """Directory of a local or fine-tuned model; it cannot be deleted or downloaded here."""
    source: Literal["bundled", "override", "own"] | None = None
    """Where its recipe comes from; None without one."""
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
    expected_bytes: int | None = None
    """Size the recipe expects, for models that are not there yet."""
    fit: MemoryFit | None = None
    test: LastTest | None = None
    quarantine: Quarantine | None = None
    """Set when a load of it took a Spark down: it is not loaded until a person clears it."""


class RecipeView(Reply):
    """A way to launch a repository, on disk or not."""

    key: str
    name: str
    repo: str
    mode: Literal["solo", "cluster"]
    source: Literal["bundled", "override", "own"] = "bundled"
    local_path: str | None = None
    size_bytes: int | None = None
    """Size the recipe expects."""


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
    """Why it is degraded or unreachable, what is starting; in one plain sentence."""
    ended: bool = False
    """A container runs and vLLM in it does not: it ended, unless a start is under way."""
    canary: str | None = None
    """How the answer to the canary question looked when the model is degraded, never its text."""


class Menu(Reply):
    """Everything a person needs to pick a model."""

    models: list[ModelView]
    recipes: list[RecipeView]
    hosts: list[HostView]
    runtime: RuntimeView
    problems: list[str] = []
    """What of the recipe files is not used, entries and single flags, with the reason."""
    as_of: datetime


LIST_MODELS = Rpc("rpc.swapper.models.list", ListModels, Menu)


class SuggestRecipe(Request):
    """Ask for a recipe inferred from the files of a repository on a Spark's disk."""

    repo: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    """The repository, or the key it has on the menu."""


Certainty = Literal["read", "derived", "guessed"]
"""Read: it stands in a file. Derived: it follows from files by a rule. Guessed: please check."""

ValueT = TypeVar("ValueT")


class Suggested(Reply, Generic[ValueT]):
    """One value of a suggestion, where it comes from and how sure it is."""

    value: ValueT
    source: str
    """The file and key, or the rule."""
    certainty: Certainty
    note: str | None = None
    """What a person should know before confirming it."""


class Suggestion(Reply):
    """A recipe nobody wrote: what the files of a model say about launching it."""

    key: str
    repo: str
    """As spelled on disk."""
    name: str
    read_from: str
    """The host whose files were read."""
    hosts: list[str] = []
    """The hosts that hold all files."""
    size_bytes: int
    """Of the weights."""
    architecture: Suggested[str | None]
    served_name: Suggested[str]
    mode: Suggested[Literal["solo", "cluster"]]
    tensor_parallel: Suggested[int]
    """Number of Sparks that share the model."""
    image: Suggested[str | None]
    """None is the cluster's own."""
    context_length: Suggested[int | None]
    """Tokens; None leaves it to vLLM."""
    quantization: Suggested[str | None]
    tool_parser: Suggested[str | None]
    reasoning_parser: Suggested[str | None]
    capabilities: Suggested[list[str]]
    traits: list[Suggested[str]] = []
    """Of ``moe``, ``hybrid``, ``multimodal``, ``pooling``, ``custom_code``."""
    args: list[Suggested[str]] = []
    """What follows ``vllm serve REPO``: one ``--flag`` or ``--flag=value`` each, none twice."""
    env: list[Suggested[str]] = []
    """``NAME=VALUE`` for the runtime inside the container."""
    preview: list[str] = []
    """The argument list a swap would run, as the checkout on ``read_from`` takes it.

    Empty when no recipe can be made of it.
    """
    warnings: list[str] = []
    """What stands in the way or looks wrong, in plain English."""


SUGGEST_RECIPE = Rpc("rpc.swapper.models.suggest", SuggestRecipe, Suggestion)
