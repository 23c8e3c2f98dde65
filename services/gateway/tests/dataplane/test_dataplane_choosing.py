"""Where requests go by the model they name, and what is sent there."""

import json

import pytest

from spark_gateway.catalogue import Catalogue
from spark_gateway.dataplane.reservation import Reservation
from spark_gateway.dataplane.watch import Served
from spark_gateway.served import ServedModel

pytestmark = pytest.mark.connected

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
CHAT = b"/v1/chat/completions"
REAL = "Org/Großes-Modell"
RERANKER = "bge-reranker-v2-m3"


class Now:
    """What is served, as the test says."""

    def __init__(self):
        self.loaded = Served("serving", (ServedModel(REAL, 1, root="Org/base"),))
        embed = ServedModel("bge-m3", 1), ServedModel(RERANKER, 1)
        self.beside = Served("serving", embed)
        self.aliases = ("gpt-4o=auto", "other=not-here")


@pytest.fixture
def now():
    return Now()


def by_model(plane, now):
    catalogue = Catalogue(
        lambda: now.loaded, lambda: now.beside, lambda: now.aliases, lambda: True, tuple, 7
    )
    plane.chooser = plane.choose_with(Reservation(lambda: None, frozenset, None), catalogue)
    plane.upstream.script = lambda peer: plane.upstream.serve(peer, OK)
    return plane


@pytest.fixture
def routed(plane, now):
    return by_model(plane, now)


def post(body, path=CHAT, more=b"", framing="length"):
    head = b"POST %b HTTP/1.1\r\nHost: g\r\n%b" % (path, more)
    if framing == "length":
        return head + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    pieces = [body[at : at + 5] for at in range(0, len(body), 5)]
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    return head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"


def went_to(plane):
    return [name for name, meter in plane.meters.upstreams() if meter.total]


BEFORE = '{ "messages" : [{"model":"auto","content":"\\"model\\": 1e400 ü"}],\n "model"  :'
AFTER = ', "n":1.0, "stream":false }'


@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize(
    ("name", "sent"), [("auto", REAL), ("gpt-4o", REAL), ("Org/base", REAL), (REAL, REAL)]
)
async def test_the_name_is_changed_and_not_a_byte_besides(routed, framing, name, sent):
    def body(model):
        return f"{BEFORE}{json.dumps(model)}{AFTER}".encode()

    client = await routed.connect()
    for _ in range(2):
        await client.send(post(body(name), framing=framing))
        assert (await client.message())[1] == b"{}"
    assert routed.upstream.bodies == [body(sent)] * 2
    if framing == "length":
        assert b"content-length: %d\r\n" % len(body(sent)) in routed.upstream.heads[0].lower()


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50])
async def test_a_name_cut_anywhere_is_changed(routed, size):
    request = post(b'{"model":"auto","x":"\xc3\xbc"}')
    client = await routed.connect()
    for at in range(0, len(request), size):
        await client.send(request[at : at + size])
    assert (await client.message())[1] == b"{}"
    assert json.loads(routed.upstream.bodies[0])["model"] == REAL


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":"auto","model":"auto"}',
        b'{"mod\\u0065l":"auto"}',
        b'{"model":"a\\u0075to"}',
        b'\xef\xbb\xbf{"model":"auto"}',
    ],
)
async def test_odd_spellings_mean_the_same(routed, body):
    await routed.ask(post(body))
    assert json.loads(routed.upstream.bodies[0].decode("utf-8-sig"))["model"] == REAL


@pytest.mark.parametrize("framing", ["length", "chunked"])
async def test_a_form_is_changed_too(routed, framing):
    def form(model):
        return (
            b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\n' + model.encode()
            + b'\r\n--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
            + bytes(range(256)) * 40
            + b"\r\n--b--\r\n"
        )  # fmt: skip

    kind = b"Content-Type: multipart/form-data; boundary=b\r\n"
    await routed.ask(post(form("auto"), b"/v1/files", kind, framing))
    assert routed.upstream.bodies == [form(REAL)]


@pytest.mark.parametrize(
    ("path", "model", "place"),
    [
        (CHAT, None, "llm"),
        (CHAT, "bge-m3", "embed"),
        (b"/v1/responses", "auto", "llm"),
        (b"/tokenize", REAL, "llm"),
        (b"/detokenize/", None, "llm"),
        (b"/chat/completions", REAL, "llm"),
        (b"//v1//chat/completions/", REAL, "llm"),
        (b"/v1/embeddings", None, "embed"),
        (b"/v1/embeddings", "auto", "embed"),
        (b"/v1/embeddings", REAL, "llm"),
        (b"/embeddings", "bge-m3", "embed"),
        (b"/v1/rerank", RERANKER, "embed"),
        (b"/v2/rerank", "auto", "embed"),
        (b"/rerank", None, "embed"),
        (b"/score", None, "embed"),
        (CHAT, "whisper-1", "audio"),
        (b"/v1/audio/speech", "tts-1", "audio"),
        (b"/v1/audio/transcriptions", "anything", "audio"),
        (b"/scrub", None, "redaction"),
        (b"/scrub/verify", None, "redaction"),
        (b"/rehydrate/stream", None, "redaction"),
    ],
)
async def test_whose_a_request_is(routed, path, model, place):
    body = {"input": "x"} if model is None else {"input": "x", "model": model}
    head, _ = await routed.ask(post(json.dumps(body).encode(), path))
    assert head.startswith(b"HTTP/1.1 200")
    assert went_to(routed) == [place]
    sent = json.loads(routed.upstream.bodies[0]).get("model")
    if model == "auto":
        ranks = path.endswith(b"rerank")
        assert sent == (REAL if place == "llm" else RERANKER if ranks else "bge-m3")
    elif place != "audio":
        assert sent == model


async def test_the_embedding_of_token_ids_passes_as_it_is(routed):
    body = b'{"input":[[15339,1917],[1]],"model":"bge-m3","encoding_format":"base64"}'
    await routed.ask(post(body, b"/v1/embeddings"))
    assert routed.upstream.bodies == [body]


@pytest.mark.parametrize("path", [CHAT, b"/v1/messages", b"/v1/embeddings"])
@pytest.mark.parametrize("name", ["org/großes-modell", "other", "bge-m4"])
async def test_an_unknown_model_is_a_404_with_near_ones(routed, path, name):
    head, body = await routed.ask(post(json.dumps({"model": name}).encode(), path))
    assert head.startswith(b"HTTP/1.1 404")
    assert b"x-request-id: " in head
    told = json.loads(body)
    if path == b"/v1/messages":
        assert told["error"]["type"] == "not_found_error"
    else:
        assert told["error"]["code"] == "model_not_found"
        assert told["error"]["param"] == "model"
        assert told["error"]["type"] == "invalid_request_error"
    near = {"org/großes-modell": REAL, "bge-m4": "bge-m3"}.get(name)
    if near is not None:
        assert near in told["near_matches"]
        assert near in told["error"]["message"]
    assert routed.upstream.bodies == []


@pytest.mark.parametrize("name", ["never-heard-of", "auto", "other"])
async def test_what_nobody_knows_goes_to_the_server_that_knows_best(routed, now, name):
    now.loaded = Served()
    await routed.ask(post(json.dumps({"model": name}).encode()))
    sent = json.loads(routed.upstream.bodies[0])["model"]
    assert sent == {"other": "not-here"}.get(name, name)


@pytest.mark.parametrize("path", [b"/v1/readyz", b"/v1/test"])
async def test_addresses_by_which_clients_tell_servers_apart_are_not_found(routed, path):
    head, body = await routed.ask(b"GET " + path + b" HTTP/1.1\r\nHost: g\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 404")
    assert json.loads(body)["error"]["code"] == "not_found"
    assert went_to(routed) == []


async def test_a_dead_server_is_named_in_the_refusal(routed, unused_tcp_port):
    routed.upstream.port = unused_tcp_port
    head, body = await routed.ask(post(b"{}", b"/v1/embeddings"))
    assert head.startswith(b"HTTP/1.1 502")
    assert json.loads(body)["error"]["code"] == "upstream_unavailable"


async def test_a_large_body_that_names_its_model_first_is_changed(make_plane, now):
    plane = by_model(await make_plane(kept_bytes=0), now)
    filling = b'","x":"' + b"y" * 2_000_000 + b'"}'
    await plane.ask(post(b'{"model":"auto' + filling))
    assert plane.upstream.bodies == [b'{"model":"' + REAL_JSON + filling]


async def test_a_large_body_that_names_auto_too_late_is_told_what_to_do(make_plane, now):
    plane = by_model(await make_plane(kept_bytes=0), now)
    head, body = await plane.ask(post(b'{"x":"' + b"y" * 900_000 + b'","model":"auto"}'))
    assert head.startswith(b"HTTP/1.1 413")
    assert "first" in json.loads(body)["error"]["message"]
    assert plane.upstream.bodies == []


REAL_JSON = json.dumps(REAL)[1:-1].encode()
