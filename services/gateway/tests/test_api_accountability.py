"""``GET /api/accountability``: the coordinator's answer, and its absence as a problem."""

from datetime import date

import pytest

from spark_common.bus import Serving
from spark_common.contracts.accountability import (
    GET_ACCOUNTABILITY,
    Accountability,
    HolderAccount,
    HolderDay,
)
from spark_common.errors import UnavailableError
from spark_common.testing import MemoryBus

PATH = "/api/accountability"


class Coordinator:
    """The part of a coordinator that keeps accounts."""

    def __init__(self) -> None:
        self.asked = []
        self.broken = None

    async def answer(self, request):
        self.asked.append(request.days)
        if self.broken is not None:
            raise self.broken
        day = HolderDay(day=date(2026, 1, 2), held_minutes=60, idle_minutes=45.5, swaps=1)
        alice = HolderAccount(holder="Alice", leases=1, held_minutes=60, days=[day])
        return Accountability(
            since=date(2026, 1, 1), until=date(2026, 1, 2), holders=[alice], free_minutes=30
        )


@pytest.fixture
async def coordinator(bench) -> Coordinator:
    found = Coordinator()
    verbs = (Serving(GET_ACCOUNTABILITY, found.answer),)
    await MemoryBus("coordinator", bench.broker).serve("coordinator", "1.0.0", "accounts", verbs)
    return found


@pytest.mark.parametrize(("query", "days"), [("", 7), ("?days=1", 1), ("?days=400", 400)])
async def test_the_days_are_asked_for(bench, coordinator, query, days):
    answer = await bench.http.get(PATH + query)
    assert answer.status_code == 200
    assert coordinator.asked == [days]
    (holder,) = answer.json()["holders"]
    assert (holder["holder"], holder["days"][0]["idle_minutes"]) == ("Alice", 45.5)


@pytest.mark.parametrize("query", ["?days=0", "?days=401", "?days=-1", "?days=x", "?days="])
async def test_what_is_no_number_of_days_is_refused_here(bench, coordinator, query):
    answer = await bench.http.get(PATH + query)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert coordinator.asked == []


async def test_a_file_that_cannot_be_used_is_503_with_the_reason(bench, coordinator):
    coordinator.broken = UnavailableError("The accounts cannot be kept in /data")
    answer = await bench.http.get(PATH)
    assert answer.status_code == 503
    assert answer.json()["detail"] == "The accounts cannot be kept in /data"


async def test_without_a_coordinator_it_is_503(bench):
    answer = await bench.http.get(PATH)
    assert (answer.status_code, answer.json()["code"]) == (503, "service_unavailable")
