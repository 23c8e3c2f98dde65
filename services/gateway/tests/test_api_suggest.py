"""``GET /api/models/suggest``: what the swapper infers, and its refusals as problems."""

import pytest

from spark_common.errors import HostUnreachableError, ModelNotReadyError


async def test_a_suggestion_says_where_every_value_comes_from(bench):
    answer = await bench.http.get("/api/models/suggest", params={"repo": "org/gemma-4-26b"})
    assert answer.status_code == 200
    suggestion = answer.json()
    assert (suggestion["key"], suggestion["repo"]) == ("gemma-4-26b", "org/gemma-4-26b")
    assert suggestion["mode"] == {
        "value": "solo",
        "source": "memory",
        "certainty": "derived",
        "note": "fits",
    }
    assert suggestion["tool_parser"]["value"] is None


async def test_an_unknown_repository_is_404_with_what_comes_near(bench):
    answer = await bench.http.get("/api/models/suggest?repo=org/gpt-oss")
    assert answer.status_code == 404
    assert answer.json()["code"] == "unknown_model"
    assert answer.json()["details"]["near"] == ["gpt-oss-120b"]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (HostUnreachableError("Spark 1 does not answer", host="spark1"), 503),
        (ModelNotReadyError("it has no files yet"), 409),
    ],
)
async def test_what_cannot_be_read_is_told_as_it_is(bench, error, status):
    bench.swapper.broken = error
    answer = await bench.http.get("/api/models/suggest?repo=org/gemma-4-26b")
    assert (answer.status_code, answer.json()["code"]) == (status, error.code)
    assert ("retry-after" in answer.headers) is (status == 503)
