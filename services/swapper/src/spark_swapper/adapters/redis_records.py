"""Notes about models in Redis: the latest test or load, and the quarantine."""

from collections.abc import Mapping, Sequence

from pydantic import ValidationError
from redis.asyncio import Redis

from spark_common.contracts.models import LastTest
from spark_common.contracts.plans import Quarantine
from spark_common.redis_access import asked
from spark_swapper import keys as names
from spark_swapper.guarding.records import ModelNote

_TEST_SECONDS = 90 * 24 * 3600
_AWAY = "the notes about models cannot be read: Redis is away"


class RedisRecords:
    """The store of notes; one string per model and kind."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def notes(self, keys: Sequence[str]) -> Mapping[str, ModelNote]:
        """Return what is known of these models; all of them in one round trip."""
        if not keys:
            return {}
        wanted = [names.model_test(key) for key in keys]
        wanted += [names.model_quarantine(key) for key in keys]
        found: list[str | None] = await asked(self._redis.mget(wanted), _AWAY)
        return {
            key: ModelNote(_test(found[at]), _quarantine(found[at + len(keys)]))
            for at, key in enumerate(keys)
        }

    async def keep_test(self, key: str, test: LastTest) -> None:
        """Remember the latest test or load, for ninety days."""
        await asked(
            self._redis.set(names.model_test(key), test.model_dump_json(), ex=_TEST_SECONDS), _AWAY
        )

    async def quarantine(self, key: str, quarantine: Quarantine) -> None:
        """Remember that a model may not be loaded; the first reason stays."""
        record = quarantine.model_dump_json()
        await asked(self._redis.set(names.model_quarantine(key), record, nx=True), _AWAY)

    async def release(self, key: str) -> Quarantine | None:
        """Forget it and return what it was; None when there was none."""
        return _quarantine(await asked(self._redis.getdel(names.model_quarantine(key)), _AWAY))


def _test(record: str | None) -> LastTest | None:
    try:
        return LastTest.model_validate_json(record) if record is not None else None
    except ValidationError:
        return None


def _quarantine(record: str | None) -> Quarantine | None:
    try:
        return Quarantine.model_validate_json(record) if record is not None else None
    except ValidationError:
        # Whoever wrote it meant that this model is dangerous.
        return Quarantine(reason="The reason cannot be read any more.", since="")
