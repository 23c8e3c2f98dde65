"""What the gateway knows of the model server without asking it."""

import asyncio
import contextlib
import json
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from spark_gateway.dataplane.meters import Meters, MetersCollector
from spark_gateway.dataplane.ports import Upstream
from spark_gateway.dataplane.watch import Served, UpstreamWatch

LISTING = {
    "object": "list",
    "data": [{"id": "tiny", "created": 7, "owned_by": "vllm", "root": "org/tiny", "x": 1}],
}


class SteppingClock:
    """Sleeping takes no time."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        await asyncio.sleep(0)


class ModelServer:
    """Answers the way it is told to."""

    def __init__(self) -> None:
        self.answer: httpx.Response | Exception = httpx.Response(200, json=LISTING)
        self.description: httpx.Response | Exception = httpx.Response(404)
        self.asked = 0
        self.described = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/openapi.json":
            self.described += 1
            if isinstance(self.description, Exception):
                raise self.description
            return self.description
        assert request.url.path == "/v1/models"
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def refusal() -> httpx.ConnectError:
    error = httpx.ConnectError("All connection attempts failed")
    error.__cause__ = ConnectionRefusedError(111, "refused")
    return error


@pytest.fixture
def clock() -> SteppingClock:
    return SteppingClock()


@pytest.fixture
def server() -> ModelServer:
    return ModelServer()


@pytest.fixture
def told() -> list[Served]:
    return []


@pytest.fixture
async def watch(clock, server, told):
    async with httpx.AsyncClient(transport=httpx.MockTransport(server)) as client:
        yield UpstreamWatch(lambda: Upstream("127.0.0.11", 8888), client, clock, told.append)


async def test_what_is_served_is_listed(watch, told) -> None:
    await watch.look()
    assert watch.served.state == "serving"
    assert [(model.id, model.created, model.root) for model in watch.models()] == [
        ("tiny", 7, "org/tiny")
    ]
    assert told == [watch.served]


async def test_nobody_listening_is_idle_and_lists_nothing(watch, server) -> None:
    await watch.look()
    server.answer = refusal()
    await watch.look()
    assert watch.served == Served("idle")
    assert watch.models() == ()


@pytest.mark.parametrize(
    "answer",
    [
        httpx.ReadTimeout("slow"),
        httpx.ConnectTimeout("slow"),
        httpx.ConnectError("no route to host"),
        httpx.RemoteProtocolError("garbage"),
        httpx.Response(503),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json={"data": "x"}),
        httpx.Response(200, text="[" * 100_000),
    ],
    ids=range(8),
)
async def test_a_failing_look_is_a_finding_and_keeps_the_last_list_a_while(
    watch, server, clock, answer
) -> None:
    await watch.look()
    server.answer = answer
    await watch.look()
    assert watch.served.state == "unreachable"
    assert watch.served.stale
    assert [model.id for model in watch.models()] == ["tiny"]
    clock.seconds += 61
    await watch.look()
    assert watch.models() == ()


async def run_for(watch: UpstreamWatch, clock: SteppingClock, seconds: float) -> None:
    end = clock.seconds + seconds
    running = asyncio.ensure_future(watch.run())
    while clock.seconds < end:
        await asyncio.sleep(0)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def test_it_looks_every_two_seconds_and_more_often_after_a_poke(watch, server, clock) -> None:
    await run_for(watch, clock, 20)
    calm, server.asked = server.asked, 0
    assert 9 <= calm <= 11
    watch.poke()
    await run_for(watch, clock, 10)
    assert 18 <= server.asked <= 21
    server.asked = 0
    await run_for(watch, clock, 20)
    assert 9 <= server.asked <= 12


async def test_where_it_answers_is_asked_once_for_each_list(watch, server, told) -> None:
    server.description = httpx.Response(200, json={"paths": {"/v1/responses": {}, "/ping": {}}})
    await watch.look()
    await watch.look()
    assert watch.served.paths == {"/v1/responses", "/ping"}
    # What is served is told before anybody is asked where.
    assert [each.paths for each in told] == [None, watch.served.paths, watch.served.paths]
    assert server.described == 1
    server.answer = httpx.Response(200, json={"data": [{"id": "other"}]})
    server.description = httpx.Response(200, text="<html>")
    await watch.look()
    assert (watch.served.paths, server.described) == (None, 2)


async def test_a_server_too_busy_to_say_its_addresses_is_asked_again_until_it_does(server, watch):
    server.description = httpx.ReadTimeout("slow")
    await watch.look()
    await watch.look()
    assert (watch.served.paths, server.described) == (None, 2)
    server.description = httpx.Response(200, json={"paths": {"/ping": {}}})
    for _ in range(3):
        await watch.look()
    assert (watch.served.paths, server.described) == ({"/ping"}, 3)


@pytest.mark.parametrize(
    ("row", "created", "length"),
    [
        ({"created": None, "max_model_len": None, "owned_by": None}, 0, None),
        ({"created": 7.9, "max_model_len": "4096"}, 7, None),
        ({"created": 1_700_000_000_000, "max_model_len": 4096}, 0, 4096),
        ({"created": -1, "root": 5, "kind": []}, 0, None),
        ({}, 0, None),
    ],
)
async def test_a_list_in_which_only_the_name_is_as_usual_is_a_list(
    watch, server, row, created, length
) -> None:
    rows = [{"id": "a/b"} | row, {"id": 5}, "x", {"id": ""}, {"id": "a/b"} | row]
    server.answer = httpx.Response(200, json={"data": rows})
    await watch.look()
    (model,) = watch.models()
    assert (model.id, model.created, model.max_model_len) == ("a/b", created, length)
    assert (model.root, model.kind, model.owned_by) == (None, None, "vllm")


@pytest.mark.parametrize("host", ["::1", "fe80::1"])
async def test_an_address_with_colons_is_asked_as_one(server, clock, host) -> None:
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        return server(request)

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        watch = UpstreamWatch(lambda: Upstream(host, 8888), client, clock)
        await watch.look()
    assert watch.served.state == "serving"
    assert set(asked) == {host}


@pytest.mark.connected
async def test_a_port_where_nobody_listens_is_idle(clock, unused_tcp_port) -> None:
    async with httpx.AsyncClient() as client:
        watch = UpstreamWatch(lambda: Upstream("127.0.0.1", unused_tcp_port), client, clock)
        await watch.look()
    assert watch.served.state == "idle"


async def test_a_real_listing_is_understood(watch, server) -> None:
    raw = Path(__file__).parent.joinpath("captures/models.txt").read_bytes()
    server.answer = httpx.Response(200, json=json.loads(raw.partition(b"\r\n\r\n")[2]))
    await watch.look()
    assert watch.served.state == "serving"
    assert watch.models()[0].max_model_len is not None


def test_meters_are_shown_to_prometheus() -> None:
    meters = Meters()
    meter = meters.upstream("llm")
    meter.total, meter.in_flight, meter.by_class[2] = 5, 2, 3
    meter.first_byte(0.04)
    meter.first_byte(1000.0)
    meters.refusal(503)
    registry = CollectorRegistry()
    registry.register(MetersCollector(meters))
    text = generate_latest(registry).decode()
    for line in (
        'spark_gateway_relay_in_flight{upstream="llm"} 2.0',
        'spark_gateway_relay_requests_total{upstream="llm"} 5.0',
        'spark_gateway_relay_answers_total{class="2xx",upstream="llm"} 3.0',
        'spark_gateway_relay_first_byte_seconds_bucket{le="0.05",upstream="llm"} 1.0',
        'spark_gateway_relay_first_byte_seconds_bucket{le="+Inf",upstream="llm"} 2.0',
        'spark_gateway_relay_refused_total{status="503"} 1.0',
    ):
        assert line in text


async def test_who_asks_after_a_poke_sees_what_the_poke_was_about(watch, server) -> None:
    running = asyncio.ensure_future(watch.run())
    await watch.up_to_date()
    server.answer = refusal()
    watch.poke()
    await watch.up_to_date()
    seen = watch.models()
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    assert seen == ()


async def test_nobody_waits_for_the_answer_of_a_spark_that_is_unplugged() -> None:
    asked, never = asyncio.Event(), asyncio.Event()

    async def unplugged(request: httpx.Request) -> httpx.Response:
        asked.set()
        await never.wait()
        raise AssertionError("it never answers")

    async with httpx.AsyncClient(transport=httpx.MockTransport(unplugged)) as client:
        watch = UpstreamWatch(lambda: Upstream("127.0.0.1", 1), client, SteppingClock())
        watching = asyncio.create_task(watch.run())
        await asked.wait()
        for poked in (False, True):
            if poked:
                watch.poke()
            # The answer never comes, so this ends by itself or not at all.
            async with asyncio.timeout(60):
                await watch.up_to_date()
        watching.cancel()
