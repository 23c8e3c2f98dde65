"""What every route does with strangers, and that all of it is documented."""

import json
from pathlib import Path

import pytest
from fastapi.openapi.models import OpenAPI
from gateway_stand.routes import changing, example_of
from jsonschema import Draft202012Validator

from spark_gateway.api.docs import openapi_document
from spark_gateway.routes import all_routes

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(("method", "path"), changing())
@pytest.mark.parametrize(
    ("headers", "passes"),
    [
        ({}, True),
        ({"origin": "http://gateway"}, True),
        ({"origin": "http://gateway:80"}, True),
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"origin": "https://gateway"}, False),
        ({"origin": "http://gateway:8080"}, False),
        ({"origin": "http://evil.example"}, False),
        ({"origin": "http://gateway.evil.example"}, False),
        ({"origin": "null"}, False),
        ({"origin": ""}, False),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "cross-site", "origin": "http://evil.example"}, False),
        ({"origin": "http://evil.example", "x-forwarded-host": "evil.example"}, False),
    ],
)
async def test_other_sites_change_nothing(bench, method, path, headers, passes):
    body = {"model": "gpt-oss-120b"} if method == "POST" else None
    asked = list(bench.swapper.asked)
    answer = await bench.http.request(method, path, json=body, headers=headers)
    if passes:
        # The guard let it through: what the route itself says of it depends on the route.
        assert answer.status_code in {200, 202, 404, 409, 422, 503}
    else:
        assert answer.status_code == 403
        assert answer.json()["code"] == "cross_origin"
        assert bench.swapper.asked == asked


@pytest.fixture(scope="module")
def documented():
    return openapi_document(list(all_routes()), "1.0.0")["paths"]


@pytest.mark.parametrize(("method", "path"), changing())
@pytest.mark.parametrize(
    ("headers", "status"), [({"origin": "http://evil.example"}, 403), ({}, 415)]
)
async def test_a_refusal_at_the_door_is_documented(
    bench, documented, method, path, headers, status
):
    answer = await bench.http.request(
        method, path, content=b"{}", headers={"content-type": "text/plain", **headers}
    )
    assert answer.status_code == status
    (responses,) = (
        operations[method.lower()]["responses"]
        for template, operations in documented.items()
        if example_of(template) == path
    )
    assert answer.headers["content-type"] in responses[str(status)]["content"]


async def test_reading_needs_no_origin(bench):
    answer = await bench.http.get("/api/models", headers={"origin": "http://evil.example"})
    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers


async def test_apps_of_other_origins_may_use_v1(bench):
    preflight = await bench.http.options(
        "/v1/chat/completions",
        headers={
            "origin": "http://app.example",
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization, content-type",
        },
    )
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert "POST" in preflight.headers["access-control-allow-methods"]
    assert preflight.headers["access-control-allow-headers"] == "authorization, content-type"
    models = await bench.http.get("/v1/models", headers={"origin": "http://app.example"})
    assert models.headers["access-control-allow-origin"] == "*"
    assert models.headers["cross-origin-resource-policy"] == "cross-origin"


@pytest.mark.parametrize(
    "path", ["/", "/api/models", "/api/nothing", "/v1/models", "/openapi.json"]
)
async def test_every_answer_carries_the_security_headers(bench, path):
    headers = (await bench.http.get(path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-request-id"]


async def test_a_rebound_name_reaches_nothing(bench):
    for path in ("/", "/api/models", "/openapi.json"):
        answer = await bench.http.get(path, headers={"host": "rebound.evil.example"})
        assert answer.status_code == 421
        assert "evil" not in answer.text
    # The data plane does not look at names, and a client that may chat may list.
    answer = await bench.http.get("/v1/models", headers={"host": "sparks.example"})
    assert answer.status_code == 200
    for host in ("localhost:9999", "127.0.0.1:9999", "[::1]:9999", "spark-control.local", "gw"):
        answer = await bench.http.get("/api/models", headers={"host": host})
        assert answer.status_code == 200, host


async def test_the_openapi_document_is_valid_and_complete(bench):
    answer = await bench.http.get("/openapi.json")
    document = answer.json()
    OpenAPI.model_validate(document)
    for name, schema in document["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        assert name not in {"HTTPValidationError", "ValidationError"}
    for reference in references(document):
        assert reference.removeprefix("#/components/schemas/") in document["components"]["schemas"]
    for route in all_routes():
        if route.include_in_schema:
            # A path may hold a slash; OpenAPI has no word for that.
            path = route.path_format.replace(":path", "")
            for method in route.methods or set():
                assert method.lower() in document["paths"][path], route.path
    assert {"200", "4XX"} <= set(document["paths"]["/v1/chat/completions"]["post"]["responses"])
    text = json.dumps(document)
    assert "lock_token" not in text.replace("X-Swap-Lock-Token", "")
    post = document["paths"]["/api/swap"]["post"]["responses"]
    assert set(post) >= {
        "202",
        "200",
        "400",
        "403",
        "404",
        "409",
        "413",
        "415",
        "422",
        "423",
        "503",
    }
    assert "application/problem+json" in post["409"]["content"]


async def test_the_asyncapi_document_is_the_published_one(bench):
    published = Path(__file__).parents[3] / "docs" / "events" / "asyncapi.json"
    answer = await bench.http.get("/asyncapi.json")
    assert answer.content == published.read_bytes()
    assert answer.headers["content-type"] == "application/json"


async def test_the_asyncapi_document_is_sent_once_to_those_who_keep_it(bench):
    first = await bench.http.get("/asyncapi.json")
    tag = first.headers["etag"]
    kept = await bench.http.get("/asyncapi.json", headers={"if-none-match": tag})
    assert (kept.status_code, kept.content, kept.headers["etag"]) == (304, b"", tag)
    other = await bench.http.get("/asyncapi.json", headers={"if-none-match": '"old"'})
    assert (other.status_code, other.content) == (200, first.content)
    head = await bench.http.head("/asyncapi.json")
    assert (head.status_code, head.headers["etag"]) == (200, tag)


def references(node):
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value
            else:
                yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)
