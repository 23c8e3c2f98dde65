"""Keys on the data plane: who is let in, what no upstream sees, who is cut off and when."""

import asyncio

import pytest
from gateway_stand.keyed_plane import CHAT, KeyedPlane, bearer

from spark_common.key_text import fresh_key
from spark_common.settings.policies import KeySettings, QueueSettings
from spark_gateway.catalogue import Catalogue
from spark_gateway.dataplane.free import ByHead
from spark_gateway.dataplane.reservation import Reservation
from spark_gateway.dataplane.watch import Served
from spark_gateway.metering.metering import Metering
from spark_gateway.preflight import PreflightRouter

pytestmark = pytest.mark.connected

EVENTS = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


@pytest.fixture
async def gateway(plane):
    made = KeyedPlane(plane)
    await made.keep_answering()
    return made


async def test_off_every_key_passes_and_goes_on_as_it_came(gateway):
    gateway.office.settings = KeySettings()
    key = fresh_key()
    for field in (bearer("anything"), bearer(key), "x-api-key:", "api-key: x"):
        status, *_ = await gateway.ask(field, path=f"{CHAT}?k={key}")
        assert status == 200
    assert bearer(key).encode() in gateway.plane.upstream.heads[1]


async def test_a_key_opens_and_no_upstream_ever_sees_it(gateway):
    key = gateway.office.issue("k", "infer")
    for field in (bearer(key), f"x-api-key: {key}", f"API-KEY: {key}"):
        assert (await gateway.ask(field, "accept: */*"))[0] == 200
    heads = b"".join(gateway.plane.upstream.heads)
    assert key.encode() not in heads
    assert heads.count(b"accept: */*") == 3


@pytest.mark.parametrize("path", [CHAT, "/v1/audio/speech", "/scrub"])
async def test_the_same_head_again_is_judged_by_what_holds_then(gateway, path):
    office, heads = gateway.office, gateway.plane.upstream.heads
    key = office.issue("k", "infer")
    peer = await gateway.plane.connect()

    async def ask():
        await peer.send(gateway.request(bearer(key), path=path))
        return int((await peer.message())[0].split()[1])

    office.settings = KeySettings()
    assert await ask() == 200
    assert bearer(key).encode() in heads[-1]
    office.settings = KeySettings(api_keys=True)
    for _ in range(2):
        assert await ask() == 200
        assert key.encode() not in heads[-1]
    office.settings = KeySettings()
    assert await ask() == 200
    assert bearer(key).encode() in heads[-1]
    office.settings = KeySettings(api_keys=True)
    office.revoke("k")
    assert await ask() == 401


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/scrub", b"x-tenant"),
        ("/scrub", b"x-spark-label"),
        ("/v1/audio/speech", b"x-spark-tenant"),
    ],
)
async def test_whose_it_is_a_service_behind_hears_from_us_and_from_no_client(gateway, path, field):
    office, heads = gateway.office, gateway.plane.upstream.heads
    catalogue = Catalogue(Served, Served, tuple, lambda: True, tuple, 7)
    nobody = Reservation(lambda: None, frozenset, None)
    gateway.choose(gateway.plane.choose_with(nobody, catalogue))
    ours = [office.issue(name, "infer") for name in ("a", "b")]
    forged = field.decode() + ": forged"

    async def told(*fields):
        assert (await gateway.ask(*fields, forged, path=path))[0] == 200
        lines = heads[-1].lower().split(b"\r\n")
        return [line.partition(b": ")[2] for line in lines if line.startswith(field + b":")]

    (first,), (again,), (other,) = [await told(bearer(key)) for key in (ours[0], ours[0], ours[1])]
    assert first == again != other
    office.settings = KeySettings()
    assert b"forged" not in b"".join(await told())


async def test_clients_that_write_the_same_are_told_apart_also_in_a_line(gateway, eventually):
    gateway.office.settings = KeySettings()
    gateway.queue = QueueSettings(audio_requests_at_once=1)
    catalogue = Catalogue(Served, Served, tuple, lambda: True, tuple, 7)
    nobody = Reservation(lambda: None, frozenset, None)
    gateway.choose(gateway.plane.choose_with(nobody, catalogue))
    upstream, go_on = gateway.plane.upstream, asyncio.Semaphore(0)

    async def script(peer):
        while (head := (await peer.message())[0]) and upstream.heads.append(head) is None:
            await go_on.acquire()
            await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")

    upstream.script = script
    peers = []
    for number in (1, 2, 3, 2, 1):
        peers.append(await gateway.plane.connect(local_addr=(f"127.0.0.{number}", 0)))
        await peers[-1].send(gateway.request(path="/v1/audio/speech"))
        waiting = len(peers) - 1
        await eventually(lambda n=waiting: gateway.turnstile.waiting("audio") == n)
    for _ in peers:
        go_on.release()
    for peer in peers:
        assert (await peer.message())[0].startswith(b"HTTP/1.1 200")
    said = [head.split(b"x-spark-caller: ")[1].split(b"\r")[0] for head in upstream.heads]
    one, two, three = said[:3]
    # In the fair line whoever came once goes before whoever comes again.
    assert len({one, two, three}) == 3
    assert sorted(said[3:]) == sorted((one, two))


@pytest.mark.parametrize(
    ("path", "kind"),
    [(CHAT, "invalid_request_error"), ("/v1/messages?beta=true", "authentication_error")],
)
async def test_without_one_nothing_is_sent_up_and_the_answer_is_in_the_callers_words(
    gateway, path, kind
):
    gateway.office.issue("k", "infer")
    for fields in ((), (bearer(fresh_key()),), ("x-api-key:",)):
        status, head, body = await gateway.ask(*fields, path=path)
        assert (status, body["error"]["type"]) == (401, kind)
        assert b"x-should-retry: false" in head
        assert b"www-authenticate: bearer" in head
        assert b"x-request-id: " in head
    assert gateway.plane.upstream.connections == 0


async def test_scope_address_and_what_is_not_known_yet(gateway):
    assert (await gateway.ask(bearer(fresh_key())))[0] == 503
    admin, key = gateway.office.issue("a", "admin"), gateway.office.issue("k", "infer")
    status, _, body = await gateway.ask(bearer(admin))
    assert (status, body["error"]["code"]) == (403, "insufficient_scope")
    status, _, body = await gateway.ask(bearer(key), path=f"{CHAT}?api_key={key}")
    assert (status, body["error"]["code"]) == (400, "api_key_in_address")
    assert gateway.plane.upstream.connections == 0


async def test_what_stays_open_without_a_key(gateway):
    gateway.office.issue("k", "infer")
    for path, status in (
        ("/v1/audio/voices", 200), ("/v1/audio/models?x=1", 200), ("/v1/audio/speech", 401),
    ):  # fmt: skip
        for _ in range(2):
            assert (await gateway.ask(path=path, body=b"", method="GET"))[0] == status
    assert (await gateway.ask(path="/v1/audio/voices"))[0] == 401
    pass_field = "x-spark-control-pass: " + gateway.plane.own.headers["x-spark-control-pass"]
    assert (await gateway.ask(pass_field))[0] == 200


async def test_a_rate_and_a_list_of_models_hold(gateway):
    key = gateway.office.issue("k", "infer", requests_per_minute=2, models=["org/model"])
    assert (await gateway.ask(bearer(key)))[0] == 200
    status, _, body = await gateway.ask(bearer(key), body=b'{"model":"other"}')
    assert (status, body["error"]["code"]) == (403, "model_not_allowed")
    status, head, body = await gateway.ask(bearer(key))
    assert (status, body["error"]["type"]) == (429, "rate_limit_error")
    assert b"retry-after: 30" in head
    assert b"x-should-retry: true" in head
    await gateway.office.clock.advance(31)
    assert (await gateway.ask(bearer(key)))[0] == 200
    assert len(gateway.plane.upstream.heads) == 2


CHUNKS = (
    b'data: {"choices":[{"delta":{"content":"a"}}]}\n\n',
    b'data: {"choices":[],"usage":{"prompt_tokens":400,"completion_tokens":300}}\n\n',
    b"data: [DONE]\n\n",
)


def whole(body):
    return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)


@pytest.mark.parametrize(
    "answer",
    [
        EVENTS + b"".join(b"%x\r\n%b\r\n" % (len(one), one) for one in CHUNKS) + b"0\r\n\r\n",
        whole(b'{"usage":{"prompt_tokens":400,"completion_tokens":300,"total_tokens":700}}'),
    ],
    ids=["stream", "whole"],
)
async def test_what_an_answer_cost_counts_against_its_key_alone(gateway, answer):
    metering = Metering(gateway.office.clock)
    gateway.plane.watching = metering.watch
    gateway.plane.upstream.script = lambda peer: gateway.plane.upstream.serve(peer, answer)
    key = gateway.office.issue("k", "infer", tokens_per_minute=600)
    other = gateway.office.issue("other", "infer", tokens_per_minute=600)

    async def status(shown):
        client = await gateway.plane.connect()
        await client.send(gateway.request(bearer(shown)))
        head, _ = await client.message()
        client.close()
        metering.settle()
        return int(head.split()[1])

    assert [await status(key), await status(key), await status(other)] == [200, 429, 200]
    await gateway.office.clock.advance(11)
    assert await status(key) == 200


@pytest.mark.parametrize("end", ["revoke", "switch_off", "narrow"])
async def test_a_stream_is_cut_off_with_its_key_and_others_go_on(gateway, end, eventually):
    async def script(peer):
        await peer.message()
        await peer.send(EVENTS + b"8\r\ndata: 1\n\r\n")
        await peer.closed()
        peer.close()

    gateway.plane.upstream.script = script
    key, other = gateway.office.issue("k", "infer"), gateway.office.issue("other", "infer")
    cut, stays = await gateway.plane.connect(), await gateway.plane.connect()
    await cut.send(gateway.request(bearer(key)))
    await stays.send(gateway.request(bearer(other)))
    for peer in (cut, stays):
        assert b"200 OK" in await peer.head()
        assert await peer.exactly(13) == b"8\r\ndata: 1\n\r\n"
    if end == "revoke":
        gateway.office.revoke("k")
    elif end == "switch_off":
        gateway.office.change("k", enabled=False)
    else:
        gateway.office.change("k", scopes=["admin"])
    rest = await cut.rest()
    assert b"error" in rest
    assert b"[DONE]" not in rest
    assert rest.endswith(b"0\r\n\r\n")
    await eventually(lambda: gateway.plane.meters.in_flight() == 1)
    assert not stays.reader.at_eof()


async def test_a_request_that_waits_is_refused_when_its_key_is_revoked(gateway, eventually):
    gateway.queue = QueueSettings(model_requests_at_once=1)
    gateway.plane.upstream.script = lambda peer: peer.closed()
    key = gateway.office.issue("k", "infer")
    first, second = await gateway.plane.connect(), await gateway.plane.connect()
    await first.send(gateway.request(bearer(key)))
    await eventually(lambda: gateway.turnstile.inside("llm") == 1)
    await second.send(gateway.request(bearer(key)))
    await eventually(lambda: gateway.turnstile.waiting("llm") == 1)
    gateway.office.revoke("k")
    for peer in (first, second):
        head, body = await peer.message()
        assert b" 401 " in head
        assert b"revoked" in body
    await eventually(lambda: gateway.turnstile.inside("llm") == 0)
    assert gateway.turnstile.waiting("llm") == 0


async def test_browsers_may_ask_first_without_a_key_and_read_what_they_hear(plane):
    plane.chooser = ByHead(PreflightRouter(plane.router))
    gateway = KeyedPlane(plane)
    await gateway.keep_answering()
    key = gateway.office.issue("k", "infer")
    origin = "origin: http://app.example"
    asked = ("access-control-request-method: POST", "access-control-request-headers: authorization")
    for path in (CHAT, "/v1/messages", "/v1/embeddings", "/tokenize"):
        status, head, _ = await gateway.ask(origin, *asked, path=path, method="OPTIONS", body=b"")
        assert status == 204
        assert b"access-control-allow-origin: *" in head
        assert b"access-control-allow-headers: authorization" in head
        assert b"access-control-allow-methods: get, head, post" in head
        for fields, expected in (((origin,), 401), ((origin, bearer(key)), 200)):
            status, head, _ = await gateway.ask(*fields, path=path)
            assert status == expected
            assert b"access-control-allow-origin: *" in head
            shown = head.split(b"access-control-expose-headers: ")[1].split(b"\r\n")[0]
            assert {b"x-request-id", b"retry-after", b"x-should-retry"} <= set(shown.split(b", "))
            assert b"x-request-id: " in head
            assert (b"\r\nrequest-id: " in head) is (path == "/v1/messages")
