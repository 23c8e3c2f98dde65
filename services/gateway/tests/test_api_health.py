"""The routes of health: what the service answers, and a status that stands without it."""

from datetime import UTC, datetime

import pytest

from spark_common.bus import Serving
from spark_common.contracts.health import (
    BEGIN_MAINTENANCE,
    END_MAINTENANCE,
    GET_CONNECTIVITY,
    GET_ENDPOINTS,
    GET_HEALTH,
    REPORT_HEALTH,
    Connectivity,
    Endpoint,
    Endpoints,
    HealthView,
    Maintenance,
    MaintenanceWindows,
    ReportTaken,
    TargetView,
)
from spark_common.errors import NotFoundError
from spark_common.events import HealthTransition
from spark_common.subjects import health_transition
from spark_common.testing import MemoryBus

NOW = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)


class Health:
    """The part of health that is asked."""

    def __init__(self) -> None:
        self.asked = []
        self.shown = {"state": "down", "level": "down"}

    async def health(self, request):
        view = TargetView(name="qdrant", kind="service", label="Qdrant", **self.shown)
        return HealthView(targets=[view], disabled=["magpie"], as_of=NOW)

    async def endpoints(self, request):
        one = Endpoint(
            name="qdrant", label="Qdrant", kind="vectors", host="a", port=1, url="http://a:1",
            disabled=True,
        )  # fmt: skip
        return Endpoints(endpoints=[one])

    async def connectivity(self, request):
        self.asked.append(request)
        return Connectivity(transitions=[], as_of=NOW)

    async def report(self, request):
        self.asked.append(request)
        return ReportTaken(id="r1", target="qdrant")

    async def begin(self, request):
        self.asked.append(request)
        return Maintenance(
            id="w 1", target=request.target, starts_at=NOW, ends_at=NOW, requested_by="A"
        )

    async def end(self, request):
        if request.id != "w1":
            raise NotFoundError("there is no such maintenance")
        return MaintenanceWindows(windows=[])


@pytest.fixture
async def health(bench):
    found = Health()
    verbs = (
        Serving(GET_HEALTH, found.health),
        Serving(GET_ENDPOINTS, found.endpoints),
        Serving(GET_CONNECTIVITY, found.connectivity),
        Serving(REPORT_HEALTH, found.report),
        Serving(BEGIN_MAINTENANCE, found.begin),
        Serving(END_MAINTENANCE, found.end),
    )
    await MemoryBus("health", bench.broker).serve("health", "1.0.0", "health", verbs)
    return found


async def test_status_says_how_every_target_is(bench, health):
    body = (await bench.http.get("/api/status")).json()
    assert [(one["name"], one["state"]) for one in body["targets"]] == [("qdrant", "down")]
    assert (body["watched"], body["disabled"]) == (True, ["magpie"])


async def test_status_stands_without_health_and_claims_nothing(bench):
    answer = await bench.http.get("/api/status")
    assert answer.status_code == 200
    assert (answer.json()["watched"], answer.json()["targets"]) == (False, [])


async def test_the_dashboard_is_told_when_something_changed_and_not_that_time_passes(
    bench, health, eventually
):
    bench.front.board.poke()
    await bench.front.board.fresh()
    async with bench.stream("/api/live") as client:
        await eventually(lambda: client.events)
        (one,) = client.events[0].body["health"]["targets"]
        assert one["state"] == "down"
        teller = MemoryBus("health", bench.broker)
        event = HealthTransition(
            target="qdrant", kind="service", before="down", after="up", since=NOW
        )
        health.shown = {"state": "up", "level": "up", "age_seconds": 1.0}
        await teller.publish_durable(health_transition("qdrant"), event, id="qdrant:1")
        await eventually(lambda: client.named("health"))
        (told,) = client.named("health")
        assert told.body["targets"][0]["state"] == "up"
        health.shown = {"state": "up", "level": "up", "age_seconds": 2.0}
        await teller.publish_durable(health_transition("qdrant"), event, id="qdrant:2")
        bench.swapper.begin("s1")
        await bench.swapper.step("s1", 1)
        await eventually(lambda: client.named("swaps"))
        assert len(client.named("health")) == 1


async def test_endpoints_and_the_log_are_passed_on(bench, health):
    (one,) = (await bench.http.get("/api/endpoints")).json()["endpoints"]
    assert (one["url"], one["disabled"], one["state"]) == ("http://a:1", True, None)
    answer = await bench.http.get("/api/connectivity?target=qdrant&hours=0.5&limit=7")
    assert answer.status_code == 200
    asked = health.asked[-1]
    assert (asked.target, asked.hours, asked.limit) == ("qdrant", 0.5, 7)


@pytest.mark.parametrize(
    "query", ["hours=0", "hours=-1", "hours=nan", "hours=inf", "limit=0", "limit=x", "target=a/b"]
)
async def test_a_log_nobody_can_ask_for_is_refused_here(bench, health, query):
    answer = await bench.http.get(f"/api/connectivity?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert health.asked == []


async def test_an_app_reports_in_the_form_of_the_earlier_system(bench, health):
    body = {"service": "qdrant", "ok": False, "source": "notes", "error": "HTTP 500", "ms": 12}
    answer = await bench.http.post("/api/health-event", json=body)
    assert (answer.status_code, answer.json()["target"]) == (202, "qdrant")
    assert health.asked[-1].model_dump() == body


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"service": "", "ok": True},
        {"service": "x"},
        {"service": "x", "ok": True, "ms": -1},
        {"service": "x", "ok": True, "ms": "NaN"},
        {"service": "x", "ok": True, "typo": 1},
        {"service": "x" * 201, "ok": True},
        {"service": "x", "ok": False, "error": "x" * 20_001},
    ],
)
async def test_a_report_that_says_nothing_clear_is_refused(bench, health, body):
    answer = await bench.http.post("/api/health-event", json=body)
    assert answer.status_code == 422
    assert health.asked == []


async def test_maintenance_is_announced_and_ended(bench, health):
    answer = await bench.http.post("/api/maintenance", json={"target": "spark2", "minutes": 30})
    assert answer.status_code == 201
    assert answer.headers["location"] == "/api/maintenance/w%201"
    assert (await bench.http.delete("/api/maintenance/w1")).json() == {"windows": []}
    assert (await bench.http.delete("/api/maintenance/other")).status_code == 404


async def test_without_health_the_routes_say_who_is_missing(bench):
    for path in ("/api/endpoints", "/api/connectivity", "/api/maintenance"):
        answer = await bench.http.get(path)
        assert (answer.status_code, answer.json()["code"]) == (503, "service_unavailable")
