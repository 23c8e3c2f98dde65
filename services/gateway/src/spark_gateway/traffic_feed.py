"""Keeps the data plane's idea of the runtime and of a running swap up to date."""

from collections import deque
from typing import Protocol

import structlog
from pydantic import ValidationError

from spark_common.contracts.models import RuntimeView
from spark_common.contracts.swaps import Phase, SwapView
from spark_common.events import SwapProgress
from spark_gateway.streams.board import LiveSnapshot
from spark_gateway.streams.entry import Entry

_LOG = structlog.get_logger()
_REMEMBERED = 64


class Traffic(Protocol):
    """The router of ``/v1``, as far as it wants to hear news."""

    def set_runtime(self, runtime: RuntimeView | None) -> None:
        """What the model server is doing."""
        ...

    def set_swap(self, swap: SwapView | SwapProgress | None) -> None:
        """The swap that runs, or none."""
        ...


class Look(Protocol):
    """Whoever looks at the model server."""

    def poke(self) -> None:
        """Look now."""
        ...


class TrafficFeed:
    """Turns events and pictures into what the router believes.

    Events come first and pictures may be older than the last event: a swap that is known to be
    over never comes back from a picture, and one that was just told of is not gone because the
    next picture lacks it. The one after that was asked for later. Nor does a swap go back to
    where an older picture has it.
    """

    def __init__(self, traffic: Traffic, look: Look) -> None:
        self._traffic = traffic
        self._look = look
        self._current: str | None = None
        self._just_told = False
        """Whether an event spoke of it after the last picture."""
        self._told = 0
        """Number of its latest event."""
        self._over: deque[str] = deque(maxlen=_REMEMBERED)
        self._seen: tuple[str, str | None] | None = None

    def on_entry(self, entry: Entry) -> None:
        """Take in one event of a swap."""
        if entry.is_outcome:
            self._over.append(entry.thread.id)
            if entry.thread.id == self._current:
                self._set(None, None)
            self._look.poke()
            return
        try:
            progress = SwapProgress.model_validate(entry.content)
        except ValidationError:
            _LOG.warning("traffic.unreadable_progress", event_id=entry.event_id)
            return
        # A swap that waits in the queue says nothing about the one that runs.
        if progress.phase is not Phase.QUEUED and progress.swap_id not in self._over:
            self._set(progress.swap_id, progress)
            self._just_told = True
            self._told = progress.n
            if progress.previous_phase is not None:
                self._look.poke()

    def on_picture(self, picture: LiveSnapshot) -> None:
        """Take in a picture; what it does not contain stays as it was."""
        if picture.menu is not None:
            runtime = picture.menu.runtime
            self._traffic.set_runtime(runtime)
            if (runtime.state, runtime.served_name) != self._seen:
                self._seen = runtime.state, runtime.served_name
                self._look.poke()
        if picture.swaps is not None:
            swap = picture.swaps.current
            just_told, self._just_told = self._just_told, False
            if swap is None or swap.id in self._over:
                ended = any(view.id == self._current for view in picture.swaps.recent)
                if ended or not just_told:
                    self._set(None, None)
            elif swap.id != self._current or swap.n >= self._told:
                self._told = swap.n
                self._set(swap.id, swap)

    def _set(self, swap_id: str | None, swap: SwapView | SwapProgress | None) -> None:
        self._current = swap_id
        self._traffic.set_swap(swap)
