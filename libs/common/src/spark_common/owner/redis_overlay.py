"""The owner's values, read where they are kept."""

from collections.abc import Sequence

from redis.asyncio import Redis

from spark_common.owner import keys
from spark_common.owner.overlay import OwnerValues
from spark_common.redis_access import asked

_AWAY = "the settings cannot be read: Redis does not answer"
_READ = """
-- KEYS version, values, secrets; ARGV known version or '' -> {version} | {version, values, secrets}
local version = redis.call('GET', KEYS[1]) or '0'
if version == ARGV[1] then return {version} end
return {version, redis.call('HGETALL', KEYS[2]), redis.call('HGETALL', KEYS[3])}
"""


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


def _pairs(flat: Sequence[str]) -> dict[str, str]:
    return dict(zip(flat[::2], flat[1::2], strict=True))
