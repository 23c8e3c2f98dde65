"""``/api/services`` and the bridge: what is passed on, refused at the door, and followed."""

from datetime import UTC, datetime

import pytest

from spark_common.bus import Serving
from spark_common.contracts.jobs import JobState
from spark_common.contracts.services import (
    ACT_ON_SERVICE,
    GET_BRIDGE,
    LIST_SERVICES,
    READ_SERVICE_LOG,
    REMOVE_SERVICE,
    SAVE_SERVICE,
    UPDATE_BRIDGE,
    BridgeUpdateView,
    BridgeView,
    ServiceActed,
    ServiceLog,
    ServiceRemoved,
    Services,
    ServiceView,
)
from spark_common.errors import NotFoundError, RemoteCommandError, UnavailableError
from spark_common.testing import FakeClock, MemoryBus

MARK = "2026-11-27T00:00:01.000000000Z+1"
NOW = datetime(2026, 11, 27, tzinfo=UTC)
KOKORO = ServiceView(
    name="kokoro", label="Voice", kind="text_to_speech", origin="built_in", state="up"
)


class FakeServices:
    """Answers about services from memory."""

    def __init__(self):
        self.asked = []
        self.pages = []
        self.fails = None

    async def list(self, request):
        self.asked.append(request)
        if request.name not in (None, "kokoro"):
            raise NotFoundError(f"there is no service {request.name!r}")
        return Services(services=[KOKORO], as_of=NOW)

    async def save(self, request):
        self.asked.append(request)
        return KOKORO.model_copy(update={"name": request.name, "origin": "custom"})

    async def remove(self, request):
        self.asked.append(request)
        return ServiceRemoved(name=request.name, message="Gone.")

    async def act(self, request):
        self.asked.append(request)
        if self.fails is not None:
            raise self.fails
        return ServiceActed(
            name=request.name, action=request.action, container="kokoro", state="running",
            message="Done.", at=NOW,
        )  # fmt: skip

    async def log(self, request):
        self.asked.append(request)
        if self.fails is not None:
            raise self.fails
        return self.pages.pop(0) if self.pages else ServiceLog(name=request.name, next=MARK)

    async def bridge(self, request):
        return BridgeView(service=KOKORO)

    async def update(self, request):
        self.asked.append(request)
        return BridgeUpdateView(
            id=request.id, requested_by=request.requested_by, state=JobState.RUNNING,
            step="fetching", created_at=NOW, host="spark1", container="matrix-bridge",
        )  # fmt: skip


async def answering(broker):
    made = FakeServices()
    verbs = (
        Serving(LIST_SERVICES, made.list), Serving(SAVE_SERVICE, made.save),
        Serving(REMOVE_SERVICE, made.remove), Serving(ACT_ON_SERVICE, made.act),
        Serving(READ_SERVICE_LOG, made.log), Serving(GET_BRIDGE, made.bridge),
        Serving(UPDATE_BRIDGE, made.update),
    )  # fmt: skip
    await MemoryBus("health", broker).serve("services", "1.0.0", "Services of tests", verbs)
    return made


@pytest.fixture
async def fake(bench):
    return await answering(bench.broker)


async def test_who_why_and_the_key_go_on_and_the_outcome_comes_back(bench, fake):
    assert (await bench.http.get("/api/services")).json()["services"][0]["name"] == "kokoro"
    assert (await bench.http.get("/api/services/kokoro")).json()["state"] == "up"
    assert (await bench.http.get("/api/services/nobody")).status_code == 404
    for path in ("/api/services/kokoro", "/api/matrix-bridge"):
        for action in ("start", "stop", "restart"):
            answer = await bench.http.post(
                f"{path}/{action}", json={"requested_by": "Alice", "reason": "loud"},
                headers={"idempotency-key": "once"},
            )  # fmt: skip
            asked = fake.asked[-1]
            assert answer.status_code == 200
            assert (asked.name, asked.action) == (path.rpartition("/")[2], action)
            assert (asked.requested_by, asked.reason, asked.id) == ("Alice", "loud", "once")
    assert (await bench.http.post("/api/services/kokoro/stop")).status_code == 200
    fake.fails = RemoteCommandError("docker on Spark 1 refused")
    refused = await bench.http.post("/api/services/kokoro/start")
    assert (refused.status_code, "refused" in refused.text) == (502, True)
    made = await bench.http.post(
        "/api/services", json={"name": "comfy", "kind": "http", "port": 8188}
    )
    assert (made.status_code, made.headers["location"]) == (201, "/api/services/comfy")
    await bench.http.delete("/api/services/comfy?requested_by=Bob&reason=old")
    assert (fake.asked[-1].requested_by, fake.asked[-1].reason) == ("Bob", "old")
    begun = await bench.http.post("/api/matrix-bridge/update", headers={"idempotency-key": "u1"})
    assert (begun.status_code, begun.headers["location"]) == (202, "/api/matrix-bridge/jobs/u1")
    assert (await bench.http.get("/api/matrix-bridge")).json()["service"]["name"] == "kokoro"


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "-v"}, {"name": "a b"}, {"name": "A"}, {"name": "a$(id)"}, {"name": "a/b"},
        {"kind": "ftp"}, {"port": 0}, {"port": "80; id"}, {"host": "a;id"}, {"host": "-oProxy=x"},
        {"user": "$(id)"}, {"user": "-l"}, {"container": "-v"}, {"container": "a\nb"},
        {"container": "a b"}, {"path": "http://elsewhere"}, {"path": "/a b"},
        {"label": "a\u0000b"}, {"no_such_field": 1},
    ],
)  # fmt: skip
async def test_what_is_no_field_is_refused_at_the_door(bench, fake, fields):
    body = {"name": "comfy", "kind": "http", "port": 8188} | fields
    assert (await bench.http.post("/api/services", json=body)).status_code in (400, 422)
    assert fake.asked == []


@pytest.mark.parametrize(
    "path",
    ["/api/services/kokoro/logs?tail=0", "/api/services/kokoro/logs?tail=99999",
     "/api/services/kokoro/logs?after=yesterday", "/api/services/a%20b/logs",
     "/api/services/kokoro/logs?after=2026-11-27T00:00:00Z;id"],
)  # fmt: skip
async def test_what_is_no_place_in_a_log_is_refused(bench, fake, path):
    assert (await bench.http.get(path)).status_code == 422
    assert fake.asked == []


async def test_a_log_is_followed_from_where_the_reader_was_until_it_ends(make_bench, eventually):
    clock = FakeClock()
    async with make_bench(clock=clock) as bench:
        fake = await answering(bench.broker)
        fake.pages = [
            ServiceLog(name="kokoro", lines=["one"], next=MARK),
            ServiceLog(name="kokoro", next=MARK),
            ServiceLog(name="kokoro", lines=["two"], next=MARK, skipped=True),
        ]

        async def passes(condition) -> None:
            for _ in range(600):
                if condition():
                    return
                await clock.advance(2.0)
            raise AssertionError("it never came")

        path = "/api/services/kokoro/logs/stream"
        async with bench.stream(path, last_event_id=MARK) as client:
            await passes(lambda: len(client.named("lines")) == 2)
            one, two = client.named("lines")
            assert (one.id, one.body) == (MARK, {"lines": ["one"], "skipped": False})
            assert two.body == {"lines": ["two"], "skipped": True}
            assert {asked.after for asked in fake.asked} == {MARK}
            fake.fails = UnavailableError("Spark 1 does not answer")
            await clock.advance(4.0)
            assert not client.ended
            fake.fails = NotFoundError("there is no service")
            await passes(lambda: client.ended)
            assert client.events[-1].body["code"] == "not_found"
        fake.fails, fake.pages = None, []
        async with bench.stream(path) as client:
            await passes(lambda: client.ended or client.named("end"))
            assert "15 minutes" in client.events[-1].body["message"]
        followers = [bench.stream(path) for _ in range(9)]
        for client in followers:
            await client.__aenter__()
        assert [client.status for client in followers] == [200] * 8 + [429]
        for client in followers:
            await client.__aexit__()
        async with bench.stream(path) as client:
            assert client.status == 200


async def test_what_is_refused_at_once_is_an_answer_and_not_a_stream(bench, fake):
    fake.fails = UnavailableError("docker on Spark 1 does not answer")
    answer = await bench.http.get("/api/services/kokoro/logs/stream")
    assert (answer.status_code, "docker" in answer.text) == (503, True)
