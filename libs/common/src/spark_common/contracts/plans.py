"""What a swap would do and whether it would work, without doing it."""

from typing import Annotated, Literal

from pydantic import Field, SecretStr

from spark_common.contracts.disk import ModelName
from spark_common.contracts.recipes import Element, Knobs
from spark_common.contracts.rpc import Reply, Request, Rpc
from spark_common.contracts.swaps import Cause, Text

Verdict = Literal["good", "bad", "unknown"]
"""Bad is definitive; good is necessary, not sufficient; unknown: the check could not run."""


class ValidateModel(Request):
    """Run the pre-flight test of a model; with knobs and flags as if they were saved."""

    model: ModelName
    knobs: Knobs | None = None
    flags: Annotated[list[Element], Field(max_length=200)] | None = None
    deep: bool = False
    """Also read the model's configuration the way the engine would; slower."""


class CheckResult(Reply):
    """One check and its answer."""

    name: Literal[
        "arguments", "memory", "disk", "port", "image", "launcher", "hosts", "files", "quarantine"
    ]
    verdict: Verdict
    host: str | None = None
    """None: not about one Spark."""
    sentence: str
    """In plain English."""
    seconds: float | None = None


class Validation(Reply):
    """The answer of a pre-flight test."""

    ok: bool
    """False only when something is definitely wrong."""
    verdict: Verdict
    stage: str | None = None
    """Name of the first check that failed, else of the one that could not tell."""
    error: str | None = None
    cmd_args: list[str] = []
    """What follows ``vllm serve``, exactly as a swap would pass it."""
    launch_cmd: str = ""
    checks: list[CheckResult] = []
    cause: Cause | None = None
    """Why it is bad and what to press."""
    note: str = ""
    """What a passed test does not say."""
    seconds: float | None = None


class PlanSwap(Request):
    """Ask what a swap would do; touches nothing."""

    model: ModelName
    lock_token: SecretStr | None = None
    """Token of the lease, if the caller holds it. Compared, never stored or repeated."""
    requested_by: Text = "someone"


class NodePlan(Reply):
    """Memory of one Spark in a plan, in bytes; None where nobody said."""

    host: str
    label: str
    total_bytes: int | None = None
    available_bytes: int | None = None
    """Now."""
    freed_bytes: int | None = None
    """By stopping what is loaded."""
    needed_bytes: int | None = None
    """For the new model."""
    headroom_bytes: int | None = None
    """What stays free then; negative when it does not fit."""
    verdict: Verdict = "unknown"


class SwapPlan(Reply):
    """Everything a person wants to know before pressing. Durations in seconds."""

    model: str
    model_name: str
    served_name: str
    stops: str | None = None
    """Name of the model that would be stopped; None when none is loaded."""
    stops_key: str | None = None
    in_flight: int | None = None
    """Answers that are being written now; None when nobody says."""
    drain_seconds: float
    """They may go on for this long."""
    eta_seconds: float | None = None
    """From the press to the first word, learned; absent before the first."""
    back_seconds: float | None = None
    """To bring the present model back, learned."""
    nodes: list[NodePlan] = []
    blockers: list[Cause] = []
    """Why a swap would be refused or would fail for certain."""
    doubts: list[str] = []
    """What could not be checked."""
    steps: list[str] = []
    """What would be done, in order."""
    launch_cmd: str = ""
    running_swap: str | None = None
    """Id of the swap that is not over."""


class ClearQuarantine(Request):
    """Let a model be loaded again that took a Spark down."""

    model: ModelName
    requested_by: Text = "someone"


class Quarantine(Reply):
    """Why a model may not be loaded until a person says so."""

    reason: str
    """One plain sentence."""
    since: str
    """RFC 3339."""
    host: str | None = None
    swap_id: str | None = None


class QuarantineCleared(Reply):
    """The model may be loaded again."""

    model: str
    was: Quarantine | None = None
    """None when it was not in quarantine."""


VALIDATE_MODEL = Rpc("rpc.swapper.swap.validate", ValidateModel, Validation)
PLAN_SWAP = Rpc("rpc.swapper.swap.plan", PlanSwap, SwapPlan)
CLEAR_QUARANTINE = Rpc("rpc.swapper.models.release", ClearQuarantine, QuarantineCleared)
