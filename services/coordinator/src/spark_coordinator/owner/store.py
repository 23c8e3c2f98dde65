"""The owner's values in Redis: read as one version, changed from one version to the next."""

from dataclasses import dataclass

from redis.asyncio import Redis

from spark_common.owner import OwnerValues, keys
from spark_common.owner.redis_overlay import RedisOverlay
from spark_common.redis_access import asked
from spark_coordinator.owner.change import Change
from spark_coordinator.owner.scripts import CHANGE, MIGRATE

_AWAY = "Redis does not answer: the settings were not changed, or nobody can say; look again"


@dataclass(frozen=True)
class Changed:
    """A change that was made."""

    version: int
    names: tuple[str, ...]
    """What is different now; empty when all of it was so before."""


class OverlayStore:
    """Every method raises UnavailableError while Redis is away."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._overlay = RedisOverlay(redis)
        self._change = redis.register_script(CHANGE)
        self._migrate = redis.register_script(MIGRATE)

    async def read(self) -> OwnerValues:
        """Return what the owner set."""
        owner = await self._overlay.read(None)
        return owner if owner is not None else OwnerValues()

    async def newer(self, known: int | None) -> OwnerValues | None:
        """Return what the owner set, or None while its version is still ``known``."""
        return await self._overlay.read(known)

    async def change(self, change: Change, expected: int) -> Changed | None:
        """Make all of a change; None when the version is not the expected one any more."""
        where = (keys.VERSION, keys.VALUES, keys.SECRETS)
        arguments = [str(expected), change.script_argument()]
        made, version, *names = await asked(self._change(keys=where, args=arguments), _AWAY)
        return Changed(int(version), tuple(names)) if int(made) else None

    async def migrated(self) -> str | None:
        """Return the note of the migration; None while there was none."""
        note = await asked(self._redis.get(keys.MIGRATED), _AWAY)
        return None if note is None else str(note)

    async def migrate(self, change: Change, note: str) -> int | None:
        """Take old values in where the owner set none; None when that was done before."""
        where = (keys.VERSION, keys.VALUES, keys.SECRETS, keys.MIGRATED)
        arguments = [change.script_argument(), note]
        taken = int(await asked(self._migrate(keys=where, args=arguments), _AWAY))
        return None if taken < 0 else taken
