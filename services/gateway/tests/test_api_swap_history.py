"""The history of swaps and their logs over HTTP, and what a swap may be asked to do."""

import pytest

from spark_common.contracts.swaps import SwapLog


async def test_force_drop_caches_and_reload_reach_the_swapper_and_are_off_by_default(bench):
    await bench.http.post("/api/swap", json={"model": "gpt-oss-120b", "dry_run": True})
    order = {"model": "gpt-oss-120b", "dry_run": True, "force": True, "drop_caches": True}
    order["reload"] = True
    await bench.http.post("/api/swap", json=order)
    asked = [(one.force, one.drop_caches, one.reload) for one in bench.swapper.asked]
    assert asked == [(False, False, False), (True, True, True)]


async def test_the_history_is_paged_by_time_and_filtered_by_model(bench):
    query = {"before": "2026-01-01T00:00:00Z", "model": "qwen", "limit": 5}
    assert (await bench.http.get("/api/swap", params=query)).status_code == 200
    # The gateway itself asks for the newest swaps now and then, without a filter.
    (asked,) = [one for one in bench.swapper.listed if one.model == "qwen"]
    assert (asked.before.isoformat(), asked.limit) == ("2026-01-01T00:00:00+00:00", 5)


@pytest.mark.parametrize(
    "query", [{"before": "yesterday"}, {"before": "2026-01-01T00:00:00"}, {"model": ""}]
)
async def test_what_is_no_time_or_no_model_is_422(bench, query):
    answer = await bench.http.get("/api/swap", params=query)
    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid_request"


async def test_a_log_comes_in_pages(bench):
    bench.swapper.begin("one")
    bench.swapper.logged = [f"line {n}" for n in range(250)]
    answer = await bench.http.get("/api/swap/one/log", params={"after": 200, "limit": 20})
    page = SwapLog.model_validate(answer.json())
    assert page.lines == [f"line {n}" for n in range(200, 220)]
    assert (page.first, page.total, page.cut) == (201, 250, True)


async def test_as_plain_text_the_log_is_whole(bench):
    bench.swapper.begin("one")
    bench.swapper.logged = [f"line {n} \u00fc" for n in range(250)]
    answer = await bench.http.get("/api/swap/one/log", headers={"accept": "text/plain"})
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["content-disposition"] == 'inline; filename="swap-one.log"'
    assert answer.text.splitlines() == bench.swapper.logged


async def test_an_empty_log_is_an_empty_page_and_an_empty_text(bench):
    bench.swapper.begin("one")
    assert (await bench.http.get("/api/swap/one/log")).json()["lines"] == []
    text = await bench.http.get("/api/swap/one/log", headers={"accept": "text/plain"})
    assert (text.status_code, text.text) == (200, "")


@pytest.mark.parametrize("accept", ["text/plain", "application/json"])
async def test_the_log_of_an_unknown_swap_is_404(bench, accept):
    answer = await bench.http.get("/api/swap/none/log", headers={"accept": accept})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("query", [{"after": -1}, {"limit": 0}, {"limit": 5001}, {"after": "x"}])
async def test_a_page_that_cannot_be_is_422(bench, query):
    answer = await bench.http.get("/api/swap/one/log", params=query)
    assert answer.status_code == 422
