"""``/api/schedule``: what is passed on to the coordinator, and how its answers are told."""

from datetime import UTC, datetime, timedelta

import pytest

from spark_common.bus import Serving
from spark_common.contracts.schedules import (
    CHECK_IN,
    GET_CALENDAR,
    GET_SCHEDULE,
    LIST_SCHEDULES,
    PUT_SCHEDULE,
    REMOVE_SCHEDULE,
    Calendar,
    PutSchedule,
    Schedules,
    ScheduleView,
)
from spark_common.errors import (
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    UnavailableError,
)
from spark_common.testing import MemoryBus
from spark_gateway.routes import all_routes

PATH = "/api/schedule"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
NIGHTLY = {"id": "nightly", "kind": "swap", "model": "qwen", "cron": "30 2 * * *"}


class Coordinator:
    """Answers about schedules from memory."""

    def __init__(self):
        self.asked = []
        self.known = {}
        self.broken = None

    def verbs(self):
        one = (PUT_SCHEDULE, REMOVE_SCHEDULE, CHECK_IN, GET_SCHEDULE)
        return (
            *(Serving(rpc, self.view) for rpc in one),
            Serving(LIST_SCHEDULES, self.list),
            Serving(GET_CALENDAR, self.calendar),
        )

    async def view(self, request):
        self.note(request)
        if isinstance(request, PutSchedule):
            self.known[request.id] = self.known.get(request.id, 0) + 1
        if request.id not in self.known:
            raise NotFoundError(f"there is no schedule {request.id!r}")
        schedule = PutSchedule(id=request.id, every_seconds=60)
        return ScheduleView(
            schedule=schedule, created_at=NOW, revision=self.known[request.id], next_at=NOW
        )

    async def list(self, request):
        self.note(request)
        return Schedules()

    async def calendar(self, request):
        self.note(request)
        return Calendar(start=request.start, end=request.end)

    def note(self, request):
        self.asked.append(request)
        if self.broken is not None:
            raise self.broken


@pytest.fixture
async def coordinator(bench):
    found = Coordinator()
    bus = MemoryBus("coordinator", bench.broker)
    await bus.serve("coordinator", "1.0.0", "schedules", found.verbs())
    return found


async def test_a_schedule_is_registered_once_and_replaced_after_that(bench, coordinator):
    first = await bench.http.post(PATH, json=NIGHTLY)
    assert (first.status_code, first.headers["location"]) == (201, f"{PATH}/nightly")
    again = await bench.http.post(PATH, json={**NIGHTLY, "timezone": "Europe/Berlin"})
    assert again.status_code == 200
    asked = coordinator.asked[-1]
    assert (asked.id, asked.cron, asked.timezone) == ("nightly", "30 2 * * *", "Europe/Berlin")
    assert (await bench.http.get(PATH)).json() == {"schedules": []}
    assert (await bench.http.get(f"{PATH}/nightly")).json()["schedule"]["id"] == "nightly"


@pytest.mark.parametrize("path", [f"{PATH}/nightly", f"{PATH}?id=nightly"])
async def test_it_is_removed_by_path_or_query(bench, coordinator, path):
    await bench.http.post(PATH, json=NIGHTLY)
    answer = await bench.http.delete(path, params={"requested_by": "Alice", "id": "nightly"})
    assert answer.status_code == 200
    asked = coordinator.asked[-1]
    assert (asked.id, asked.requested_by) == ("nightly", "Alice")


async def test_to_remove_nothing_in_particular_is_refused(bench, coordinator):
    assert (await bench.http.delete(PATH)).status_code == 422
    assert coordinator.asked == []


async def test_a_job_checks_in(bench, coordinator):
    await bench.http.post(PATH, json=NIGHTLY)
    assert (await bench.http.post(f"{PATH}/nightly/checkin")).status_code == 200
    assert (await bench.http.post(f"{PATH}/other/checkin")).status_code == 404


@pytest.mark.parametrize(
    ("query", "start", "days"),
    [
        ("", None, 7),
        ("?from=2026-03-01T00:00:00Z", "2026-03-01T00:00:00+00:00", 7),
        ("?from=2026-03-01T00:00:00%2B01:00", "2026-03-01T00:00:00+01:00", 7),
        ("?from=2026-03-01T00:00:00+01:00", "2026-03-01T00:00:00+01:00", 7),
        (
            "?from=2026-03-01T00:00:00Z&to=2026-03-02T00:00:00Z",
            "2026-03-01T00:00:00+00:00",
            1,
        ),
    ],
)
async def test_the_calendar_is_of_the_next_week_unless_asked_otherwise(
    bench, coordinator, query, start, days
):
    answer = await bench.http.get(f"{PATH}/calendar{query}")
    assert answer.status_code == 200
    asked = coordinator.asked[-1]
    assert asked.end - asked.start == timedelta(days=days)
    if start is None:
        assert abs(asked.start - datetime.now(UTC)) < timedelta(minutes=1)
    else:
        assert asked.start == datetime.fromisoformat(start)


@pytest.mark.parametrize("query", ["from=yesterday", "to=%00", "from=9999-12-31T00:00:00Z&to=x"])
async def test_a_moment_that_is_none_is_refused(bench, coordinator, query):
    assert (await bench.http.get(f"{PATH}/calendar?{query}")).status_code == 422


async def test_the_last_moment_of_all_is_left_to_the_coordinator(bench, coordinator):
    assert (await bench.http.get(f"{PATH}/calendar?from=9999-12-31T00:00:00Z")).status_code == 200


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InvalidRequestError("say when with exactly one of cron, every_seconds and at"), 422),
        (ConflictError("500 schedules are registered"), 409),
        (UnavailableError("Redis does not answer"), 503),
    ],
)
async def test_a_refusal_is_told_as_it_is(bench, coordinator, error, status):
    coordinator.broken = error
    answer = await bench.http.post(PATH, json=NIGHTLY)
    assert (answer.status_code, answer.json()["detail"]) == (status, error.message)
    assert answer.json()["code"] == error.code


@pytest.mark.parametrize(
    "more",
    [
        {"command": "reboot"},
        {"kind": "command"},
        {"id": "a/b"},
        {"every_seconds": 1},
        {"misfire": {"policy": "always"}},
        {"misfire": {"policy": "run_once", "within_minutes": "NaN"}},
        {"duration_minutes": 0},
    ],
)
async def test_a_wrong_body_registers_nothing(bench, coordinator, more):
    assert (await bench.http.post(PATH, json={**NIGHTLY, **more})).status_code == 422
    assert coordinator.asked == []


async def test_a_page_of_another_site_may_not_schedule(bench, coordinator):
    answer = await bench.http.post(PATH, json=NIGHTLY, headers={"origin": "http://evil.example"})
    assert answer.status_code == 403
    assert coordinator.asked == []


def test_the_calendar_is_found_before_a_schedule_of_that_name():
    paths = [route.path for route in all_routes() if route.path.startswith(PATH)]
    assert paths.index(f"{PATH}/calendar") < paths.index(f"{PATH}/{{id}}")
