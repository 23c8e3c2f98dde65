"""``/api/requests/capture``: switched on and off, read, and said wherever the state is said."""

from datetime import UTC, datetime

import pytest

from spark_common.bus import Serving
from spark_common.contracts.captures import (
    BEGIN_CAPTURE,
    END_CAPTURE,
    GET_CAPTURE,
    READ_CAPTURE,
    BeginCapture,
    Capture,
    CaptureView,
)
from spark_common.errors import NotFoundError
from spark_common.testing import MemoryBus

PATH = "/api/requests/capture"
UNTIL = datetime(2026, 1, 1, 0, 10, tzinfo=UTC)


class Coordinator:
    """The part of a coordinator that keeps captured bodies."""

    def __init__(self) -> None:
        self.view = CaptureView()
        self.orders: list[BeginCapture] = []
        self.answered = b"HTTP/1.1 200 OK\r\n\r\n{}"
        self.answered_bytes = 21

    async def get(self, _request) -> CaptureView:
        return self.view

    async def begin(self, request: BeginCapture) -> CaptureView:
        self.orders.append(request)
        self.view = CaptureView(on=True, until=UNTIL, requested_by=request.requested_by)
        return self.view

    async def end(self, _request) -> CaptureView:
        self.view = CaptureView()
        return self.view

    async def read(self, request) -> Capture:
        if request.id != "req-1":
            raise NotFoundError("of this request no bodies are kept")
        return Capture.model_construct(
            id="req-1",
            at=UNTIL,
            path="/v1/completions",
            until=UNTIL,
            asked=b'{"prompt":"x"}',
            asked_bytes=14,
            answered=self.answered,
            answered_bytes=self.answered_bytes,
        )


@pytest.fixture
async def coordinator(bench) -> Coordinator:
    found = Coordinator()
    verbs = (
        Serving(GET_CAPTURE, found.get),
        Serving(BEGIN_CAPTURE, found.begin),
        Serving(END_CAPTURE, found.end),
        Serving(READ_CAPTURE, found.read),
    )
    await MemoryBus("coordinator", bench.broker).serve("coordinator", "1.0.0", "bodies", verbs)
    return found


async def test_it_is_switched_on_for_a_time_shown_and_switched_off(bench, coordinator):
    assert (await bench.http.get(PATH)).json()["on"] is False
    order = {"minutes": 5, "kilobytes": 8, "requested_by": "Alice"}
    answer = await bench.http.post(PATH, json=order)
    assert (answer.status_code, answer.json()["on"]) == (200, True)
    assert coordinator.orders == [BeginCapture(**order)]
    status = (await bench.http.get("/api/status")).json()
    assert (status["capture"]["on"], status["capture"]["requested_by"]) == (True, "Alice")
    assert (await bench.http.delete(PATH)).json()["on"] is False
    assert (await bench.http.get("/api/status")).json()["capture"]["on"] is False


@pytest.mark.parametrize(
    "order",
    [{"minutes": 0}, {"minutes": 61}, {"kilobytes": 257}, {"minutes": "x"}, {"forever": True}],
)
async def test_what_has_no_bound_is_refused(bench, coordinator, order):
    answer = await bench.http.post(PATH, json=order)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert coordinator.orders == []


async def test_a_page_of_another_site_cannot_switch_it_on(bench, coordinator):
    answer = await bench.http.post(PATH, json={}, headers={"origin": "http://evil.example"})
    assert answer.status_code == 403
    assert coordinator.orders == []


@pytest.mark.parametrize(
    ("raw", "size", "text", "is_base64"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n{}", 21, "HTTP/1.1 200 OK\r\n\r\n{}", False),
        ("grün".encode()[:3], 100, "gr", False),
        (b"\xff\xfe\xff\xfe", 4, None, True),
        (b"\xff\xfe\xff\xfe\xff\xfe", 100, None, True),
        (b"", 0, "", False),
    ],
)
async def test_bodies_are_text_where_they_are_some(bench, coordinator, raw, size, text, is_base64):
    coordinator.answered, coordinator.answered_bytes = raw, size
    found = await bench.http.get("/api/requests/req-1/capture")
    assert found.headers["cache-control"] == "no-store"
    answered = found.json()["answered"]
    assert (answered["text"], answered["bytes"]) == (text, size)
    assert answered["cut"] == (len(raw) < size)
    assert (answered["base64"] is not None) == is_base64
    assert found.json()["asked"]["text"] == '{"prompt":"x"}'


async def test_what_is_not_kept_is_404(bench, coordinator):
    answer = await bench.http.get("/api/requests/req-2/capture")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
