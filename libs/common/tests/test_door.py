"""Over HTTP: health before anything else, refusals in our own words, nothing of a framework."""

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from spark_common.clock import SystemClock
from spark_common.errors import UnavailableError
from spark_common.service import REGISTRY, ReadyCheck, Service
from spark_common.service.door import CutShortError, Door


class Example:
    """A service whose readiness is whatever the test says."""

    def __init__(self) -> None:
        self.reason: str | None = None

    async def ask(self) -> str | None:
        return self.reason

    def service(self) -> Service:
        routes = [
            Route("/hello/{name}", self.hello, methods=["GET"]),
            Route("/broken", self.broken),
            Route("/teapot", self.teapot),
            Route("/halfway", self.halfway),
        ]
        return Service("example", checks=[ReadyCheck("mood", self.ask)], routes=routes)

    async def hello(self, request: Request) -> Response:
        return PlainTextResponse(f"hello {request.path_params['name']}")

    async def broken(self, _request: Request) -> Response:
        raise RuntimeError("the password is hunter2")

    async def teapot(self, _request: Request) -> Response:
        raise HTTPException(418, "starlette says hi")

    async def halfway(self, _request: Request) -> Response:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"half"
            raise RuntimeError("the other half")

        return StreamingResponse(chunks())


@pytest.fixture
def door() -> Door:
    return Door("example", SystemClock())


@pytest.fixture
def example() -> Example:
    return Example()


@pytest.fixture
async def client(door: Door) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(door)
    async with httpx.AsyncClient(transport=transport, base_url="http://door") as asker:
        yield asker


async def test_before_it_is_built_it_lives_and_says_what_it_waits_for(
    client: httpx.AsyncClient, door: Door
) -> None:
    door.waiting_for = "Redis does not answer"
    assert (await client.get("/livez")).status_code == 200
    ready = await client.get("/readyz")
    assert ready.status_code == 503
    assert ready.json()["reasons"] == ["starting: Redis does not answer"]
    other = await client.get("/hello/alice")
    assert other.status_code == 503
    assert other.headers["retry-after"] == "2"
    assert other.json()["error"]["code"] == "unavailable"
    assert other.json()["error"]["retryable"] is True


async def test_readiness_is_asked_anew_each_time(
    client: httpx.AsyncClient, door: Door, example: Example
) -> None:
    door.open(example.service())
    assert (await client.get("/readyz")).json() == {
        "ready": True,
        "service": "example",
        "reasons": [],
    }
    example.reason = "grumpy"
    grumpy = await client.get("/readyz")
    assert (grumpy.status_code, grumpy.json()["reasons"]) == (503, ["mood: grumpy"])
    example.reason = None
    assert (await client.get("/readyz")).status_code == 200
    door.stopping = True
    assert (await client.get("/readyz")).status_code == 503
    assert (await client.get("/livez")).status_code == 200


async def test_a_check_that_raises_is_a_reason_and_not_a_green_light(
    client: httpx.AsyncClient, door: Door
) -> None:
    async def away() -> str | None:
        raise UnavailableError("the cellar is flooded")

    async def bug() -> str | None:
        raise KeyError("hunter2")

    door.open(Service("example", checks=[ReadyCheck("cellar", away), ReadyCheck("roof", bug)]))
    ready = await client.get("/readyz")
    assert ready.status_code == 503
    assert ready.json()["reasons"] == [
        "cellar: the cellar is flooded",
        "roof: the check itself is broken; see the log",
    ]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/hello/alice/", 404, "not_found"),
        ("DELETE", "/hello/alice", 405, "invalid_request"),
        ("POST", "/readyz", 404, "not_found"),
        ("GET", "/broken", 500, "internal"),
        ("GET", "/teapot", 418, "invalid_request"),
    ],
)
async def test_every_refusal_has_our_shape_and_leaks_nothing(
    method: str,
    path: str,
    status: int,
    code: str,
    client: httpx.AsyncClient,
    door: Door,
    example: Example,
) -> None:
    door.open(example.service())
    answer = await client.request(method, path)
    assert answer.status_code == status
    assert answer.json()["error"]["code"] == code
    for leak in ("hunter2", "starlette", "RuntimeError", "Traceback"):
        assert leak not in answer.text


async def test_an_answer_that_breaks_off_is_cut_and_not_completed(
    client: httpx.AsyncClient, door: Door, example: Example
) -> None:
    door.open(example.service())
    with pytest.raises(CutShortError):
        await client.get("/halfway")


async def test_an_application_gets_what_the_routes_do_not_take(
    client: httpx.AsyncClient, door: Door, example: Example
) -> None:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse(f"application {scope['path']}")(scope, receive, send)

    service = Service("example", routes=example.service().routes, app=application)
    door.open(service)
    assert (await client.get("/hello/bob")).text == "hello bob"
    assert (await client.get("/v1/models")).text == "application /v1/models"
    assert (await client.get("/livez")).json()["alive"] is True


async def test_requests_are_counted_by_route_and_not_by_what_they_name(
    client: httpx.AsyncClient, door: Door, example: Example
) -> None:
    door.open(example.service())
    labels = {"method": "GET", "route": "/hello/{name}", "status": "200"}
    before = REGISTRY.get_sample_value("spark_http_requests_total", labels) or 0
    for name in ("alice", "bob", "carol"):
        await client.get(f"/hello/{name}")
    await client.request("BREW", "/coffee/pot")
    assert REGISTRY.get_sample_value("spark_http_requests_total", labels) == before + 3
    shown = (await client.get("/metrics")).text
    assert "alice" not in shown
    assert "BREW" not in shown
    assert "coffee" not in shown
