"""The routes of the Sparks as machines: passed on, refused here when they make no sense."""

from datetime import UTC, datetime

import pytest

from spark_common.bus import Serving
from spark_common.contracts.access import GET_ACCESS, TRY_ACCESS, Access, AccessTest
from spark_common.contracts.hardware import (
    GET_ADVICE,
    GET_HARDWARE,
    TURN_OFF,
    WAKE_HOST,
    Advice,
    Hardware,
    HostHardware,
    TurnedOff,
    WakeAttempt,
)
from spark_common.errors import ConflictError
from spark_common.testing import MemoryBus

NOW = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)


class Hosts:
    """The part of health that is asked."""

    def __init__(self) -> None:
        self.asked = []

    async def hardware(self, request):
        self.asked.append(request)
        one = HostHardware(name="spark1", label="Spark 1", address="a", answering="dead")
        return Hardware(hosts=[one], as_of=NOW)

    async def advice(self, request):
        return Advice(findings=[], checks=["clock_skew"], as_of=NOW)

    async def wake(self, request):
        self.asked.append(request)
        return WakeAttempt(
            state="waiting", sentence="Sent.", via="spark2", sent_at=NOW, until=NOW,
            requested_by=request.requested_by,
        )  # fmt: skip

    async def access(self, request):
        return Access(public_key="ssh-ed25519 AAAA spark-control", hosts=[])

    async def attempt(self, request):
        self.asked.append(request)
        return AccessTest(name=request.name, label="a", ok=False, steps=[], seconds=1.0, at=NOW)

    async def off(self, request):
        self.asked.append(request)
        if request.action == "reboot":
            raise ConflictError("Spark 1 has no sudo rule for this.")
        return TurnedOff(name=request.name, action=request.action, sentence="Off.")


@pytest.fixture
async def hosts(bench):
    found = Hosts()
    verbs = (
        Serving(GET_HARDWARE, found.hardware),
        Serving(GET_ADVICE, found.advice),
        Serving(WAKE_HOST, found.wake),
        Serving(TURN_OFF, found.off),
        Serving(GET_ACCESS, found.access),
        Serving(TRY_ACCESS, found.attempt),
    )
    await MemoryBus("health", bench.broker).serve("health", "1.0.0", "health", verbs)
    return found


async def test_hardware_and_advice_are_passed_on(bench, hosts):
    answer = await bench.http.get("/api/hardware?host=spark1&host=spark2&history=week")
    assert [(one["name"], one["answering"]) for one in answer.json()["hosts"]] == [
        ("spark1", "dead")
    ]
    assert (hosts.asked[-1].hosts, hosts.asked[-1].history) == (["spark1", "spark2"], "week")
    assert (await bench.http.get("/api/hardware")).status_code == 200
    assert (hosts.asked[-1].hosts, hosts.asked[-1].history) == ([], None)
    assert (await bench.http.get("/api/advice")).json()["checks"] == ["clock_skew"]


async def test_our_key_is_told_and_a_login_is_tried(bench, hosts):
    told = (await bench.http.get("/api/access")).json()
    assert told["public_key"] == "ssh-ed25519 AAAA spark-control"
    answer = await bench.http.post("/api/access/spark1/test", json={})
    assert (answer.status_code, answer.json()["ok"]) == (200, False)
    assert hosts.asked[-1].name == "spark1"
    assert (await bench.http.post("/api/access/a%20b/test", json={})).status_code == 422


async def test_a_spark_is_woken_and_turned_off_with_its_name_repeated(bench, hosts):
    answer = await bench.http.post("/api/spark/spark1/wake", json={"requested_by": "Alice"})
    assert (answer.status_code, answer.json()["via"]) == (202, "spark2")
    assert hosts.asked[-1].requested_by == "Alice"
    answer = await bench.http.post("/api/spark/spark1/shutdown", json={"confirm": "spark1"})
    assert (answer.status_code, hosts.asked[-1].action) == (202, "shutdown")
    answer = await bench.http.post("/api/spark/spark1/reboot", json={"confirm": "spark1"})
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("wake", {"typo": 1}),
        ("shutdown", {}),
        ("shutdown", {"confirm": "a b"}),
        ("reboot", {"confirm": "spark1", "force": True}),
    ],
)
async def test_an_order_that_says_nothing_clear_is_refused_here(bench, hosts, path, body):
    answer = await bench.http.post(f"/api/spark/spark1/{path}", json=body)
    assert answer.status_code == 422
    assert hosts.asked == []


@pytest.mark.parametrize("query", ["history=year", "host=", "host=a%20b", "host=%24(id)"])
async def test_a_question_nobody_can_ask_is_refused_here(bench, hosts, query):
    answer = await bench.http.get(f"/api/hardware?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


async def test_without_health_the_routes_say_who_is_missing(bench):
    for path in ("/api/hardware", "/api/advice"):
        answer = await bench.http.get(path)
        assert (answer.status_code, answer.json()["code"]) == (503, "service_unavailable")
