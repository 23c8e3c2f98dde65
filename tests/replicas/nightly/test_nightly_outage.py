"""Ten minutes without NATS and without Redis: whoever has a key chats on as before.

``OUTAGE_SECONDS`` is how long.
"""

import asyncio
import os
import time
from collections import Counter
from pathlib import Path

import pytest
from replica_lab.place import open_place

from spark_common.testing.noting import note

pytestmark = [pytest.mark.chaos, pytest.mark.connected]
SECONDS = float(os.environ.get("OUTAGE_SECONDS", "600"))
PAUSE_SECONDS = 0.1


@pytest.mark.timeout(SECONDS + 240)
async def test_chat_with_a_key_succeeds_as_often_as_before(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    async with open_place(tmp_path, gateways=1) as place:
        key = await place.one.key("app")
        await place.known(key)

        async def statuses(seconds: float) -> Counter[int]:
            found: Counter[int] = Counter()
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                found[(await place.one.chat(key)).status_code] += 1
                await asyncio.sleep(PAUSE_SECONDS)
            return found

        before = await statuses(SECONDS / 20)
        await asyncio.gather(place.nats.kill(), place.redis.kill())
        during = await statuses(SECONDS)
        await asyncio.gather(place.nats.start(), place.redis.start())
        after = await statuses(SECONDS / 20)
    note(
        request.node,
        {"kill nats": 1, "kill redis": 1},
        seconds_without_both=round(SECONDS),
        asked_before=before.total(),
        asked_meanwhile=during.total(),
        asked_after=after.total(),
        failed=sum(found.total() - found[200] for found in (before, during, after)),
    )
    assert set(before) == set(during) == set(after) == {200}
