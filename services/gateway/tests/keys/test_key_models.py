"""What a key with a list of models is told there is, and which door each route is behind."""

import re

import pytest

from spark_common.settings.policies import KeySettings
from spark_gateway.keys.control_door import REPORT_PATH
from spark_gateway.routes import all_routes
from spark_gateway.served import ServedModel

OPEN = frozenset(
    (
        ("GET", "/api/session"), ("POST", "/api/session"), ("DELETE", "/api/session"),
        ("GET", "/openapi.json"), ("GET", "/asyncapi.json"), ("GET", "/health"),
    )
)  # fmt: skip
"""Whoever has no key yet needs these; balancers never have one."""


def bearer(key):
    return {"authorization": f"Bearer {key}"}


async def listed(http, headers):
    return {each["id"] for each in (await http.get("/v1/models", headers=headers)).json()["data"]}


async def test_a_key_is_told_of_the_models_it_may_use_and_of_no_other(office, served, http):
    served.listed = [ServedModel("org/model", 1_700_000_000)]
    served.hidden = ()
    office.issue("a", "admin")
    everything = await listed(http, bearer(office.issue("all", "infer")))
    assert {"org/model", "kokoro", "parakeet"} <= everything
    for models, expected in (
        (["KOKORO"], {"kokoro"}),
        (["tts-1", "whisper-1"], {"kokoro", "parakeet"}),
        (["auto"], {"org/model"}),
        (["Org/Model", "gone"], {"org/model"}),
        (["gone"], set()),
    ):
        shown = bearer(office.issue(models[0], "infer", models=models))
        assert await listed(http, shown) == expected
        for name in everything:
            answer = await http.get(f"/v1/models/{name}", headers=shown)
            assert answer.status_code == (200 if name in expected else 404)
    hidden = await http.get("/v1/models/org/model", headers=shown)
    missing = await http.get("/v1/models/org/none", headers=shown)
    assert hidden.json() == missing.json()
    office.settings = KeySettings(api_keys=True, api_keys_models_open=True)
    assert await listed(http, {}) == everything


async def test_every_route_of_the_application_is_behind_its_door(office, http):
    infer, admin = office.issue("i", "infer"), office.issue("a", "admin")
    opened = set()
    for route in all_routes():
        path = re.sub(r"{[^}]+}", "x", route.path)
        other = admin if path.startswith("/v1/") else infer
        for method in (route.methods or set()) - {"HEAD"}:
            answer = await http.request(method, path)
            if answer.status_code != 401:
                opened.add((method, route.path))
                continue
            assert "missing_api_key" in answer.text
            wrong = await http.request(method, path, headers=bearer(other))
            # Apps report how they were served with the key they have.
            refused = wrong.status_code == 403
            assert refused is (path != REPORT_PATH), (method, path)
    assert opened == OPEN


@pytest.mark.parametrize(
    "path",
    ["http://gateway//api//keys", "/api//keys", "/api/keys/", "/%61pi/keys", "/api/%6beys"],
)
async def test_no_other_spelling_of_an_address_goes_round_the_door(office, http, path):
    office.issue("a", "admin")
    assert (await http.get(path)).status_code == 401
