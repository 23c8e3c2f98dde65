"""What the gateway tells of its traffic, and its own question through a door that is closed."""

import asyncio

import pytest

from spark_common.clock import SystemClock
from spark_common.contracts.traffic import AskFirstToken, FirstToken, GetTraffic
from spark_common.plain_http import plain_client
from spark_gateway.dataplane.heads import parse_request
from spark_gateway.dataplane.own_question import OwnQuestion
from spark_gateway.dataplane.ports import Upstream
from spark_gateway.dataplane.refusals import refuse
from spark_gateway.traffic_desk import TrafficDesk

CHAT = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n"
STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def chunk(text):
    line = b"data: %b\n\n" % text
    return b"%x\r\n%b\r\n" % (len(line), line)


def token(field=b"content"):
    return chunk(b'{"choices":[{"index":0,"delta":{"%b":"Hi"}}]}' % field)


ROLE = chunk(b'{"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}')
DONE = chunk(b"[DONE]") + b"0\r\n\r\n"


class Swapping:
    """A door that says it is closed."""

    def held_off_by(self):
        return "swap-1"


@pytest.fixture
async def desk(plane):
    plane.router.refusal = refuse(b"/v1/chat/completions", 503, "model_loading", "loading")
    async with plain_client() as client:
        desk = TrafficDesk(plane.meters, Swapping(), plane.own, client, SystemClock())
        running = asyncio.create_task(desk.run())
        yield desk
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def says(plane, *pieces, heads=None):
    async def script(peer):
        head, _ = await peer.message()
        if heads is not None:
            heads.append(head)
        for piece in pieces:
            await peer.send(piece)
        await peer.closed()

    plane.upstream.script = script


@pytest.mark.parametrize("field", [b"content", b"reasoning", b"reasoning_content"])
async def test_a_token_comes_through_the_closed_door_and_the_pass_stays_here(plane, desk, field):
    heads = []
    says(plane, STREAM, ROLE, token(field), heads=heads)
    answer = await desk.ask_first_token(AskFirstToken(served_name="m"))
    assert answer == FirstToken(state="came")
    assert heads[0].startswith(b"POST /v1/chat/completions HTTP/1.1\r\n")
    assert b"pass" not in heads[0].lower()
    assert plane.router.asked[-1] == (b"POST", b"/v1/chat/completions")


async def test_an_answer_without_a_token_is_missing_and_says_why(plane, desk):
    says(plane, STREAM, ROLE, DONE)
    answer = await desk.ask_first_token(AskFirstToken(served_name="m"))
    assert (answer.state, answer.problem) == ("missing", "the answer ended without a single token")


async def test_an_error_of_the_runtime_is_the_problem(plane, desk):
    says(plane, b"HTTP/1.1 500 Oops\r\ncontent-length: 4\r\n\r\nboom")
    answer = await desk.ask_first_token(AskFirstToken(served_name="m"))
    assert (answer.state, answer.problem) == ("missing", "HTTP 500: boom")


async def test_a_slow_first_token_is_waited_for_by_asking_again_and_asked_once(plane, desk):
    go_on, asked = asyncio.Event(), []

    async def script(peer):
        asked.append(await peer.head())
        await peer.send(STREAM + ROLE)
        await go_on.wait()
        await peer.send(token())

    plane.upstream.script = script
    question = AskFirstToken(served_name="m", patience_seconds=0.02)
    assert (await desk.ask_first_token(question)).state == "waiting"
    assert (await desk.ask_first_token(question)).state == "waiting"
    go_on.set()
    patient = AskFirstToken(served_name="m")
    assert (await desk.ask_first_token(patient)).state == "came"
    assert len(asked) == 1


NOT_FOUND = b'HTTP/1.1 404 Not Found\r\ncontent-length: 22\r\n\r\n{"detail":"Not Found"}'
VECTOR = b'{"data":[{"index":0,"embedding":[0.1]}]}'


async def test_a_model_without_chat_is_asked_for_a_vector(plane, desk):
    paths = []

    async def script(peer):
        while True:
            head, _ = await peer.message()
            if not head:
                return
            paths.append(head.split()[1])
            vector = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
            vector += b"content-length: %d\r\n\r\n%b" % (len(VECTOR), VECTOR)
            await peer.send(vector if head.split()[1] == b"/v1/embeddings" else NOT_FOUND)

    plane.upstream.script = script
    assert (await desk.ask_first_token(AskFirstToken(served_name="m"))).state == "came"
    assert paths == [b"/v1/chat/completions", b"/v1/completions", b"/v1/embeddings"]
    del paths[:]
    pooling = AskFirstToken(served_name="m", pooling=True)
    assert (await desk.ask_first_token(pooling)).state == "came"
    assert paths == [b"/v1/embeddings"]


async def test_a_ranking_model_that_offers_none_of_it_has_answered(plane, desk):
    async def script(peer):
        while (await peer.message())[0]:
            await peer.send(NOT_FOUND)

    plane.upstream.script = script
    assert (await desk.ask_first_token(AskFirstToken(served_name="m"))).state == "came"


async def test_an_unknown_name_is_no_missing_route(plane, desk):
    body = b'{"error":{"message":"no such model","type":"NotFoundError","param":"model"}}'
    says(plane, b"HTTP/1.1 404 Not Found\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
    answer = await desk.ask_first_token(AskFirstToken(served_name="m"))
    assert answer.state == "missing"
    assert answer.problem.startswith("HTTP 404")


async def test_nobody_else_gets_through_and_a_wrong_pass_is_not_passed_on(plane, desk):
    answer, _ = await plane.ask(CHAT + b"x-spark-control-pass: guess\r\n\r\n{}")
    assert answer.startswith(b"HTTP/1.1 503")
    plane.router.refusal = None
    says(plane, b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}", heads=(heads := []))
    await plane.ask(CHAT + b"x-spark-control-pass: guess\r\n\r\n{}")
    assert b"guess" not in heads[0]


@pytest.mark.parametrize(
    ("request_line", "peer", "admitted"),
    [
        (b"POST /v1/chat/completions", "127.0.0.1", True),
        (b"POST /v1/embeddings", "::1", True),
        (b"POST /v1/chat/completions", "192.0.2.7", False),
        (b"POST /v1/chat/completions", None, False),
        (b"GET /v1/chat/completions", "127.0.0.1", False),
        (b"POST /v1/v1/chat/completions", "127.0.0.1", False),
        (b"POST /v1/responses", "127.0.0.1", False),
    ],
)
def test_the_pass_opens_the_questions_of_this_machine_and_nothing_else(
    request_line, peer, admitted
):
    upstream = Upstream("127.0.0.1", 1)
    own = OwnQuestion(lambda: upstream, "0.0.0.0", 9999)
    shown = own.headers["x-spark-control-pass"].encode()
    raw = b"%b HTTP/1.1\r\nhost: x\r\nx-spark-control-pass: %b\r\n\r\n" % (request_line, shown)
    assert (own.admits(parse_request(raw), peer) is upstream) is admitted


@pytest.mark.parametrize(
    ("bound", "front_door"),
    [
        ("0.0.0.0", "http://127.0.0.1:9999"),
        ("::", "http://[::1]:9999"),
        ("127.0.0.1", "http://127.0.0.1:9999"),
        ("spark-control.local", "http://spark-control.local:9999"),
    ],
)
def test_the_front_door_is_found_from_this_machine(bound, front_door):
    assert OwnQuestion(lambda: Upstream("127.0.0.1", 1), bound, 9999).front_door == front_door


async def test_the_counts_are_exact_and_include_streams(plane, desk, eventually):
    go_on = asyncio.Event()

    async def script(peer):
        await peer.message()
        await go_on.wait()
        await peer.send(STREAM + token())
        await peer.closed()

    plane.upstream.script = script
    await plane.ask(CHAT + b"\r\n{}")
    plane.router.refusal = None
    streams = [await plane.connect() for _ in range(3)]
    for stream in streams:
        await stream.send(CHAT + b"\r\n{}")
    await eventually(lambda: plane.meters.in_flight("llm") == 3)
    now = await desk.traffic(GetTraffic())
    assert (now.in_flight, now.waiting, now.models) == (3, 3, {"a-model": 3})
    assert (now.refused, now.held_off_by) == (1, "swap-1")
    go_on.set()
    for stream in streams:
        await stream.head()
    now = await desk.traffic(GetTraffic())
    assert (now.in_flight, now.waiting) == (3, 0)
    for stream in streams:
        stream.reset()
    await eventually(lambda: plane.meters.in_flight("llm") == 0)
    now = await desk.traffic(GetTraffic())
    assert (now.in_flight, now.waiting, now.models) == (0, 0, {})
