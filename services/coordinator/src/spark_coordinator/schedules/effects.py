"""What a run really does: a swap, a first token, a deep check, a snapshot. No command, ever."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import SecretStr

from spark_common.bus.port import Bus, Duplicate, Stored
from spark_common.clock import Clock
from spark_common.contracts.collections import TAKE_SNAPSHOT, TakeSnapshot
from spark_common.contracts.models import LIST_MODELS, ListModels, Menu, ModelView
from spark_common.contracts.swaps import (
    GET_SWAP,
    REQUEST_SWAP,
    GetSwap,
    Phase,
    RequestSwap,
    SwapView,
)
from spark_common.contracts.traffic import FIRST_TOKEN, AskFirstToken
from spark_common.errors import AlreadyLoadedError, OutcomeUnknownError, UnavailableError
from spark_common.events import HealthProbeRequested
from spark_common.subjects import HEALTH_PROBE
from spark_coordinator.schedules.record import LiveRun

_ASK_SECONDS = 10.0
_TOKEN_SECONDS = 5.0
_TOKEN_DEADLINE_SECONDS = 600.0
_POLL_SECONDS = 2.0
_SNAPSHOT_SECONDS = 620.0
"""Longer than the gateway waits for Qdrant, which writes a large collection for minutes."""


@dataclass(frozen=True)
class Result:
    """What came of a run, in one plain sentence."""

    state: Literal["done", "failed"]
    message: str
    snapshot: str | None = None
    """Name of the snapshot that was taken."""


class Effects:
    """Questions to the swapper and the gateway; each may be repeated with the same run."""

    def __init__(self, bus: Bus, clock: Clock) -> None:
        self._bus = bus
        self._clock = clock

    async def loaded(self) -> str | None:
        """Return the key of what is loaded; None when nothing is. Raises UnavailableError."""
        runtime = (await self._menu()).runtime
        if runtime.state in ("unknown", "unreachable"):
            raise UnavailableError(runtime.detail or "what is loaded is not known yet")
        return runtime.model

    async def swap(self, run: LiveRun, model: str, token: SecretStr | None) -> bool:
        """Ask for the swap of a run; False when the model serves already. Raises SparkError.

        The id makes every repetition the same swap, for thirty days.
        """
        request = RequestSwap(
            id=run.id,
            model=model,
            requested_by=f"schedule {run.schedule_id}",
            when_busy="queue",
            # Nobody is there to press anything: what served before comes back, or is tried again.
            rollback=True,
            reload=run.kind == "restart",
            lock_token=token,
        )
        try:
            await self._bus.call(
                REQUEST_SWAP, request, timeout_seconds=_ASK_SECONDS, correlation_id=run.id
            )
        except AlreadyLoadedError:
            return False
        return True

    async def outcome(self, run: LiveRun) -> Result | None:
        """Return what became of the swap of a run; None while it goes on. Raises SparkError."""
        view = await self._bus.call(GET_SWAP, GetSwap(id=run.id), timeout_seconds=_ASK_SECONDS)
        if run.kind == "restart" and view.phase is Phase.ROLLED_BACK:
            # What came back is the same model, at the second attempt.
            return Result("done", view.message)
        return _result(view)

    async def warm(self, run: LiveRun) -> Result:
        """Have a first token come from the model that is loaded. Raises UnavailableError."""
        menu = await self._menu()
        served = menu.runtime.served_name
        if served is None:
            return Result("failed", "No model is loaded, so there is nothing to warm.")
        model = next((one for one in menu.models if one.loaded), None)
        began = self._clock.monotonic()
        while True:
            asked = AskFirstToken(
                served_name=served, pooling=_embeds(model), patience_seconds=_TOKEN_SECONDS
            )
            token = await self._bus.call(
                FIRST_TOKEN, asked, timeout_seconds=_TOKEN_SECONDS + 3, correlation_id=run.id
            )
            if token.state == "came":
                return Result("done", f"{served} is loaded and answered with a first token.")
            if token.state == "missing":
                return Result("failed", f"{served} gave no first token: {token.problem}")
            if self._clock.monotonic() - began > _TOKEN_DEADLINE_SECONDS:
                return Result("failed", f"{served} gave no first token within 10 minutes.")
            await self._clock.sleep(_POLL_SECONDS)

    async def sweep(self, run: LiveRun) -> Result:
        """Ask the health service for a deep check of everything. Raises OutcomeUnknownError."""
        command = HealthProbeRequested(
            target="all", requested_by=f"schedule {run.schedule_id}", reason=run.name
        )
        stored = await self._bus.publish_durable(
            HEALTH_PROBE, command, id=f"{run.id}:probe", correlation_id=run.id
        )
        if isinstance(stored, Stored | Duplicate):
            return Result("done", "The health service was asked for a deep check of everything.")
        raise OutcomeUnknownError(f"the deep check could not be asked for: {stored.reason}")

    async def snapshot(self, run: LiveRun, ours: Sequence[str]) -> Result:
        """Have the collection of a run written to a file, once. Raises SparkError.

        ``ours`` are the snapshots that earlier runs took: nobody else's is deleted.
        """
        began = run.started_at or run.nominal
        request = TakeSnapshot(
            collection=run.collection or "",
            requested_by=f"schedule {run.schedule_id}",
            keep=run.keep,
            ours=list(ours),
            # Qdrant tells whole seconds.
            unless_since=began.replace(microsecond=0),
        )
        taken = await self._bus.call(
            TAKE_SNAPSHOT, request, timeout_seconds=_SNAPSHOT_SECONDS, correlation_id=run.id
        )
        gone = f" {len(taken.removed)} older ones were deleted." if taken.removed else ""
        left = f" Older ones could not be deleted: {taken.problem}." if taken.problem else ""
        said = f"{taken.collection} was written to {taken.snapshot.name}.{gone}{left}"
        return Result("done", said, taken.snapshot.name)

    async def _menu(self) -> Menu:
        return await self._bus.call(LIST_MODELS, ListModels(), timeout_seconds=_ASK_SECONDS)


def _result(view: SwapView) -> Result | None:
    if view.phase is Phase.READY:
        return Result("done", view.message)
    if view.finished_at is None:
        return None
    return Result("failed", view.message or f"The swap ended as {view.phase.value}.")


def _embeds(model: ModelView | None) -> bool:
    """Say whether it is known to have no chat."""
    return model is not None and bool(model.capabilities) and "chat" not in model.capabilities
