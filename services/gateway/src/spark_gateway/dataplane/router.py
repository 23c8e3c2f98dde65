"""Where /v1 goes: to the one model server, unless a swap is taking it away or nothing is loaded.

What is known arrives through plain methods and may be old; nothing here waits, asks or depends on
the bus. Without any knowledge requests go to the upstream, which knows best.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from spark_common.clock import Clock
from spark_common.contracts.models import RuntimeView
from spark_common.contracts.swaps import AWAY, Phase, SwapView
from spark_common.events import SwapProgress
from spark_gateway.dataplane.ports import Field, Refusal, Upstream, UpstreamNow
from spark_gateway.dataplane.refusals import refuse

TRUSTED_SECONDS: Final = 120.0
"""A swap that nobody has spoken of for so long is not believed in any more."""
LONGEST_RETRY_SECONDS: Final = 60
"""Clients give up altogether when told to wait much longer."""
_UNKNOWN_ETA_RETRY_SECONDS: Final = 15
_STARTING_RETRY_SECONDS: Final = 10


@dataclass(frozen=True, slots=True)
class _Swap:
    """A swap as last heard of. Times on the monotonic clock."""

    id: str
    model: str
    phase: Phase
    eta_seconds: float | None
    began_at: float
    heard_at: float


class SwapAwareRouter:
    """Routes to one upstream and knows when that is pointless."""

    def __init__(self, upstream: UpstreamNow, clock: Clock, node: str = "spark1") -> None:
        self._upstream = upstream
        self._clock = clock
        self._node = node
        self._runtime: RuntimeView | None = None
        self._swap: _Swap | None = None
        self._seen_serving = False

    def set_runtime(self, runtime: RuntimeView | None) -> None:
        """What the swapper says the model server is doing; None: it said nothing yet."""
        self._runtime = runtime

    def set_swap(self, swap: SwapView | SwapProgress | None) -> None:
        """The swap that runs, in any phase; None, or one that is over: there is none."""
        if swap is None:
            self._swap = None
            return
        now = self._clock.monotonic()
        swap_id = swap.id if isinstance(swap, SwapView) else swap.swap_id
        if isinstance(swap, SwapView):
            age = (self._clock.now() - swap.created_at).total_seconds()
            began_at = now - max(0.0, age)
        elif self._swap is not None and self._swap.id == swap_id:
            began_at = self._swap.began_at
        else:
            began_at = now
        self._swap = _Swap(swap_id, swap.model, swap.phase, swap.eta_seconds, began_at, now)

    def held_off_by(self) -> str | None:
        """Return the id of the swap because of which requests are refused now, or None."""
        swap = self._swap
        if swap is None or swap.phase not in AWAY:
            return None
        fresh = self._clock.monotonic() - swap.heard_at <= TRUSTED_SECONDS
        return swap.id if fresh else None

    def coming(self) -> str | None:
        """Return the menu's key of the model that a swap is bringing, or None."""
        swap = self._swap
        if swap is None or swap.phase is Phase.ROLLING_BACK or self.held_off_by() is None:
            return None
        return swap.model

    def loading(self, path: bytes) -> Refusal | None:
        """Return how the swap that runs stands, also where it keeps nobody off yet; else None."""
        swap, now = self._swap, self._clock.monotonic()
        if swap is not None and now - swap.heard_at <= TRUSTED_SECONDS:
            return self._loading(path, swap, now)
        starting = self.starting()
        return None if starting is None else self._starting(path, starting)

    def starting(self) -> RuntimeView | None:
        """Return what is said of a model that starts without a swap that anybody knows of."""
        runtime = self._runtime
        if self._seen_serving or runtime is None or runtime.state != "starting":
            return None
        return runtime

    def set_serving(self, serving: bool) -> None:
        """Whether the model server itself answered when it was last looked at."""
        self._seen_serving = serving

    def route(self, method: bytes, path: bytes, headers: Sequence[Field]) -> Upstream | Refusal:
        """Return the upstream, or why there is none at the moment."""
        if path.startswith(b"/v1/v1/"):
            message = "the path has /v1 twice; use a base URL that ends in a single /v1"
            return refuse(path, 404, "not_found", message)
        return self._refusal(path) or self._upstream()

    def _refusal(self, path: bytes) -> Refusal | None:
        swap = self._swap
        if swap is not None and self.held_off_by() is not None:
            return self._loading(path, swap, self._clock.monotonic())
        if self._seen_serving or self._runtime is None:
            return None
        if self._runtime.state == "idle":
            message = "no model is loaded; load one from the dashboard"
            again = ((b"x-should-retry", b"false"),)  # Waiting loads nothing: somebody has to.
            return refuse(path, 503, "no_model_loaded", message, param="model", headers=again)
        if self._runtime.state == "starting":
            return self._starting(path, self._runtime)
        return None

    def _loading(self, path: bytes, swap: _Swap, now: float) -> Refusal:
        loading: dict[str, JsonValue] = {
            "model": swap.model,
            "state": "loading",
            "phase": swap.phase.value,
            "node": self._node,
            "elapsed_seconds": round(now - swap.began_at, 1),
            "swap_id": swap.id,
        }
        eta = ""
        wait = _UNKNOWN_ETA_RETRY_SECONDS
        left = 0.0 if swap.eta_seconds is None else swap.eta_seconds - (now - swap.heard_at)
        if left > 0:
            # What was learned is of no use once it is over.
            loading["eta_seconds"] = round(left, 1)
            eta = f", ETA {_rough(left)}"
            wait = min(LONGEST_RETRY_SECONDS, max(1, math.ceil(left)))
        message = f"model {swap.model} is loading on {self._node} (phase {swap.phase}{eta})"
        return _come_back(path, message, wait, loading)

    def _starting(self, path: bytes, runtime: RuntimeView) -> Refusal:
        name = runtime.served_name or runtime.model
        loading: dict[str, JsonValue] = {"model": name, "state": "loading", "node": self._node}
        which = f"model {name}" if name is not None else "a model"
        message = f"{which} is loading on {self._node}"
        return _come_back(path, message, _STARTING_RETRY_SECONDS, loading)


def _come_back(path: bytes, message: str, wait: int, loading: dict[str, JsonValue]) -> Refusal:
    retry: tuple[Field, ...] = (
        (b"retry-after", str(wait).encode("ascii")),
        (b"x-should-retry", b"true"),
    )
    return refuse(
        path,
        503,
        "model_loading",
        message,
        param="model",
        extra={"loading": loading},
        headers=retry,
    )


def _rough(seconds: float) -> str:
    return f"~{max(1, round(seconds / 60))}m" if seconds >= 60 else f"~{math.ceil(seconds)}s"
