"""The published OpenAPI document against the gateway: what it promises is what comes back.

Requests that fit the document, and such that do not, to every route; behind it services that give
any valid answer. Each answer has to have a status that its route documents, and the form that is
promised for that status; so no 500, and no 5xx that nobody mentioned.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from functools import cache
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute
from gateway_stand.replies import answer_everything
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode, openapi
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from spark_gateway.api.docs import openapi_document
from spark_gateway.routes import all_routes

# Not in the fast ring: it needs no server, but a quarter of the minute.
pytestmark = pytest.mark.connected
CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
ENDLESS = {"/api/live"}
"""Never over; what they send is tested elsewhere."""
WAITS = ("wait_seconds",)
EXAMPLES = 3


@cache
def document() -> dict[str, Any]:
    return openapi_document(list(all_routes()), "1.0.0")


@cache
def schema() -> Any:
    return openapi.from_dict(document())


Answered = tuple[int, dict[str, str], bytes]


def relayed(path: str) -> bool:
    """Whether the bytes go to another server, so that the application has no such route."""
    return not any(route.path_regex.match(path) for route in all_routes())


def takes_anything(operation: dict[str, Any]) -> bool:
    """Whether no request can be wrong: there is nothing to fill in, or any text will do."""
    fields = [field["schema"] for field in operation.get("parameters", [])]
    return "requestBody" not in operation and all(map(takes_any_text, fields))


def takes_any_text(schema: dict[str, Any]) -> bool:
    """Whether a field may be any text, or be left out."""
    said = {key: value for key, value in schema.items() if key not in ("title", "description")}
    return said == {"type": "string"} or (
        set(said) == {"anyOf"} and {"type": "string"} in said["anyOf"]
    )


def asked(path: str) -> bool:
    return path not in ENDLESS and not path.endswith("/stream")


# Known without the document, which is a second's work, and not one for every worker.
OPERATIONS = [
    (method.lower(), route.path_format)
    for route in all_routes()
    if isinstance(route, APIRoute) and route.include_in_schema and asked(route.path_format)
    for method in sorted(route.methods)
]


class Asking:
    """A gateway in this process, asked from tests that are no coroutines."""

    def __init__(self, runner: asyncio.Runner, http: httpx.AsyncClient) -> None:
        self._runner = runner
        self._http = http

    def ask(self, method: str, url: str, **more: Any) -> httpx.Response:
        return self._runner.run(self._limited(self._http.request(method, url, **more)))

    async def _limited(self, answer: Coroutine[Any, Any, httpx.Response]) -> httpx.Response:
        async with asyncio.timeout(60):
            return await answer


@pytest.fixture(scope="module")
def gateway(make_bench: Callable[..., Any]) -> Iterator[Asking]:
    with asyncio.Runner() as runner:
        scene = make_bench(swapper_answers=False)
        bench = runner.run(scene.__aenter__())
        runner.run(answer_everything(bench.broker))
        yield Asking(runner, bench.http)
        runner.run(scene.__aexit__(None, None, None))


def sent(gateway: Asking, case: Any) -> httpx.Response:
    """Send a request as it was thought up, but for waiting."""
    for word in WAITS:
        (case.query or {}).pop(word, None)
    given = case.as_transport_kwargs(base_url="http://gateway")
    kept = {word: given[word] for word in ("params", "headers", "json", "data") if word in given}
    if given.get("cookies"):
        cookies = "; ".join(f"{name}={value}" for name, value in given["cookies"].items())
        kept["headers"] = {**kept.get("headers", {}), "cookie": cookies}
    if isinstance(kept.get("data"), bytes):
        kept["content"] = kept.pop("data")
    return gateway.ask(given["method"], given["url"], **kept)


def bounded(examples: int) -> settings:
    return settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


def test_every_operation_of_the_document_is_asked():
    documented = {
        (method, path)
        for path, methods in document()["paths"].items()
        for method in methods
        if asked(path) and not relayed(path)
    }
    assert documented == set(OPERATIONS)


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_every_answer_is_a_documented_one(gateway, method, path, mode):
    @bounded(EXAMPLES)
    @given(schema()[path][method].as_strategy(generation_mode=mode))
    def check(case: Any) -> None:
        answer = sent(gateway, case)
        statuses.append(answer.status_code)
        case.validate_response(answer, checks=CHECKS)

    statuses: list[int] = []
    try:
        check()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE
        assert takes_anything(document()["paths"][path][method])
    else:
        assert statuses
