"""Where the owner's values come from: Redis, or the coordinator for who has no Redis."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from redis.asyncio import Redis

from spark_common.bus.port import Bus
from spark_common.contracts.owner_settings import READ_OVERLAY, ReadOverlay
from spark_common.owner import keys
from spark_common.redis_access import asked

_ASK_SECONDS = 1.0
_AWAY = "the settings cannot be read: Redis does not answer"
_READ = """
-- KEYS version, values, secrets; ARGV known version or '' -> {version} | {version, values, secrets}
local version = redis.call('GET', KEYS[1]) or '0'
if version == ARGV[1] then return {version} end
return {version, redis.call('HGETALL', KEYS[2]), redis.call('HGETALL', KEYS[3])}
"""


@dataclass(frozen=True)
class OwnerValues:
    """What the owner set, at one version; texts as they would stand in the environment."""

    version: int = 0
    values: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def texts(self) -> Mapping[str, str]:
        """All of them, for who reads settings."""
        return {**self.values, **self.secrets}


class OverlaySource(Protocol):
    """Gives the owner's values."""

    async def read(self, known: int | None) -> OwnerValues | None:
        """Return the values, or None while their version is still ``known``.

        Raises SparkError when nobody can say.
        """
        ...


class RedisOverlay:
    """Reads all of one version at once, or only looks whether there is another one."""

    def __init__(self, redis: Redis) -> None:
        self._script = redis.register_script(_READ)

    async def read(self, known: int | None) -> OwnerValues | None:
        """Return the values, or None while their version is still ``known``."""
        where = (keys.VERSION, keys.VALUES, keys.SECRETS)
        told = "" if known is None else str(known)
        answer = await asked(self._script(keys=where, args=[told]), _AWAY)
        if len(answer) == 1:
            return None
        version, values, secrets = answer
        return OwnerValues(int(version), _pairs(values), _pairs(secrets))


class BusOverlay:
    """Asks the coordinator. Secrets are not among its answers."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def read(self, known: int | None) -> OwnerValues | None:
        """Return the values, or None while their version is still ``known``."""
        question = ReadOverlay(known_version=known)
        overlay = await self._bus.call(READ_OVERLAY, question, timeout_seconds=_ASK_SECONDS)
        if overlay.values is None:
            return None
        return OwnerValues(overlay.version, overlay.values)


def _pairs(flat: Sequence[str]) -> dict[str, str]:
    return dict(zip(flat[::2], flat[1::2], strict=True))
