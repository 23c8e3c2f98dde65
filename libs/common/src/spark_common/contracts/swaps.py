"""Swaps as the swapper answers about them: phases, causes, views and verbs."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, SecretStr, StringConstraints

from spark_common.contracts.rpc import Reply, Request, Rpc


class Phase(StrEnum):
    """Where a swap stands; the legal moves are the swapper's transition table."""

    QUEUED = "queued"
    PREFLIGHT = "preflight"
    DRAINING = "draining"
    STOPPING = "stopping"
    LAUNCHING = "launching"
    LOADING = "loading"
    WARMING = "warming"
    READY = "ready"
    ROLLING_BACK = "rolling_back"
    ROLLED_BACK = "rolled_back"
    FAILED = "failed"
    CANCELLED = "cancelled"


TERMINAL = frozenset({Phase.READY, Phase.ROLLED_BACK, Phase.FAILED, Phase.CANCELLED})
"""Phases a swap never leaves."""

AWAY = frozenset(
    {
        Phase.DRAINING,
        Phase.STOPPING,
        Phase.LAUNCHING,
        Phase.LOADING,
        Phase.WARMING,
        Phase.ROLLING_BACK,
    }
)
"""Phases during which chat requests are answered 503 with ``Retry-After``."""

Text = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
SwapId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
LogLine = Annotated[str, StringConstraints(max_length=4000)]


class RequestSwap(Request):
    """Ask for a model. The same shape over HTTP and on the bus."""

    model: Text
    """Key, repository or served name of a model on the menu."""
    requested_by: Text = "someone"
    """A label for people: who asked."""
    when_busy: Literal["reject", "queue"] = "reject"
    rollback: bool = False
    """Bring the previous model back when this one fails."""
    force: bool = False
    """Stop the old model when the drain time is over, though answers are still being written;
    without it the swap ends before anything is touched."""
    drop_caches: bool = False
    """Empty the page cache of the Sparks before the load; the next loads read from disk again."""
    reload: bool = False
    """Start the model afresh although it is the one that is serving."""
    override_lease: bool = False
    """Swap through the lease of whoever holds it; a person's decision, told as ``lock.forced``."""
    dry_run: bool = False
    """Check and plan everything, touch nothing."""
    lock_token: SecretStr | None = None
    """Token of the lease, if the caller holds it. Compared, never stored or repeated."""
    id: SwapId | None = None
    """Idempotency key: the same key never starts a second swap, for thirty days."""


class GetSwap(Request):
    """Ask for one swap."""

    id: SwapId


class ListSwaps(Request):
    """Ask for the history, newest first."""

    limit: int = Field(default=20, ge=1, le=200)
    before: datetime | None = None
    """Only swaps that were asked for earlier: the next page of the history."""
    model: Text | None = None
    """Only swaps to this key."""


class GetSwapLog(Request):
    """Ask for the log of a swap, as long as its record is kept."""

    id: SwapId
    after: int = Field(default=0, ge=0)
    """Line number to go on after."""
    limit: int = Field(default=2000, ge=1, le=5000)


class SwapLog(Reply):
    """A piece of a swap's log."""

    id: str
    lines: list[LogLine] = []
    first: int = 1
    """Number of the first line in ``lines``, from 1."""
    total: int = 0
    """Lines that are kept in all."""
    cut: bool = False
    """The log was longer than what is kept; the middle is missing."""


class CancelSwap(Request):
    """Ask to stop a swap; what is already past is not undone unless it says so."""

    id: SwapId
    requested_by: Text = "someone"


class PhaseMark(Reply):
    """When a phase began and, once it ended, how long it took."""

    phase: Phase
    at: datetime
    seconds: float | None = None


class Cause(Reply):
    """Why a swap failed, for the owner: what happened, the decisive lines, what to press."""

    code: str
    sentence: str
    action: str
    evidence: list[LogLine] = []


class SwapView(Reply):
    """A swap as everybody sees it. Durations in seconds, sizes in bytes."""

    id: str
    model: str
    """Key of the model."""
    model_name: str
    previous: str | None = None
    """Key of the model that served before, if known."""
    requested_by: str
    when_busy: Literal["reject", "queue"] = "reject"
    rollback: bool = False
    force: bool = False
    dry_run: bool = False
    """Nothing was touched and nothing is kept: ``phase`` is preflight, the last step a dry run
    takes, ``finished_at`` is set, ``plan`` says what would be done and ``cause`` why it would
    be refused."""
    phase: Phase
    phases: list[PhaseMark] = []
    percent: float | None = None
    """Share of the weights that is loaded, 0 to 100; only while loading."""
    eta_seconds: float | None = None
    """Learned from earlier loads or from the running one; absent rather than guessed."""
    usual_seconds: float | None = None
    """Median of earlier swaps to this model; absent before the first."""
    queue_position: int | None = None
    """While it waits: how many swaps are before it, the running one included."""
    message: str = ""
    """What is happening now, in one plain sentence."""
    cause: Cause | None = None
    plan: list[str] | None = None
    """For a dry run: what would be done, in order."""
    serving: str | None = None
    """After the end: key of the model that serves now, or nothing."""
    degraded: str | None = None
    """After a swap that went well: why the model's answers are not, in one plain sentence."""
    attempt: int = 1
    lease_epoch: int | None = None
    """Number of the lease it was admitted under, or of the latest one when nobody held it."""
    hosts: list[str] = []
    """The Sparks on which it stops, loads or brings back a model; empty until that is known,
    which is before anything is touched. What runs on others needs not wait for it."""
    n: int = 0
    """Number of the last progress event that is already contained in this view."""
    created_at: datetime
    finished_at: datetime | None = None


class Swaps(Reply):
    """The swap that runs, those that wait, and the latest ones, newest first."""

    current: SwapView | None = None
    queue: list[SwapView] = []
    recent: list[SwapView] = []


REQUEST_SWAP = Rpc("rpc.swapper.swap.request", RequestSwap, SwapView)
GET_SWAP = Rpc("rpc.swapper.swap.get", GetSwap, SwapView)
LIST_SWAPS = Rpc("rpc.swapper.swap.list", ListSwaps, Swaps)
CANCEL_SWAP = Rpc("rpc.swapper.swap.cancel", CancelSwap, SwapView)
READ_SWAP_LOG = Rpc("rpc.swapper.swap.log", GetSwapLog, SwapLog)
