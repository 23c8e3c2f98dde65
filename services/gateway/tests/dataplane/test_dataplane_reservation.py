"""While the lease binds requests: who is kept off, how it is told, and that others pass as ever."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from spark_common.contracts.leases import LeaseView
from spark_common.testing.documents import shown_answer
from spark_gateway.dataplane.choosing import ModelChooser
from spark_gateway.dataplane.reservation import Reservation

NOW = datetime(2026, 1, 1, 13, 30, tzinfo=UTC)
CHAT = b"/v1/chat/completions"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"


class StandingClock:
    """Says what time it is."""

    def now(self) -> datetime:
        return NOW


def held(**facts) -> LeaseView:
    defaults = {
        "state": "held",
        "holder": "nightly batch",
        "reason": "a private matter",
        "epoch": 3,
        "remaining_seconds": 1800.0,
    }
    return LeaseView(**{**defaults, **facts})


class Lease:
    """What is held and loaded, as the test says."""

    def __init__(self) -> None:
        self.view: LeaseView | None = held()
        self.loaded = frozenset({"qwen", "org/qwen-30b", "qwen-served"})

    def reservation(self) -> Reservation:
        return Reservation(lambda: self.view, lambda: self.loaded, StandingClock())

    def chooser(self, plane) -> ModelChooser:
        """One that knows no model by itself: the lease alone decides."""
        return plane.choose_with(self.reservation())


@pytest.fixture
def lease() -> Lease:
    return Lease()


@pytest.mark.parametrize(
    ("named", "passes"),
    [
        ("qwen", True),
        ("QWEN", True),
        (" Qwen ", True),
        ("Org/Qwen-30B", True),
        ("qwen-served", True),
        ("auto", True),
        ("AUTO", True),
        ("", True),
        (None, True),
        ("qwen3", False),
        ("gpt-oss", False),
    ],
)
def test_who_is_kept_off(lease, named, passes):
    refusal = lease.reservation().refusal(CHAT, named)
    assert (refusal is None) is passes


@pytest.mark.parametrize("unknown", ["the lease", "what is loaded"])
def test_what_nobody_knows_keeps_nobody_off(lease, unknown):
    if unknown == "the lease":
        lease.view = None
    else:
        lease.loaded = frozenset()
    assert lease.reservation().refusal(CHAT, "gpt-oss") is None


def test_without_a_lease_no_body_is_looked_at(lease):
    lease.view = None
    assert not lease.reservation().binds


@pytest.mark.parametrize(
    ("view", "retry_after", "should", "expires_at", "says"),
    [
        (held(), b"60", b"false", "2026-01-01T14:00:00+00:00", "until 2026-01-01 14:00 UTC"),
        (held(remaining_seconds=61), b"60", b"false", "2026-01-01T13:31:01+00:00", "until"),
        (held(remaining_seconds=59.2), b"60", b"true", "2026-01-01T13:30:59+00:00", "until"),
        (held(remaining_seconds=0.1), b"1", b"true", "2026-01-01T13:30:00+00:00", "until"),
        (
            held(state="granted", remaining_seconds=20),
            b"60",
            b"false",
            "2026-01-01T13:30:20+00:00",
            "until",
        ),
        (held(state="draining", remaining_seconds=20), b"15", b"true", None, "about to be free"),
        (held(remaining_seconds=None), b"60", b"false", None, "reserved by nightly batch;"),
    ],
    ids=["long", "just too long", "short", "over at once", "granted", "draining", "no end"],
)
def test_when_to_come_back(lease, view, retry_after, should, expires_at, says):
    lease.view = view
    refusal = lease.reservation().refusal(CHAT, "gpt-oss")
    headers = dict(refusal.headers)
    assert (headers[b"retry-after"], headers[b"x-should-retry"]) == (retry_after, should)
    body = json.loads(refusal.body)
    assert body["reservation"] == {
        "holder": "nightly batch",
        "state": view.state,
        "expires_at": expires_at,
    }
    assert says in body["error"]["message"]
    assert b"private" not in refusal.body


def test_the_page_shows_what_is_said(lease):
    shown = shown_answer(Path(__file__).parents[4], "docs/api/reservation.md")
    lease.view = held(remaining_seconds=1800)
    assert shown == json.loads(lease.reservation().refusal(CHAT, "gpt-oss").body)


def test_each_dialect_has_its_own_words(lease):
    reservation = lease.reservation()
    openai = json.loads(reservation.refusal(CHAT, "gpt-oss").body)
    assert openai["error"]["code"] == "gpu_reserved"
    assert openai["error"]["param"] == "model"
    anthropic = json.loads(reservation.refusal(b"/v1/messages", "gpt-oss").body)
    assert anthropic["type"] == "error"
    assert anthropic["error"]["type"] == "overloaded_error"
    assert anthropic["code"] == "gpu_reserved"
    assert anthropic["reservation"]["holder"] == "nightly batch"


def post(body: bytes, path: bytes = CHAT, more: bytes = b"") -> bytes:
    head = b"POST %b HTTP/1.1\r\nHost: g\r\n%bContent-Length: %d\r\n\r\n"
    return head % (path, more, len(body)) + body


def chunked(body: bytes, size: int = 7) -> bytes:
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return (
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
        + b"0\r\n\r\n"
    )


def naming(model: str, *, filling: int = 0, last: bool = True) -> bytes:
    content = {"messages": [{"role": "user", "content": "x" * filling}]}
    body = {**content, "model": model} if last else {"model": model, **content}
    return json.dumps(body).encode()


connected = pytest.mark.connected


@pytest.fixture
def reserved(plane, lease):
    plane.chooser = lease.chooser(plane)
    plane.upstream.script = lambda peer: plane.upstream.serve(peer, OK)
    return plane


@connected
@pytest.mark.parametrize("write", [post, chunked], ids=["length", "chunked"])
@pytest.mark.parametrize("filling", [0, 60_000, 3_000_000], ids=["small", "kept", "huge"])
@pytest.mark.parametrize("last", [True, False], ids=["named last", "named first"])
async def test_another_model_is_refused_and_never_reaches_the_server_whole(
    reserved, eventually, write, filling, last
):
    client = await reserved.connect()
    size = {"size": 50_000} if write is chunked and filling > 1000 else {}
    await client.send(write(naming("gpt-oss", filling=filling, last=last), **size))
    head, body = await client.message()
    assert head.startswith(b"HTTP/1.1 503")
    assert json.loads(body)["error"]["code"] == "gpu_reserved"
    assert reserved.upstream.bodies == []
    assert reserved.upstream.connections == 0
    meter = reserved.meters.upstream("llm")
    assert (meter.in_flight, meter.waiting, meter.total, meter.aborted) == (0, 0, 0, 0)
    # The connection is as good as before for whoever asks for what is loaded.
    await client.send(write(naming("qwen", filling=filling, last=last), **size))
    assert (await client.message())[0].startswith(b"HTTP/1.1 200")
    assert len(reserved.upstream.bodies) == 1
    assert reserved.upstream.bodies[0] == naming("qwen", filling=filling, last=last)


@connected
@pytest.mark.parametrize(
    "body",
    [
        naming("auto"),
        b'{"messages":[]}',
        b'{"model":null}',
        b"not json",
        b'["model","gpt-oss"]',
        b'{"messages":[{"model":"gpt-oss"}]}',
        b'{"model":"gpt-oss","model":"qwen"}',
        b'{"model":"gpt-oss"',
    ],
)
async def test_what_names_no_other_model_passes_byte_for_byte(reserved, body):
    client = await reserved.connect()
    for at in range(0, len(post(body)), 9):
        await client.send(post(body)[at : at + 9])
    assert (await client.message())[0].startswith(b"HTTP/1.1 200")
    assert reserved.upstream.bodies == [body]


@connected
@pytest.mark.parametrize(("model", "status"), [("gpt-oss", b"503"), ("qwen", b"200")])
async def test_a_form_names_a_model_like_json_does(reserved, model, status):
    form = (
        b'--b\r\ncontent-disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
        + b"\x00\r\n" * 100
        + b'\r\n--b\r\nContent-Disposition: form-data; name="model"\r\n\r\n'
        + model.encode()
        + b"\r\n--b--\r\n"
    )
    kind = b"Content-Type: multipart/form-data; boundary=b\r\n"
    head, _ = await reserved.ask(post(form, b"/v1/anything", kind))
    assert head.split()[1] == status


@connected
async def test_requests_without_a_body_pass(reserved):
    head, _ = await reserved.ask(b"GET /v1/x HTTP/1.1\r\nHost: g\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")


@connected
async def test_a_lease_that_ends_during_the_upload_keeps_nobody_off(reserved, lease):
    client = await reserved.connect()
    request = post(naming("gpt-oss"))
    await client.send(request[:-5])
    await asyncio.sleep(0.02)
    lease.view = None
    await client.send(request[-5:])
    assert (await client.message())[0].startswith(b"HTTP/1.1 200")


@connected
async def test_the_gateways_own_question_is_let_through(reserved):
    field = b"".join(
        f"{name}: {value}\r\n".encode() for name, value in reserved.own.headers.items()
    )
    head, _ = await reserved.ask(post(naming("gpt-oss"), more=field))
    assert head.startswith(b"HTTP/1.1 200")
    forged = field.replace(field[-10:-2], b"00000000")
    head, _ = await reserved.ask(post(naming("gpt-oss"), more=forged))
    assert head.startswith(b"HTTP/1.1 503")


@connected
async def test_a_client_that_leaves_while_its_body_is_looked_at_leaves_nothing(
    reserved, eventually
):
    for _ in range(5):
        client = await reserved.connect()
        await client.send(post(naming("gpt-oss", filling=1000))[:-100])
        client.reset()
    await eventually(lambda: not reserved.state.connections)
    assert reserved.meters.in_flight() == 0
    assert reserved.upstream.connections == 0


@connected
async def test_a_body_too_slow_is_still_408(make_plane, lease):
    plane = await make_plane(stall_seconds=0.1)
    plane.chooser = lease.chooser(plane)
    head, _ = await plane.ask(post(naming("gpt-oss"))[:-3])
    assert head.startswith(b"HTTP/1.1 408")


@connected
@pytest.mark.parametrize("write", [post, chunked], ids=["length", "chunked"])
async def test_a_body_too_long_to_keep_is_refused_before_its_last_piece_is_sent(
    make_plane, lease, write
):
    plane = await make_plane(kept_bytes=0)
    plane.chooser = lease.chooser(plane)
    plane.upstream.script = lambda peer: plane.upstream.serve(peer, OK)
    client = await plane.connect()
    size = {"size": 50_000} if write is chunked else {}
    await client.send(write(naming("gpt-oss", filling=1_500_000), **size))
    head, body = await client.message()
    assert head.startswith(b"HTTP/1.1 503")
    assert json.loads(body)["error"]["code"] == "gpu_reserved"
    assert plane.upstream.bodies == []
    meter = plane.meters.upstream("llm")
    assert (meter.in_flight, meter.waiting, meter.withdrawn, meter.aborted) == (0, 0, 1, 0)
    # The connection is as good as before for whoever asks for what is loaded.
    await client.send(write(naming("qwen", filling=1_500_000), **size))
    assert (await client.message())[0].startswith(b"HTTP/1.1 200")
    assert plane.upstream.bodies == [naming("qwen", filling=1_500_000)]


@connected
async def test_a_server_that_answers_early_is_heard(make_plane, lease):
    reserved = await make_plane(kept_bytes=0)
    reserved.chooser = lease.chooser(reserved)
    early = b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"

    async def script(peer) -> None:
        await peer.head()
        await peer.send(early)
        await peer.closed()

    reserved.upstream.script = script
    client = await reserved.connect()
    await client.send(post(naming("gpt-oss", filling=500_000))[:200_000])
    assert (await client.head()).startswith(b"HTTP/1.1 401")
