"""Swaps because of requests: looks who waits for what, and asks when it is worth it."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

import structlog

from spark_common.clock import Clock
from spark_common.contracts.leases import LeaseView
from spark_common.settings.policies import HoldSettings
from spark_gateway.dataplane.ports import MODEL_SERVER, Refusal
from spark_gateway.dataplane.reservation import reserved
from spark_gateway.holding import words
from spark_gateway.holding.asking import SwapAsker
from spark_gateway.holding.news import SwapNews
from spark_gateway.holding.policy import Ask, Batch, Rules, Scene, next_swap, stays_until
from spark_gateway.holding.room import Held
from spark_gateway.holding.words import Words
from spark_gateway.streams.board import LiveSnapshot

GENERATING: Final = frozenset(
    (b"/v1/chat/completions", b"/v1/completions", b"/v1/responses", b"/v1/messages")
)
"""Routes worth a swap: somebody waits for what a model writes."""
_BELIEVED_SECONDS: Final = 60.0
"""A picture says nothing about the lease any longer; and a swap that was accepted, and nobody has
spoken of for so long, does not come."""
_REFUSED_SECONDS: Final = 2.0
"""What the swapper refused is not asked again at once."""
_FAILED_SECONDS: Final = 300.0
"""A model that just failed to load is not loaded again because of a request."""
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Use:
    """What the loaded model has to do, asked for at each look."""

    loaded: Callable[[], bool]
    answering: Callable[[], int]
    in_line: Callable[[], int]


@dataclass(frozen=True, slots=True)
class _Said:
    words: Words
    until: float


class OnDemand:
    """Off unless the owner wants it. One question at a time; the swapper has the last word."""

    def __init__(
        self,
        asker: SwapAsker,
        news: SwapNews,
        use: Use,
        settings: Callable[[], HoldSettings],
        poke: Callable[[], None],
        clock: Clock,
    ) -> None:
        """``poke``: somebody should look how things stand."""
        self._asker = asker
        self._news = news
        self._use = use
        self._settings = settings
        self._poke = poke
        self._clock = clock
        self._said: dict[str, _Said] = {}
        self._asking: asyncio.Task[None] | None = None
        self._expected: tuple[str | None, float] | None = None
        """The swap that was accepted, or None for somebody else's, and until when it must show."""
        self._lease: tuple[LeaseView, float] | None = None
        self._serving_since: datetime | None = None
        self._listeners: list[Callable[[], None]] = []

    def on_answer(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` after every answer of the swapper."""
        self._listeners.append(listener)

    @property
    def on(self) -> bool:
        """Whether the owner wants it."""
        return self._settings().swap_on_demand

    def on_picture(self, picture: LiveSnapshot) -> None:
        """Take in who holds the lease and since when the model serves."""
        now = self._clock.monotonic()
        self._lease = (picture.lease, now) if picture.lease is not None else None
        if picture.menu is not None:
            self._serving_since = picture.menu.runtime.since

    def refusal(self, held: Held) -> Refusal | None:
        """Return why this request need not wait for a swap of its own; None: it may."""
        now, path = self._clock.monotonic(), held.path
        lease = self._lease_now(now)
        if lease is not None:
            return reserved(path, lease, self._clock.now())
        failed = self._news.failed(held.wanted)
        if failed is not None and now - failed.at < _FAILED_SECONDS:
            return words.failed(path, failed)
        said = self._said.get(held.wanted)
        if said is not None and now < said.until:
            return said.words(path)
        if self._swapping(now):
            return None
        if not self._asker.reachable:
            return words.nobody_loads(path, held.wanted, "the event bus does not answer")
        stays = stays_until(self._scene(now), self._rules())
        if stays <= max(now, held.until):
            return None
        return words.stays(path, held.wanted, stays - now)

    def look(self, waiting: Iterable[Held]) -> None:
        """Ask for a swap if it is time for one."""
        if self._asking is not None or not self.on:
            return
        now = self._clock.monotonic()
        batches: dict[str, list[Held]] = {}
        for held in waiting:
            batches.setdefault(held.wanted, []).append(held)
        found = next_swap(
            self._scene(now),
            [
                Batch(model, len(those), min(held.since for held in those))
                for model, those in batches.items()
            ],
            self._rules(),
        )
        if isinstance(found, Ask):
            label = next((held.label for held in batches[found.model] if held.label), "")
            self._asking = asyncio.get_running_loop().create_task(self._ask(found.model, label))

    async def close(self) -> None:
        """Ask nothing any more."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    async def _ask(self, model: str, label: str) -> None:
        try:
            last = self._news.last
            answer = await self._asker.ask(model, last.id if last is not None else None, label)
            now = self._clock.monotonic()
            self._said = {each: said for each, said in self._said.items() if now < said.until}
            if answer is None:
                self._expected = None, now + _REFUSED_SECONDS
            elif callable(answer):
                self._said[model] = _Said(answer, now + _REFUSED_SECONDS)
            else:
                _log.info("on_demand.asked", model=model, swap_id=answer.id)
                self._expected = answer.id, now + _BELIEVED_SECONDS
                self._news.on_view(answer)
        except Exception:
            # Requests that wait are answered at the end of their time; the plane goes on.
            _log.exception("on_demand.broke", model=model)
            self._said[model] = _Said(
                partial(words.nobody_loads, wanted=model, why="asking for it failed"),
                self._clock.monotonic() + _REFUSED_SECONDS,
            )
        finally:
            self._asking = None
        self._poke()
        for listener in self._listeners:
            listener()

    def _scene(self, now: float) -> Scene:
        return Scene(
            now=now,
            loaded=self._use.loaded(),
            ready_at=self._ready_at(now),
            answering=self._use.answering(),
            in_line=self._use.in_line(),
            swapping=self._swapping(now),
        )

    def _swapping(self, now: float) -> bool:
        if self._news.running is not None or self._news.waiting or self._asking is not None:
            return True
        if self._expected is None:
            return False
        swap_id, until = self._expected
        return now < until and self._news.ended(swap_id) is None

    def _ready_at(self, now: float) -> float | None:
        """The later of what was told and what was seen; a swap that failed changed nothing.

        One that could not begin, as the model was answering, is not tried again at once.
        """
        moments = []
        if self._news.last is not None and (self._news.last.well or self._news.last.postponed):
            moments.append(self._news.last.at)
        if self._serving_since is not None:
            age = (self._clock.now() - self._serving_since).total_seconds()
            moments.append(now - max(0.0, age))
        return max(moments, default=None)

    def _rules(self) -> Rules:
        now = self._settings()
        return Rules(60.0 * now.on_demand_stay_minutes, now.on_demand_patience_seconds)

    def _lease_now(self, now: float) -> LeaseView | None:
        if self._lease is None:
            return None
        lease, heard_at = self._lease
        age = now - heard_at
        if lease.state == "free" or age > _BELIEVED_SECONDS:
            return None
        if lease.remaining_seconds is None or lease.state == "draining":
            return lease
        left = lease.remaining_seconds - age
        return lease.model_copy(update={"remaining_seconds": left}) if left > 0 else None


def use_of(
    loaded: Callable[[], bool], in_flight: Callable[[str], int], waiting: Callable[[str], int]
) -> Use:
    """Return what there is to know about the use of the model server."""
    return Use(loaded, lambda: in_flight(MODEL_SERVER), lambda: waiting(MODEL_SERVER))
