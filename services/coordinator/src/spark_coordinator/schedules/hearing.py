"""Hears in the events of leases and swaps which outside jobs have asked for the cluster."""

import asyncio
from collections.abc import Mapping

import structlog
from redis.asyncio import Redis

from spark_common.bus.port import Bus, StoredMessage
from spark_common.clock import Clock
from spark_common.errors import UnavailableError
from spark_common.redis_access import asked
from spark_common.subjects import lock_event
from spark_coordinator.schedules import keys
from spark_coordinator.schedules.dead_man import DeadMan

STREAMS: Mapping[str, tuple[str, ...]] = {
    "SC_LEASE_EVT": (lock_event("acquired"), lock_event("queued")),
    "SC_SWAP_ADM": ("swap.accepted.*", "swap.rejected.*"),
}
"""What is read; whoever was refused has asked, too."""
_RETRY_SECONDS = 2.0
_AWAY = "how far the events were read is not known: Redis does not answer"
_log = structlog.get_logger()


class Hearing:
    """Reads on from where the last leader stopped, so that nothing that was asked is missed."""

    def __init__(self, redis: Redis, bus: Bus, dead_man: DeadMan, clock: Clock) -> None:
        self._redis = redis
        self._bus = bus
        self._dead_man = dead_man
        self._clock = clock
        self._heard: dict[str, tuple[str, int]] = {}

    async def run(self) -> None:
        """Hear for ever."""
        self._heard.clear()
        await asyncio.gather(*(self._hear(stream) for stream in STREAMS))

    async def is_caught_up(self) -> bool:
        """Say whether everything that was told until now has been heard."""
        try:
            for stream, subjects in STREAMS.items():
                epoch, _, last = await self._bus.bounds(stream)
                at = self._heard.get(stream)
                if at is None or at[0] != epoch:
                    return False
                if at[1] < last and await self._has_more(stream, subjects, at[1]):
                    return False
        except UnavailableError:
            return False
        return True

    async def _has_more(self, stream: str, subjects: tuple[str, ...], after: int) -> bool:
        for subject in subjects:
            message = await self._bus.last_message(stream, subject)
            if message is not None and message.seq > after:
                return True
        return False

    async def _hear(self, stream: str) -> None:
        while True:
            try:
                after = await self._position(stream)
                async for message in self._bus.tail(stream, STREAMS[stream], after):
                    await self._note(message)
            except UnavailableError as error:
                _log.warning("schedule.hearing_paused", stream=stream, why=error.message)
            await self._clock.sleep(_RETRY_SECONDS)

    async def _position(self, stream: str) -> int:
        """Return the sequence to go on after; for the first time ever, the newest."""
        epoch, _, last = await self._bus.bounds(stream)
        kept = await asked(self._redis.hget(keys.SEEN, stream), _AWAY)
        known, _, number = (kept or "").partition(" ")
        after = last if not known else int(number) if known == epoch else 0
        await self._keep(stream, epoch, after)
        return after

    async def _note(self, message: StoredMessage) -> None:
        body = message.envelope.data if message.envelope is not None else {}
        if message.envelope is not None:
            what, label = _told(message.subject, body)
            await self._dead_man.asked(
                what,
                message.envelope.time,
                schedule_id=_text(body.get("schedule_id")),
                label=label,
            )
        await self._keep(message.stream, message.epoch, message.seq)

    async def _keep(self, stream: str, epoch: str, seq: int) -> None:
        await asked(self._redis.hset(keys.SEEN, stream, f"{epoch} {seq}"), _AWAY)
        self._heard[stream] = (epoch, seq)


def _told(subject: str, body: Mapping[str, object]) -> tuple[str, str | None]:
    """Return what was asked for, and the label of who did."""
    if subject.startswith("lock."):
        return "asked for the lease", _text(body.get("holder"))
    return "asked for a swap", _text(body.get("requested_by"))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
