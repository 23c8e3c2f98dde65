"""Finds out when the speech server works again, and has it looked at when it does not."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final

import structlog

from spark_audio_proxy.recovery.metrics import RECOVERY_SECONDS, STATE, WEDGES
from spark_audio_proxy.recovery.ports import Announcer, HealthDesk, Server
from spark_audio_proxy.recovery.shared import Known
from spark_audio_proxy.recovery.standing import Checked, Heard, Standing, Waited
from spark_common.clock import Clock
from spark_common.errors import SparkError

LOOK_SECONDS: Final = 1.0
REST_SECONDS: Final = 2.0
"""Between two looks at what other replicas know, while all is well."""
DRAIN_SECONDS: Final = 20.0
"""Calls under way get so long before real work is put through the server beside them."""
_DRAIN_LOOK_SECONDS: Final = 0.25
_STATES: Final = ("ready", "busy", "suspect", "recovering", "down")

log = structlog.get_logger()


class Watch:
    """Looks while the server is not ready; restarts are the health service's alone."""

    def __init__(
        self, server: Server, health: HealthDesk, announcer: Announcer, clock: Clock,
        idle: Callable[[], bool],
    ) -> None:  # fmt: skip
        """``idle``: whether no call of this process is under way."""
        self._server = server
        self._health = health
        self._announcer = announcer
        self._clock = clock
        self._idle = idle
        self._ordering: set[asyncio.Task[None]] = set()

    async def told(self, known: Known, before: Standing, after: Standing) -> None:
        """Hear of a change that this process made: only one of all replicas does."""
        log.info("recovery.state", before=before.state, state=after.state, trouble=after.trouble)
        if after.state == "suspect" and after.episode != before.episode:
            order = asyncio.create_task(self._order(after))
            self._ordering.add(order)
            order.add_done_callback(self._ordering.discard)
            await self._say(self._announcer.suspect(after))
        if after.proven and not before.proven:
            WEDGES.inc()
            if after.culprit:
                await known.count_wedge(after.culprit)
        if after.state == "ready":
            RECOVERY_SECONDS.observe(max(0.0, known.now - before.since))
        if after.state != before.state:
            await self._say(self._announcer.state(before, after))

    async def run(self, known: Known) -> None:
        """Look for ever."""
        try:
            while True:
                await known.look()
                if known.standing.state != "ready":
                    await self.turn(known)
                shown = shown_state(known.standing, idle=self._idle())
                for state in _STATES:
                    STATE.labels(state).set(state == shown)
                ready = known.standing.state == "ready"
                await known.change(REST_SECONDS if ready else LOOK_SECONDS)
        finally:
            for order in self._ordering:
                order.cancel()

    async def turn(self, known: Known) -> None:
        """Ask everybody who may know, once."""
        checks, word = await asyncio.gather(self._check(), self._server.word())
        await known.learn(Heard(word))
        if checks is not None:
            await known.learn(checks)
        await known.learn(Waited())

    async def _check(self) -> Checked | None:
        try:
            sight = await self._health.latest_check()
        except SparkError as error:
            log.debug("recovery.no_news", reason=error.message)
            return None
        return None if sight is None else Checked(sight.state, sight.checked_at)

    async def _order(self, standing: Standing) -> None:
        """Have it looked at, once the calls under way are done: they would be in the way."""
        ends_at = self._clock.monotonic() + DRAIN_SECONDS
        while not self._idle() and self._clock.monotonic() < ends_at:
            await self._clock.sleep(_DRAIN_LOOK_SECONDS)
        reason = f"a call of audio-proxy failed: {standing.trouble}"
        await self._say(self._health.order_check(standing.episode, reason))

    async def _say(self, saying: Awaitable[None]) -> None:
        try:
            await saying
        except SparkError as error:
            log.warning("recovery.not_told", reason=error.message)


def shown_state(standing: Standing, *, idle: bool) -> str:
    """Return the word that people see: a server that is ready and at work is busy, and well."""
    return "busy" if standing.state == "ready" and not idle else standing.state


def shown(standing: Standing, *, idle: bool) -> dict[str, object]:
    """Return what people may see of it."""
    well = standing.state == "ready"
    since = None if well else datetime.fromtimestamp(standing.since, UTC).isoformat()
    return {
        "state": shown_state(standing, idle=idle),
        "trouble": standing.trouble,
        "since": since,
        "episode": standing.episode or None,
    }
