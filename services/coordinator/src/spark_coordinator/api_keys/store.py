"""API keys in Redis."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from redis.asyncio import Redis

from spark_common.redis_access import asked
from spark_coordinator.api_keys import places, scripts
from spark_coordinator.api_keys.record import ApiKey

_MOST_ENDED = 4000
"""Sessions one can sign out of within the seven days of one."""
_AWAY = "the API keys cannot be read: Redis does not answer; try again in a moment"


@dataclass(frozen=True)
class Kept:
    """All keys at one version, the oldest first."""

    version: int
    keys: Mapping[str, ApiKey]
    session_secret: str = field(repr=False)
    ended: Sequence[str] = ()
    """Sessions that somebody signed out of."""


class KeyStore:
    """Every method is one script or one read; raises UnavailableError while Redis is away."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._read = redis.register_script(scripts.READ)
        self._change = redis.register_script(scripts.CHANGE)
        self._end_session = redis.register_script(scripts.END_SESSION)
        self._note_use = redis.register_script(scripts.NOTE_USE)

    async def read(self, known: int | None = None) -> Kept | None:
        """Return all keys, or None while their version is still ``known``."""
        where = (places.VERSION, places.KEYS, places.SESSION_SECRET, places.ENDED)
        told = ["" if known is None else str(known), secrets.token_urlsafe(32)]
        answer = await asked(self._read(keys=where, args=told), _AWAY)
        if len(answer) == 1:
            return None
        version, secret, flat, ended = answer
        found = [ApiKey.model_validate_json(record) for record in flat[1::2]]
        found.sort(key=lambda key: (key.created_at, key.id))
        return Kept(int(version), {key.id: key for key in found}, secret, ended)

    async def change(self, read: int, records: Mapping[str, ApiKey | None]) -> int:
        """Keep or, where None, remove keys over the version that was ``read``.

        Returns the new version, 0 when there is another one meanwhile.
        """
        arguments = [str(read)]
        for name, key in records.items():
            arguments += [name, "" if key is None else key.model_dump_json()]
        where = (places.VERSION, places.KEYS, places.USED)
        return int(await asked(self._change(keys=where, args=arguments), _AWAY))

    async def end_session(self, session: str, until: datetime, now: datetime) -> None:
        """Keep that a session is over until it would be anyway."""
        where = (places.VERSION, places.ENDED)
        told = [session, str(until.timestamp()), str(now.timestamp()), str(_MOST_ENDED)]
        await asked(self._end_session(keys=where, args=told), _AWAY)

    async def used(self) -> dict[str, date]:
        """Return the latest day of use by key."""
        found = await asked(self._redis.hgetall(places.USED), _AWAY)
        return {name: date.fromisoformat(day) for name, day in found.items()}

    async def note_use(self, ids: Sequence[str], day: date) -> None:
        """Note a day of use; an earlier one than the latest changes nothing."""
        where = (places.KEYS, places.USED)
        await asked(self._note_use(keys=where, args=[day.isoformat(), *ids]), _AWAY)
