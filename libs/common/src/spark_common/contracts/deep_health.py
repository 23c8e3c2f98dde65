"""Deep health: real work through each service, how it went, and what is done when it is stuck."""

from datetime import datetime
from typing import Literal, TypeAlias

from pydantic import Field, JsonValue

from spark_common.contracts.health import TargetName
from spark_common.contracts.leases import Token
from spark_common.contracts.rpc import Reply, Request, Rpc
from spark_common.contracts.swaps import Text

DeepState: TypeAlias = Literal[
    "ok", "idle", "busy", "loading", "failing", "wedged", "down", "skipped"
]
"""``idle``: no model is loaded. ``busy``: it did not answer in time, which proves nothing.
``failing``: it answered, but not what was asked. ``wedged``: it cannot do a job that it can do,
twice, and only a restart helps. ``down``: nobody listens. ``skipped``: not tried now."""
Trigger: TypeAlias = Literal["timer", "manual", "event", "remedy"]
MOST_KEPT = 288
"""Results of a service that are kept: one day at one in five minutes."""


class GetDeepHealth(Request):
    """Ask for the latest deep checks."""

    service: TargetName | None = None
    history: int = Field(default=12, ge=0, le=MOST_KEPT)
    """How many earlier results of each service."""


class DeepResult(Reply):
    """How one job through a service went."""

    state: DeepState
    sentence: str
    """What was seen, in plain words."""
    latency_ms: float | None = None
    """Of the job alone; absent where none was done."""
    at: datetime
    trigger: Trigger = "timer"
    requested_by: str | None = None
    facts: dict[str, JsonValue] = {}
    """Few and small: words heard, dimension, seconds of sound."""
    evidence: list[str] = []
    """What speaks for a wedge: status and error patterns, never content."""


class RemedyView(Reply):
    """What would be done, is done or was done about one service."""

    service: str
    label: str
    host: str | None = None
    container: str | None = None
    mode: Literal["act", "suggest", "never"]
    """``never``: what the swapper owns, and what is not on a Spark."""
    state: Literal["quiet", "waiting", "working", "suggested", "open"]
    """``waiting``: it is stuck and something is in the way. ``open``: restarts did not help, none
    is tried until a person presses something or the service works again."""
    sentence: str = ""
    press: str | None = None
    """What a person can press."""
    evidence: list[str] = []
    restarts: int = 0
    """Automatic ones within the last half hour."""
    most_restarts: int = 3
    last_restart_at: datetime | None = None
    since: datetime | None = None


class DeepService(Reply):
    """One service and how it did its work lately."""

    name: str
    label: str
    host: str | None = None
    disabled: bool = False
    running: bool = False
    """A check is under way."""
    last: DeepResult | None = None
    last_ok_at: datetime | None = None
    next_at: datetime | None = None
    history: list[DeepResult] = []
    """The newest first, the last one included."""
    remedy: RemedyView | None = None


class DeepHealth(Reply):
    """Every service that real work can be put through."""

    services: list[DeepService]
    every_seconds: float
    as_of: datetime


class RunDeepCheck(Request):
    """Ask for one check now. A check of that service that is under way is joined."""

    service: TargetName
    requested_by: Text = "someone"
    wait_seconds: float = Field(default=20.0, ge=0, le=25, allow_inf_nan=False)
    """How long the answer may take; the check goes on when that is over."""


class RemedyOrder(Request):
    """A person presses something about a service that is stuck."""

    service: TargetName
    requested_by: Text = "someone"
    lock_token: Token | None = None
    """Of the lease, where it is the caller's."""
    force: bool = False
    """Restart although somebody else holds the cluster; they keep it."""


GET_DEEP_HEALTH = Rpc("rpc.health.deep.get", GetDeepHealth, DeepHealth)
RUN_DEEP_CHECK = Rpc("rpc.health.deep.run", RunDeepCheck, DeepService)
RESET_REMEDY = Rpc("rpc.health.remedy.reset", RemedyOrder, RemedyView)
"""Close an open circuit: automatic restarts are tried again."""
APPLY_REMEDY = Rpc("rpc.health.remedy.apply", RemedyOrder, RemedyView)
"""Restart the container now, as it is suggested; a person's decision, outside of the budget."""
