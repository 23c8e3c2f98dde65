"""What is known of swaps: the one that runs, those in line, and how the latest ones ended."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from pydantic import ValidationError

from spark_common.clock import Clock
from spark_common.contracts.swaps import TERMINAL, Cause, Phase, SwapView
from spark_common.events import SwapComplete, SwapFailed, SwapProgress
from spark_gateway.dataplane.router import TRUSTED_SECONDS
from spark_gateway.streams.board import LiveSnapshot
from spark_gateway.streams.entry import Entry

_REMEMBERED: Final = 64
_UNTOLD_SECONDS: Final = 10.0
"""For so long an accepted swap needs nobody else to speak of it."""
_STILL_ANSWERING: Final = "still_answering"
"""Code of the cause that says nothing of the model that was to come."""

How = Literal["ready", "failed", "cancelled", "rolled_back"]
_HOW: Final[dict[Phase, How]] = {
    Phase.READY: "ready",
    Phase.FAILED: "failed",
    Phase.CANCELLED: "cancelled",
    Phase.ROLLED_BACK: "rolled_back",
}


@dataclass(frozen=True, slots=True)
class Running:
    """A swap that runs, as last heard of. ``heard_at`` on the monotonic clock."""

    id: str
    model: str
    previous: str | None
    phase: Phase
    heard_at: float

    @property
    def coming(self) -> str | None:
        """The model that it is loading now: after a failure the one that served before."""
        return self.previous if self.phase is Phase.ROLLING_BACK else self.model


@dataclass(frozen=True, slots=True)
class Ended:
    """How a swap ended, and when; ``at`` on the monotonic clock."""

    id: str
    model: str
    how: How
    serving: str | None
    """Key of the model that serves since; None: nothing does."""
    why: str
    """What went wrong, in a sentence; empty when nothing did."""
    at: float
    finished_at: datetime
    postponed: bool = False
    """Nothing was tried: the loaded model was not done with its answers in time."""

    @property
    def well(self) -> bool:
        """Whether the model it was for serves."""
        return self.how == "ready"


class SwapNews:
    """Made of events and pictures, which may come in any order, late, or not at all.

    An event may be missed while the bus is away; the next picture has what it told. A picture may
    be older than the latest event: a swap we know of is over only when it is said how it ended.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._running: Running | None = None
        self._ended: OrderedDict[str, Ended] = OrderedDict()
        self._failed: dict[str, Ended] = {}
        self._listeners: list[Callable[[], None]] = []
        self.last: Ended | None = None
        """The latest swap that is over, in the order of their ends."""
        self._line: dict[str, str] = {}
        self._line_heard_at = 0.0
        self._accepted: dict[str, tuple[str, float]] = {}
        """Model and moment of swaps that were accepted here and not heard of since."""

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` after everything that was taken in."""
        self._listeners.append(listener)

    @property
    def running(self) -> Running | None:
        """The swap that runs; one that nobody has spoken of for two minutes is not believed in."""
        swap = self._running
        if swap is None or self._clock.monotonic() - swap.heard_at > TRUSTED_SECONDS:
            return None
        return swap

    @property
    def waiting(self) -> int:
        """How many swaps wait for their turn."""
        return len(self._in_line())

    def in_line(self, model: str) -> str | None:
        """Return the id of the swap to a model that waits for its turn; None: none does."""
        return next((one for one, coming in self._in_line().items() if coming == model), None)

    def _in_line(self) -> dict[str, str]:
        """Ids and models, the next first; not believed in when nobody spoke of it for long."""
        now = self._clock.monotonic()
        told = self._line if now - self._line_heard_at <= TRUSTED_SECONDS else {}
        untold = {
            swap_id: model
            for swap_id, (model, at) in self._accepted.items()
            if now - at <= _UNTOLD_SECONDS
        }
        return {**told, **untold}

    def ended(self, swap_id: str | None) -> Ended | None:
        """Return how a swap ended, if it is known to be over."""
        return self._ended.get(swap_id) if swap_id is not None else None

    def failed(self, model: str) -> Ended | None:
        """Return the latest swap to a model if that went wrong."""
        return self._failed.get(model)

    def on_entry(self, entry: Entry) -> None:
        """Take in one event of a swap; nothing of a dry run."""
        try:
            if not entry.is_outcome:
                self._progress(SwapProgress.model_validate(entry.content))
            elif entry.name == SwapComplete.type:
                self._complete(SwapComplete.model_validate(entry.content))
            else:
                self._fail(SwapFailed.model_validate(entry.content))
        except ValidationError:
            return  # Told to the log by those who follow the same events for the router.
        self._tell()

    def on_picture(self, picture: LiveSnapshot) -> None:
        """Take in a picture; what it does not contain stays as it was."""
        swaps = picture.swaps
        if swaps is None:
            return
        for view in (*reversed(swaps.recent), *([swaps.current] if swaps.current else [])):
            self._take(view)
        current = [swaps.current] if swaps.current else []
        self._line = {
            view.id: view.model
            for view in (*current, *swaps.queue)
            if view.phase is Phase.QUEUED and view.id not in self._ended and not view.dry_run
        }
        self._line_heard_at = self._clock.monotonic()
        self._tell()

    def on_accepted(self, view: SwapView) -> None:
        """Take in what a client of this gateway was just told: it asks for the model at once.

        The swap's own events come a moment later, and a picture may be older than it.
        """
        if view.dry_run:
            return
        if view.phase is Phase.QUEUED and view.id not in self._ended:
            self._accepted = {
                swap_id: (model, at)
                for swap_id, (model, at) in self._accepted.items()
                if self._clock.monotonic() - at <= _UNTOLD_SECONDS
            }
            self._accepted[view.id] = (view.model, self._clock.monotonic())
        elif view.phase is not Phase.QUEUED:
            self._take(view)
        self._tell()

    def on_view(self, view: SwapView) -> None:
        """Take in what the swapper answered about one swap.

        That it accepted one is no sign yet that it comes.
        """
        if view.phase is not Phase.QUEUED:
            self._take(view)
        self._tell()

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()

    def _take(self, view: SwapView) -> None:
        if view.phase in TERMINAL:
            self._view_ended(view)
        else:
            self._run(view.id, view.model, view.previous, view.phase)

    def _run(self, swap_id: str, model: str, previous: str | None, phase: Phase) -> None:
        if swap_id in self._ended:
            return
        if phase is Phase.QUEUED:
            self._line = {**self._in_line(), swap_id: model}
            self._accepted.pop(swap_id, None)
            self._line_heard_at = self._clock.monotonic()
            return
        self._leave_line(swap_id)
        before = self._running
        if previous is None and before is not None and before.id == swap_id:
            previous = before.previous
        self._running = Running(swap_id, model, previous, phase, self._clock.monotonic())

    def _leave_line(self, swap_id: str) -> None:
        self._line.pop(swap_id, None)
        self._accepted.pop(swap_id, None)

    def _progress(self, told: SwapProgress) -> None:
        self._run(told.swap_id, told.model, None, told.phase)

    def _complete(self, told: SwapComplete) -> None:
        if not told.dry_run:
            self._end(told.swap_id, told.model, "ready", told.model, None, told.finished_at)

    def _fail(self, told: SwapFailed) -> None:
        if not told.dry_run:
            serving, at = told.serving, told.finished_at
            self._end(told.swap_id, told.model, told.outcome, serving, told.cause, at)

    def _view_ended(self, view: SwapView) -> None:
        how = _HOW.get(view.phase)
        if how is None or view.finished_at is None or view.dry_run or view.id in self._ended:
            return
        serving = view.model if how == "ready" else view.serving
        self._end(view.id, view.model, how, serving, view.cause, view.finished_at, told=False)

    def _end(
        self,
        swap_id: str,
        model: str,
        how: How,
        serving: str | None,
        cause: Cause | None,
        finished_at: datetime,
        *,
        told: bool = True,
    ) -> None:
        if swap_id in self._ended:
            return
        at = self._clock.monotonic()
        ours = self._running is not None and self._running.id == swap_id
        if not ours and not told:
            # Long over, it may be. Of one that was followed only our own clock says when.
            at -= max(0.0, (self._clock.now() - finished_at).total_seconds())
        why, code = (cause.sentence, cause.code) if cause is not None else ("", "")
        postponed = how == "failed" and code == _STILL_ANSWERING
        ended = Ended(swap_id, model, how, serving, why, at, finished_at, postponed)
        self._leave_line(swap_id)
        self._ended[swap_id] = ended
        while len(self._ended) > _REMEMBERED:
            self._ended.popitem(last=False)
        if ours:
            self._running = None
        if self.last is not None and self.last.finished_at > finished_at:
            return
        self.last = ended
        if ended.well:
            self._failed.pop(model, None)
        elif not postponed:
            self._failed[model] = ended
