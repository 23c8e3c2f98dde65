"""What is kept of a model beside its recipe, in a real Redis."""

import pytest

from spark_common.clock import SystemClock
from spark_common.contracts.models import LastTest
from spark_common.contracts.plans import Quarantine
from spark_common.errors import UnavailableError
from spark_common.redis_access import connect_redis
from spark_swapper.adapters.redis_records import RedisRecords

pytestmark = pytest.mark.connected


async def test_notes_about_models_live_in_redis(redis_server):
    redis = connect_redis(redis_server.settings, "swapper", idempotent_reads=True)
    records, at = RedisRecords(redis), SystemClock().now()
    test = LastTest(kind="test", verdict="good", sentence="Well.", at=at)
    held = Quarantine(reason="It took Spark 1 down.", since=at.isoformat(), host="spark1")
    try:
        assert await records.notes([]) == {}
        await records.keep_test("m", test)
        await records.quarantine("m", held)
        await records.quarantine("m", Quarantine(reason="Another.", since="later"))
        notes = await records.notes(["m", "other"])
        assert (notes["m"].test, notes["m"].quarantine) == (test, held)
        assert (notes["other"].test, notes["other"].quarantine) == (None, None)
        assert 89 * 86_400 < await redis.ttl("sc:model:test:m") <= 90 * 86_400
        assert await redis.ttl("sc:model:quarantine:m") == -1
        await redis.set("sc:model:quarantine:odd", "not json")
        assert (await records.notes(["odd"]))["odd"].quarantine is not None
        assert await records.release("m") == held
        assert await records.release("m") is None
        await redis_server.kill()
        with pytest.raises(UnavailableError):
            await records.notes(["m"])
    finally:
        await redis.aclose()
        await redis_server.start()
