"""``/v1/models`` as clients of OpenAI and of Anthropic read it, and what they sniff at."""

import json
import time

import pytest

from spark_common.testing.wait import within
from spark_gateway.dataplane.watch import Served
from spark_gateway.served import ServedModel

QWEN = ServedModel("Org/Qwen-8B", created=7, max_model_len=4096, root="Org/Qwen-8B")
ODD = ("a/b/c", "with space", "50%", "a%2Fb", "q?a#b", "ü--1.5:latest", "+plus")
MANY = 10
"""Of them all that can chat: the loaded ones, and two of the menu."""
CLAUDE = {"anthropic-version": "2023-06-01"}


def no_nulls(value) -> bool:
    if isinstance(value, dict):
        return all(map(no_nulls, value.values()))
    return all(map(no_nulls, value)) if isinstance(value, list) else value is not None


@pytest.fixture
def serving(bench):
    bench.served.listed = [QWEN, *(ServedModel(name, created=8) for name in ODD)]
    bench.served.beside = Served("serving", (ServedModel("bge-m3", 3, kind="embedding"),))
    return bench


async def test_every_entry_has_what_openai_s_clients_need_and_no_null(serving):
    listed = (await serving.http.get("/v1/models")).json()
    assert listed["object"] == "list"
    assert no_nulls(listed)
    for entry in listed["data"]:
        assert isinstance(entry["created"], int)
        assert (entry["object"], bool(entry["id"]), bool(entry["owned_by"])) == (
            "model", True, True
        )  # fmt: skip
    first = listed["data"][0]
    assert (first["id"], first["status"], first["max_model_len"]) == (
        "Org/Qwen-8B", {"value": "loaded"}, 4096
    )  # fmt: skip


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("headers", [{}, CLAUDE])
async def test_a_model_is_found_by_any_name_in_either_spelling(serving, name, headers):
    everything = "".join(f"%{byte:02X}" for byte in name.encode())
    slashes_kept = "/".join(
        "".join(f"%{byte:02X}" for byte in part.encode()) for part in name.split("/")
    )
    for spelled in (everything, slashes_kept):
        answer = await serving.http.get(f"/v1/models/{spelled}", headers=headers)
        assert (answer.status_code, answer.json().get("id")) == (200, name), spelled


async def test_both_sparks_unplugged_cost_no_time_and_no_model(serving):
    gone = Served("unreachable", (QWEN,), stale=True)
    serving.served.now, serving.served.beside = gone, gone
    listed = []

    async def asked():
        nonlocal listed
        began = time.monotonic()
        listed = (await serving.http.get("/v1/models")).json()["data"]
        return time.monotonic() - began

    await within(1, asked)
    assert (listed[0]["status"], listed[0]["stale"]) == ({"value": "unreachable"}, True)


async def test_clients_of_anthropic_get_pages_of_their_shape(serving):
    whole = (await serving.http.get("/v1/models", headers=CLAUDE)).json()
    assert set(whole) == {"data", "has_more", "first_id", "last_id"}
    assert whole["data"][0] == {
        "type": "model",
        "id": "Org/Qwen-8B",
        "display_name": "Org/Qwen-8B",
        "created_at": "1970-01-01T00:00:07Z",
        "max_input_tokens": 4096,
    }
    names = [model["id"] for model in whole["data"]]
    assert "bge-m3" not in names
    assert (whole["first_id"], whole["last_id"]) == (names[0], names[-1])
    read, place = [], {}
    while True:
        page = (
            await serving.http.get("/v1/models", headers=CLAUDE, params={"limit": 3, **place})
        ).json()
        read += [model["id"] for model in page["data"]]
        if not page["has_more"]:
            break
        place = {"after_id": page["last_id"]}
    assert read == names
    before = await serving.http.get(
        "/v1/models", headers=CLAUDE, params={"limit": 2, "before_id": names[3]}
    )
    assert [model["id"] for model in before.json()["data"]] == names[1:3]
    assert before.json()["has_more"] is True


@pytest.mark.parametrize(
    ("query", "count"),
    [({"after_id": "gone"}, 0), ({"before_id": "gone"}, 0), ({"limit": "0"}, 1),
     ({"limit": "-1"}, MANY), ({"limit": "x"}, MANY), ({"limit": "9" * 5000}, MANY),
     ({"limit": "\u0663"}, MANY)],
)  # fmt: skip
async def test_a_page_that_makes_no_sense_is_still_one(serving, query, count):
    answer = await serving.http.get("/v1/models", headers=CLAUDE, params=query)
    assert answer.status_code == 200
    assert no_nulls(answer.json())
    assert len(answer.json()["data"]) == count
    # Other clients are not bothered with it.
    assert (await serving.http.get("/v1/models", params=query)).json()["object"] == "list"


@pytest.mark.parametrize("path", ["/v1/models/none", "/v1/nothing"])
async def test_clients_of_anthropic_are_refused_in_their_words(serving, path):
    answer = await serving.http.get(path, headers=CLAUDE)
    assert answer.status_code == 404
    assert answer.json()["type"] == "error"
    assert answer.json()["error"]["type"] == "not_found_error"


async def test_health_is_json_and_nobody_s_text(bench):
    answer = await bench.http.get("/health")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert json.loads(answer.text) == {"status": "ok", "service": "spark-control"}
    assert (await bench.http.head("/health")).status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/v1/readyz", "/v1/test", "/test", "/running", "/lmstudio-greeting", "/ui/", "/props",
     "/api/tags", "/api/version", "/api/v1/models"],
)  # fmt: skip
async def test_what_would_be_taken_for_another_server_is_404_in_json(bench, path):
    answer = await bench.http.get(path)
    assert answer.status_code == 404
    assert "json" in answer.headers["content-type"]
    assert answer.json()
