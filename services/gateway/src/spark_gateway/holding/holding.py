"""Lets requests wait for a model that a swap is loading, or that they themselves ask for."""

from collections.abc import Callable
from typing import Final, Literal, TypeAlias

import structlog

from spark_common.clock import Clock
from spark_common.settings.policies import HoldSettings
from spark_gateway.dataplane.heads import RequestHead
from spark_gateway.dataplane.ports import Absence, Again, Identity, Refusal, Stay
from spark_gateway.holding import words
from spark_gateway.holding.counts import Counts
from spark_gateway.holding.news import Ended, SwapNews
from spark_gateway.holding.on_demand import GENERATING, OnDemand
from spark_gateway.holding.prefer import preferred_wait
from spark_gateway.holding.room import ANY, Held, WaitingRoom
from spark_gateway.holding.there import There

SETTLING_SECONDS: Final = 15.0
"""After the end of a swap the model server is looked at; for so long its model is awaited."""
_TICK_SECONDS: Final = 1.0
_log = structlog.get_logger()

_Verdict: TypeAlias = Refusal | Literal["pass", "wait", "not ours"]
"""``pass``: choose anew. ``not ours``: nothing is coming that would suit it."""


class Holding:
    """An ``Away``. Whoever is let go goes through the turnstile like everybody else."""

    def __init__(
        self,
        settings: Callable[[], HoldSettings],
        news: SwapNews,
        there: There,
        demand: OnDemand,
        clock: Clock,
        tell: Callable[[int], None] = lambda count: None,
    ) -> None:
        """``tell``: hears about once a second how many are held."""
        self._tell = tell
        self._settings = settings
        self._news = news
        self._there = there
        self._demand = demand
        self._clock = clock
        self.room = WaitingRoom()
        self.counts = Counts()
        news.on_change(self.look)
        demand.on_answer(self.look)

    def may_wait(self, head: RequestHead) -> bool:
        """Whether a request may wait, as far as its head says."""
        if head.method != b"POST":
            return False
        return self._patience(head) > 0 or (self._demand.on and head.path in GENERATING)

    def wait(
        self,
        absence: Absence,
        head: RequestHead,
        identity: Identity,
        size: int,
        since: float,
        again: Again,
    ) -> Stay | Refusal:
        """See ``Away``."""
        settings, now, path = self._settings(), self._clock.monotonic(), head.path
        demands = absence.on_menu and path in GENERATING and self._demand.on
        patience = self._patience(head, demands=demands)
        if head.method != b"POST" or patience <= 0:
            return self.refusal(absence, head)
        held = Held(
            self.room, absence.model, path, identity.label, size, since, since + patience,
            demands, again, identity.share,
        )  # fmt: skip
        verdict = self._judge(held, now, new=True)
        if isinstance(verdict, Refusal):
            return verdict
        if verdict == "not ours":
            return self.refusal(absence, head)
        if now >= held.until:
            return self._overdue(held)
        gone = self.room.make_room(held, settings.hold_most, settings.hold_most_mb * 1e6)
        if gone is None:
            self.counts.full += 1
            return self._full(path)
        for other in gone:
            self.counts.displaced += 1
            self._end(other, self._full(other.path))
        self.room.join(held)
        self.counts.held += 1
        self._ask()
        return held

    def refusal(self, absence: Absence, head: RequestHead) -> Refusal:
        """See ``Away``: how the swap stands, while one runs or waits for its turn."""
        in_line = self._news.in_line(absence.model)
        if in_line is not None:
            return words.in_line(head.path, absence.model, in_line)
        return self._there.loading(head.path) or absence.refusal

    def look(self) -> None:
        """Let go whose model is there, and send away who waits in vain."""
        now = self._clock.monotonic()
        for held in self.room:
            if held not in self.room:
                continue
            verdict = self._judge(held, now)
            if verdict == "wait" and now >= held.until:
                self.counts.overdue += 1
                self._end(held, self._overdue(held))
            elif isinstance(verdict, Refusal):
                self.counts.refused += 1
                self._end(held, verdict)
            elif verdict != "wait":
                # Chosen anew: whoever is not served now hears why not.
                self.counts.let_go += 1
                self._end(held, None)
        self._ask()

    async def run(self) -> None:
        """Look at the time, for ever, while anybody waits."""
        try:
            while True:
                await self._clock.sleep(_TICK_SECONDS)
                if len(self.room):
                    self.look()
                self._tell(len(self.room))
        finally:
            await self._demand.close()

    def _ask(self) -> None:
        wanting = [held for held in self.room if held.demands and held.swap_id is None]
        if wanting:
            self._demand.look(wanting)

    def _end(self, held: Held, refusal: Refusal | None) -> None:
        held.leave()
        try:
            held.again(refusal)
        except Exception:
            # One that cannot be answered must not keep the others waiting.
            _log.exception("holding.broke", wanted=held.wanted)

    def _patience(self, head: RequestHead, *, demands: bool = False) -> float:
        """For how many seconds a request waits: what the owner allows, or less when it says so."""
        settings = self._settings()
        wish = preferred_wait(head.fields)
        if wish is not None:
            return min(wish, settings.hold_longest_seconds)
        return settings.hold_longest_seconds if settings.hold_requests or demands else 0.0

    def _judge(self, held: Held, now: float, *, new: bool = False) -> _Verdict:
        """Say what becomes of a request by how things stand."""
        wanted = held.wanted
        ended = self._news.ended(held.swap_id)
        if ended is not None and ended.postponed and held.demands and self._demand.on:
            # It is asked for again, once the loaded model has had its time.
            ended = held.swap_id = None
        if ended is not None and not ended.well and wanted not in (ANY, ended.serving):
            return words.failed(held.path, ended)
        settling = self._settling(now)
        if not new and settling is None and self._there.serves(wanted, held.path):
            return "pass"
        running = self._news.running
        if running is not None and wanted in (ANY, running.coming):
            held.swap_id = running.id
            return "wait"
        if settling is not None and wanted in (ANY, settling.serving):
            held.swap_id = settling.id
            return "wait"
        in_line = self._news.in_line(wanted)
        if in_line is not None:
            held.swap_id = in_line
            return "wait"
        if ended is not None:
            held.swap_id = None
            # Looked at since, and not there: whoever chooses says what is.
            return "pass" if ended.well else words.failed(held.path, ended)
        starting = self._there.starting()
        if starting is not None and wanted in (ANY, starting.model, starting.served_name):
            return "wait"
        if held.swap_id is not None:
            # Nobody speaks of the swap any more, and it may go on: the bus is away.
            return "wait"
        if held.demands and self._demand.on:
            return self._demand.refusal(held) or "wait"
        return "not ours"

    def _settling(self, now: float) -> Ended | None:
        """Return the swap that just ended, while nobody has seen what came of it."""
        last = self._news.last
        if last is None or now - last.at > SETTLING_SECONDS:
            return None
        return None if self._there.shows(last) else last

    def _full(self, path: bytes) -> Refusal:
        return self._there.loading(path) or words.full(path, len(self.room))

    def _overdue(self, held: Held) -> Refusal:
        waited = self._clock.monotonic() - held.since
        return self._there.loading(held.path) or words.overdue(held.path, held.wanted, waited)
