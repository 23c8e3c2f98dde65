"""Whatever is wrong with a request: the right status, the right envelope, no value repeated."""

import asyncio
import gzip
import json

import pytest

from spark_gateway import control_route

JSON = {"content-type": "application/json"}
MARK = "do-not-repeat-me"


def is_problem(answer, status, code):
    body = answer.json()
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert body["status"] == status
    assert body["code"] == code
    assert body["type"] == f"urn:spark-control:problem:{code}"
    assert body["title"]
    assert body["detail"]
    assert body["instance"] == f"urn:spark-control:request:{answer.headers['x-request-id']}"
    return body


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"",
        b"nonsense",
        b'{"model": }',
        b'{"model": "a",}',
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"n": ' + b"9" * 5000 + b"}",
        b'{"model": "a"} trailing',
    ],
    ids=["open", "empty", "word", "hole", "comma", "not utf-8", "deep", "digits", "trailing"],
)
async def test_what_is_not_json_is_400_or_names_the_body(bench, content):
    answer = await bench.http.post("/api/swap", content=content, headers=JSON)
    if content == b"":
        body = is_problem(answer, 422, "invalid_request")
        assert body["details"]["fields"] == [{"field": "body", "reason": "Field required"}]
    else:
        assert answer.status_code == 400
        is_problem(answer, 400, answer.json()["code"])
        assert answer.json()["code"] in {"malformed_json", "bad_request"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body.model"),
        ({"model": None}, "body.model"),
        ({"model": ""}, "body.model"),
        ({"model": "   "}, "body.model"),
        ({"model": MARK * 50}, "body.model"),
        ({"model": 7}, "body.model"),
        ({"model": [MARK]}, "body.model"),
        ({"model": {"name": MARK}}, "body.model"),
        ({"model": "a", "when_busy": MARK}, "body.when_busy"),
        ({"model": "a", "rollback": MARK}, "body.rollback"),
        ({"model": "a", "dry_run": {"x": MARK}}, "body.dry_run"),
        ({"model": "a", "requested_by": ""}, "body.requested_by"),
        ({"model": "a", "id": "../" + MARK}, "body.id"),
        ({"model": "a", "id": "a.b"}, "body.id"),
        ({"model": "a", "id": "*"}, "body.id"),
        ({"model": "a", "id": ""}, "body.id"),
        ({"model": "a", "lock_token": MARK}, "body.lock_token"),
        ({"model": "a", "modle": MARK}, "body.modle"),
        ([MARK], "body"),
        (MARK, "body"),
        (7, "body"),
        (None, "body"),
    ],
)
async def test_a_wrong_field_is_named_and_its_value_is_not(bench, body, field):
    answer = await bench.http.post("/api/swap", content=json.dumps(body), headers=JSON)
    problem = is_problem(answer, 422, "invalid_request")
    assert field in [entry["field"] for entry in problem["details"]["fields"]]
    assert all(set(entry) == {"field", "reason"} for entry in problem["details"]["fields"])
    assert field in problem["detail"]
    assert MARK not in answer.text
    assert "pydantic" not in answer.text
    assert bench.swapper.asked == []


async def test_a_lone_surrogate_is_422_and_not_500(bench):
    answer = await bench.http.post("/api/swap", content=b'{"model": "\\ud800"}', headers=JSON)
    is_problem(answer, 422, "invalid_request")


async def test_hostile_field_names_are_shortened_and_printable(bench):
    name = "\n\x1b[31m" + "k" * 500
    body = json.dumps({"model": "a", name: 1})
    answer = await bench.http.post("/api/swap", content=body, headers=JSON)
    problem = is_problem(answer, 422, "invalid_request")
    told = problem["details"]["fields"][0]["field"]
    assert told.isprintable()
    assert len(told) < 100


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "", "multipart/form-data", "json"]
)
async def test_a_body_that_is_not_declared_as_json_is_415(bench, kind):
    headers = {"content-type": kind}
    answer = await bench.http.post("/api/swap", content=b'{"model": "a"}', headers=headers)
    is_problem(answer, 415, "unsupported_media_type")
    assert bench.swapper.asked == []


async def test_a_declared_giant_is_413_before_it_is_read(bench):
    answer = await bench.http.post(
        "/api/swap", content=b"x", headers={**JSON, "content-length": str(10**12)}
    )
    is_problem(answer, 413, "content_too_large")
    assert answer.headers["connection"] == "close"


async def test_a_giant_of_unknown_length_is_413_while_it_is_read(bench):
    sent = 0

    async def endless():
        nonlocal sent
        while True:
            sent += 65536
            yield b" " * 65536

    answer = await bench.http.post("/api/swap", content=endless(), headers=JSON)
    is_problem(answer, 413, "content_too_large")
    assert sent < 3 * 1024 * 1024


async def test_a_body_that_never_ends_is_a_408_and_the_end(bench, monkeypatch):
    monkeypatch.setattr(control_route, "BODY_SECONDS", 0.05)

    async def drips():
        yield b'{"model": '
        await asyncio.Event().wait()

    answer = await bench.http.post("/api/swap", content=drips(), headers=JSON)
    is_problem(answer, 408, "request_timeout")
    assert answer.headers["connection"] == "close"
    assert bench.swapper.asked == []


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/api/swap?limit=0", "query.limit"),
        ("/api/swap?limit=201", "query.limit"),
        (f"/api/swap?limit={MARK}", "query.limit"),
        (f"/api/models?refresh={MARK}", "query.refresh"),
        ("/api/models/suggest", "query.repo"),
        (f"/api/models/suggest?repo={MARK * 40}", "query.repo"),
        ("/api/swap/a.b", "path.id"),
        (f"/api/swap/{'a' * 65}", "path.id"),
        ("/api/swap/%20", "path.id"),
        ("/api/swap/-x/stream", "path.id"),
    ],
)
async def test_wrong_words_in_the_address_are_named(bench, path, field):
    answer = await bench.http.get(path)
    problem = is_problem(answer, 422, "invalid_request")
    assert problem["details"]["fields"][0]["field"] == field
    assert MARK not in answer.text


async def test_headers_that_are_too_long_are_named(bench):
    answer = await bench.http.post(
        "/api/swap", json={"model": "a"}, headers={"X-Swap-Lock-Token": MARK * 100}
    )
    problem = is_problem(answer, 422, "invalid_request")
    assert problem["details"]["fields"][0]["field"] == "header.X-Swap-Lock-Token"
    assert MARK not in answer.text


@pytest.mark.parametrize(
    "path", ["/api", "/api/", "/api/nothing", "/nothing", "/api/swap/a/b", "/static/nothing.js"]
)
async def test_an_unknown_address_is_404(bench, path):
    for method in ("GET", "POST", "DELETE"):
        is_problem(await bench.http.request(method, path), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", "/api/swap", "GET, HEAD, POST"),
        ("POST", "/api/swap/x", "DELETE, GET, HEAD"),
        ("PATCH", "/api/models", "GET, HEAD, POST"),
        ("DELETE", "/api/live", "GET, HEAD"),
        ("PATCH", "/api/swap/x/stream", "GET, HEAD"),
        ("OPTIONS", "/api/swap", "GET, HEAD, POST"),
        ("POST", "/", "GET, HEAD"),
        ("BREW", "/api/swap", "GET, HEAD, POST"),
    ],
)
async def test_the_wrong_method_is_405_and_says_which_are_right(bench, method, path, allow):
    answer = await bench.http.request(method, path)
    is_problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == allow


async def test_v1_speaks_openai_even_when_it_refuses(bench):
    for method, path, status, code in (
        ("GET", "/v1/nothing", 404, "not_found"),
        ("GET", "/v1", 404, "not_found"),
        ("GET", "/v1/readyz", 404, "not_found"),
        ("GET", "/v1/models/none", 404, "model_not_found"),
        ("DELETE", "/v1/models", 405, "method_not_allowed"),
    ):
        answer = await bench.http.request(method, path)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/json"
        error = answer.json()["error"]
        assert set(error) == {"message", "type", "param", "code", "src"}
        assert error["code"] == code
        assert error["type"] == "invalid_request_error"
        assert answer.headers["x-request-id"]


async def test_messages_speaks_anthropic(bench):
    answer = await bench.http.get("/v1/messages")
    assert answer.status_code == 404
    assert answer.json()["type"] == "error"
    assert answer.json()["error"]["type"] == "not_found_error"


async def test_a_bug_shows_nothing_but_a_request_id(bench):
    async def broken() -> None:
        raise RuntimeError(MARK)

    bench.swapper.delay = broken
    answer = await bench.http.post("/api/swap", json={"model": "gpt-oss-120b"})
    is_problem(answer, 500, "internal")
    assert MARK not in answer.text


async def test_a_bug_of_the_gateway_itself_is_as_silent(bench, monkeypatch):
    async def broken(*_args, **_more):
        raise ZeroDivisionError(MARK)

    monkeypatch.setattr(bench.front.board, "fresh", broken)
    answer = await bench.http.get("/api/status", headers={"x-request-id": "trace-1"})
    problem = is_problem(answer, 500, "internal")
    assert problem["instance"].endswith("trace-1")
    assert MARK not in answer.text
    assert "ZeroDivision" not in answer.text
    assert problem["details"] == {}


@pytest.mark.parametrize("given", ["abc-123", "0.1:2_3"])
async def test_a_good_request_id_is_kept(bench, given):
    answer = await bench.http.get("/api/models", headers={"x-request-id": given})
    assert answer.headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", "a b", "ä", "x" * 129, "<script>", "-a"])
async def test_a_bad_request_id_is_replaced(bench, given):
    headers = [(b"x-request-id", given.encode())]
    answer = await bench.http.get("/api/models", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["x-request-id"] != given
    assert len(answer.headers["x-request-id"]) == 26


async def test_slashes_are_forgiven_and_head_answers_like_get(bench):
    for path in ("/api/models/", "//api//models", "/v1/models/"):
        assert (await bench.http.get("http://gateway" + path)).status_code == 200, path
    got = await bench.http.get("/api/models")
    head = await bench.http.head("/api/models")
    assert head.status_code == got.status_code
    assert head.content == b""
    assert head.headers["content-type"] == got.headers["content-type"]
    assert (await bench.http.head("/api/nothing")).status_code == 404


async def test_nothing_is_inflated(bench):
    packed = gzip.compress(b'{"model":"a"}' + b" " * 5_000_000)
    for coding in ("gzip", "deflate", "br, gzip"):
        answer = await bench.http.post(
            "/api/swap", content=packed, headers=JSON | {"content-encoding": coding}
        )
        assert answer.status_code == 400
        is_problem(answer, 400, answer.json()["code"])
