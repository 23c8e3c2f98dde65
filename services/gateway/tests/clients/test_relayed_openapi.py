"""The routes that are passed on, as the published document describes them: any JSON object goes
in, and a documented status with an id and a body that clients can read comes out."""

import http.client
import json
from contextlib import closing
from typing import Any

import pytest
from gateway_stand.town import LOADED
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import openapi

from spark_gateway.api.relayed import relayed_paths

pytestmark = pytest.mark.connected
PATHS = relayed_paths()
SCHEMA = openapi.from_dict(
    {"openapi": "3.1.0", "info": {"title": "relayed", "version": "1"}, "paths": PATHS}
)


def documented(path: str, status: int) -> bool:
    """Whether the document mentions a status; one of ours, so a 500 only as the server's own."""
    named = PATHS[path]["post"]["responses"]
    return str(status) in named or f"{status // 100}XX" in named


@pytest.mark.parametrize("path", PATHS)
def test_whatever_is_asked_the_answer_is_one_that_clients_can_read(town, path):
    @settings(
        max_examples=8,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(SCHEMA[path]["post"].as_strategy(), st.booleans())
    def check(case: Any, names_a_model: bool) -> None:
        body = {**case.body, **({"model": LOADED} if names_a_model else {})}
        headers = {"content-type": "application/json"}
        with closing(http.client.HTTPConnection("127.0.0.1", town.gateway.port, timeout=60)) as to:
            to.request("POST", path, json.dumps(body), headers)
            answer = to.getresponse()
            text = answer.read().decode()
        assert documented(path, answer.status), (body, answer.status, text)
        assert answer.status != 500, (body, text)
        assert answer.headers["x-request-id"]
        if not answer.headers["content-type"].startswith("text/event-stream"):
            assert isinstance(json.loads(text), dict), text

    check()
