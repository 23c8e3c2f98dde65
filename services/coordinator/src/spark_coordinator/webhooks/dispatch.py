"""Sends what is owed: every target has its own line in strict order, and none waits for another."""

import asyncio

import structlog

from spark_common.clock import Clock
from spark_common.errors import UnavailableError
from spark_common.tasks import end
from spark_coordinator.leading import Leadership
from spark_coordinator.webhooks.backoff import Backoff
from spark_coordinator.webhooks.ports import Answer, Parcel, Sender
from spark_coordinator.webhooks.rows import Owed
from spark_coordinator.webhooks.store import LEADS_NO_MORE, WebhookStore
from spark_coordinator.webhooks.targets import Target
from spark_coordinator.webhooks.verdict import Verdict, judge

_LOOK_SECONDS = 0.5
_RETRY_SECONDS = 1.0

_log = structlog.get_logger()


class Dispatch:
    """The one sender of every target, while this process leads."""

    def __init__(
        self,
        store: WebhookStore,
        sender: Sender,
        leadership: Leadership,
        backoff: Backoff,
        clock: Clock,
    ) -> None:
        self._store = store
        self._sender = sender
        self._leadership = leadership
        self._backoff = backoff
        self._clock = clock
        # A look that comes later than the shortest wait would make it longer.
        self._look_seconds = min(_LOOK_SECONDS, backoff.first_seconds)
        self._lines: dict[str, asyncio.Task[None]] = {}
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Something is owed now: look at once and not at the next turn."""
        self._woken.set()

    async def run(self) -> None:
        """Begin a line's work whenever its next delivery is due; ends only by cancellation."""
        try:
            while True:
                self._woken.clear()
                try:
                    await self._look()
                except UnavailableError:
                    await self._clock.sleep(_RETRY_SECONDS)
                await self._rest()
        finally:
            await end(self._lines.values())

    async def _look(self) -> None:
        self._lines = {name: line for name, line in self._lines.items() if not line.done()}
        targets = [
            target.id
            for target in (await self._store.targets()).values()
            if target.enabled and target.id not in self._lines
        ]
        off = await self._store.disabled_because(targets)
        ready = [target for target in targets if target not in off]
        now = self._clock.now()
        for due in await self._store.due(ready, now, self._backoff.horizon(now)):
            self._lines[due] = asyncio.create_task(self._line(due), name=f"webhook line {due}")

    async def _line(self, id: str) -> None:
        """Send as long as something is due."""
        try:
            while await self._next(id):
                pass
        except UnavailableError:
            await self._clock.sleep(_RETRY_SECONDS)
        except Exception:
            _log.exception("webhook.line_broken", target=id)
            await self._clock.sleep(_RETRY_SECONDS)

    async def _next(self, id: str) -> bool:
        """Try the next delivery once; return whether there may be another one due."""
        target, _ = await self._store.target(id)
        owed = await self._store.head(id)
        if target is None or not target.enabled or owed is None:
            return False
        now = self._clock.now()
        waits = now < owed.next_at <= self._backoff.horizon(now)
        if waits or not self._leadership.leads:
            return False
        began = self._clock.monotonic()
        answer = await self._sender.send(target, Parcel(owed.id, owed.body))
        latency_ms = (self._clock.monotonic() - began) * 1000
        verdict = judge(owed, answer, self._clock.now(), self._backoff)
        noted = await self._note(id, owed, answer, verdict, latency_ms)
        _tell(target, owed, answer, verdict, latency_ms)
        return noted and not verdict.disabled_because

    async def _note(
        self, id: str, owed: Owed, answer: Answer, verdict: Verdict, latency_ms: float
    ) -> bool:
        """Write it down however long Redis is away: unwritten, it would be sent again."""
        while True:
            try:
                written = await self._store.settle(
                    self._leadership.fence,
                    id,
                    owed.id,
                    answer,
                    verdict,
                    latency_ms,
                    self._clock.now(),
                )
            except UnavailableError:
                await self._clock.sleep(_RETRY_SECONDS)
            else:
                return written != LEADS_NO_MORE

    async def _rest(self) -> None:
        waking = asyncio.create_task(self._woken.wait())
        turn = asyncio.create_task(self._clock.sleep(self._look_seconds))
        lines = set(self._lines.values())
        try:
            # A line that ended may have left something that became due in between.
            await asyncio.wait({waking, turn, *lines}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waking.cancel()
            turn.cancel()


def _tell(target: Target, owed: Owed, answer: Answer, verdict: Verdict, latency_ms: float) -> None:
    facts = {
        "target": target.id,
        "delivery": owed.id,
        "event_id": owed.event_id,
        "tries": verdict.tries,
        "status": answer.status,
        "latency_ms": round(latency_ms, 1),
    }
    if verdict.state == "delivered":
        _log.info("webhook.delivered", **facts)
    elif verdict.state == "dead" or verdict.disabled_because:
        _log.warning(f"webhook.{verdict.state}", reason=verdict.error, **facts)
    else:
        _log.info("webhook.failed", reason=verdict.error, **facts)
