"""``/api/dead-letters`` asks the coordinator and passes on what it says."""

from datetime import UTC, datetime

import pytest

from spark_common.bus import Serving
from spark_common.contracts.dead_letters import (
    LIST_DEAD_LETTERS,
    DeadLetter,
    DeadLetters,
    ListDeadLetters,
)
from spark_common.testing import MemoryBus

LETTER = DeadLetter(
    number=3,
    at=datetime(2026, 1, 1, tzinfo=UTC),
    stream="SC_INGRESS",
    consumer="swapper-ingress",
    why="refused",
    sentence="swapper-ingress put it away: not a swap.requested.",
    action="Publish it again.",
    deliveries=1,
    message_number=9,
    subject="swap.requested",
)


async def test_it_asks_for_a_page(bench):
    asked: list[ListDeadLetters] = []

    async def answer(request: ListDeadLetters) -> DeadLetters:
        asked.append(request)
        return DeadLetters(letters=[LETTER], older_before=3)

    coordinator = MemoryBus("coordinator", bench.broker)
    await coordinator.serve("coordinator", "1", "a test", [Serving(LIST_DEAD_LETTERS, answer)])
    found = await bench.http.get("/api/dead-letters?limit=1&before=7")
    assert found.status_code == 200
    assert found.json()["letters"] == [LETTER.model_dump(mode="json")]
    assert asked == [ListDeadLetters(limit=1, before=7)]


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "before=0", "before=x"])
async def test_numbers_out_of_bounds_are_refused(bench, query):
    assert (await bench.http.get(f"/api/dead-letters?{query}")).status_code == 422


async def test_without_a_coordinator_it_is_away(bench):
    answer = await bench.http.get("/api/dead-letters")
    assert (answer.status_code, answer.json()["code"]) == (503, "service_unavailable")
