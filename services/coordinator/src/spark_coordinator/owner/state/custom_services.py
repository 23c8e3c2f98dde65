"""Services of the owner's own: kept through an export and an import until the product runs them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from redis.asyncio import Redis

from spark_common.redis_access import asked
from spark_coordinator.owner.state.section import Entry, Exported, SectionName, TakenIn

KEY = "sc:custom_services"
_AWAY = "the services of your own cannot be read: Redis does not answer"


class CustomServices:
    """Entries by name, as they came."""

    name: SectionName = "custom_services"

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def export(self) -> Exported:
        """Return all entries, by name."""
        found: dict[str, str] = await asked(self._redis.hgetall(KEY), _AWAY)
        return Exported([json.loads(found[name]) for name in sorted(found)])

    async def take_in(
        self, entries: Sequence[Entry], secrets: Mapping[str, str], requested_by: str
    ) -> TakenIn:
        """Keep entries that have a name."""
        named: dict[Any, Any] = {
            str(one["name"]): json.dumps(one) for one in entries if one.get("name")
        }
        if named:
            await asked(self._redis.hset(KEY, mapping=named), _AWAY)
        nameless = sum(1 for one in entries if not one.get("name"))
        warnings = [f"{nameless} services of your own have no name"] if nameless else []
        return TakenIn(len(named), warnings=warnings)
