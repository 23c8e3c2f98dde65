"""What has to be known of a Spark while it is off: its hardware address, and who woke it last."""

from datetime import timedelta
from typing import TypeVar

import structlog
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError
from redis.asyncio import Redis

from spark_common.clock import Clock
from spark_common.contracts.hardware import WakeAddress
from spark_common.errors import UnavailableError
from spark_common.redis_access import asked
from spark_health.hosts import keys
from spark_health.hosts.network import wake_interface
from spark_health.hosts.sight import Sight

_AWAY = "what is remembered of the Sparks cannot be read or written: Redis does not answer"
_ANEW = timedelta(hours=1)
_log = structlog.get_logger()
FormT = TypeVar("FormT", bound=BaseModel)


class Sent(BaseModel):
    """A magic packet that was sent."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    via: str
    sent_at: AwareDatetime
    requested_by: str


def address_of(sight: Sight) -> WakeAddress | None:
    """Return what a Spark said of the card that wakes it."""
    links, routes = sight.rest.links, sight.rest.routes or ()
    if links is None or sight.read_at is None:
        return None
    name = wake_interface(links, routes)
    if name is None:
        return None
    addresses = sight.rest.addresses or ()
    broadcast = next((one.broadcast for one in addresses if one.interface == name), None)
    return WakeAddress(
        mac=links[name],
        interface=name,
        wired=not name.startswith("wl"),
        broadcast=broadcast,
        seen_at=sight.read_at,
    )


class Remembered:
    """In memory, and in Redis for the next start. Reading raises nothing."""

    def __init__(self, redis: Redis, clock: Clock) -> None:
        self._redis = redis
        self._clock = clock
        self._read = False
        self.addresses: dict[str, WakeAddress] = {}
        self.sent: dict[str, Sent] = {}

    async def recall(self) -> None:
        """Read what was remembered, once; raises UnavailableError while Redis is away."""
        if self._read:
            return
        addresses = await asked(self._redis.hgetall(keys.WAKE_ADDRESSES), _AWAY)
        wakes = await asked(self._redis.hgetall(keys.WAKES), _AWAY)
        for name, row in addresses.items():
            found = _parsed(WakeAddress, row)
            if found is not None:
                self.addresses.setdefault(str(name), found)
        for name, row in wakes.items():
            sent = _parsed(Sent, row)
            if sent is not None:
                self.sent.setdefault(str(name), sent)
        self._read = True

    async def note(self, sight: Sight) -> None:
        """Remember the address of a Spark that answers. A cable is never forgotten for Wi-Fi."""
        found, before = address_of(sight), self.addresses.get(sight.host.name)
        if found is None or (before is not None and before.wired and not found.wired):
            return
        if before is not None and before.broadcast and not found.broadcast:
            found = found.model_copy(update={"broadcast": before.broadcast})
        same = before is not None and before.model_copy(update={"seen_at": found.seen_at}) == found
        if same and before is not None and found.seen_at - before.seen_at < _ANEW:
            return
        await asked(
            self._redis.hset(keys.WAKE_ADDRESSES, sight.host.name, found.model_dump_json()), _AWAY
        )
        self.addresses[sight.host.name] = found

    async def woke(self, name: str, sent: Sent) -> None:
        """Remember an attempt; one that Redis does not take is remembered here."""
        self.sent[name] = sent
        try:
            await asked(self._redis.hset(keys.WAKES, name, sent.model_dump_json()), _AWAY)
        except UnavailableError as error:
            _log.warning("hosts.wake_not_kept", host=name, reason=error.message)


def _parsed(form: type[FormT], row: str | bytes) -> FormT | None:
    try:
        return form.model_validate_json(row)
    except ValidationError:
        _log.error("hosts.unreadable_record", form=form.__name__)
        return None
