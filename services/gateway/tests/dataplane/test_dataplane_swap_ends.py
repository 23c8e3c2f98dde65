"""The end of a swap, however it becomes known: told, seen, or not at all."""

from datetime import timedelta

import pytest
from gateway_stand.held import asked, error_of
from gateway_stand.holding import Cluster, post

from spark_common.contracts.swaps import Phase

pytestmark = pytest.mark.connected


@pytest.fixture
async def cluster(make_plane):
    plane = await make_plane(company_seconds=0.01)
    return Cluster(plane, plane.meters)


@pytest.mark.parametrize(("how", "serving"), [("ready", None), ("failed", "old")])
async def test_an_end_that_nobody_told_is_in_the_picture(cluster, eventually, how, serving):
    cluster.begin()
    _, answer = await asked(cluster, eventually, post())
    cluster.end(how, serving, told=False)
    _, body = await answer
    assert (body == b"{}") == (how == "ready")
    if how != "ready":
        assert error_of(body)["code"] == "model_load_failed"


@pytest.mark.parametrize("skew", [-3600, 3600])
@pytest.mark.parametrize("told", [True, False])
async def test_the_end_of_a_swap_counts_whatever_the_clock_of_the_swapper_says(
    cluster, eventually, monkeypatch, skew, told
):
    cluster.begin()
    _, answer = await asked(cluster, eventually, post())
    now = cluster.clock.now
    monkeypatch.setattr(cluster.clock, "now", lambda: now() + timedelta(seconds=skew))
    cluster.end(told=told)
    assert (await answer)[1] == b"{}"


@pytest.mark.parametrize(("how", "serving"), [("ready", None), ("rolled_back", "old")])
async def test_a_look_that_finds_nothing_yet_is_not_the_last(cluster, eventually, how, serving):
    cluster.begin()
    _, answer = await asked(cluster, eventually, post("auto"))
    serves, cluster.seen = cluster.seen, lambda state=None: None
    cluster.end(how, serving)
    serves("unreachable")
    serves("idle")
    assert len(cluster.holding.room) == 1
    serves()
    assert (await answer)[1] == b"{}"


async def test_a_model_that_is_never_seen_after_its_swap_is_not_awaited_for_long(
    cluster, eventually
):
    cluster.begin()
    _, answer = await asked(cluster, eventually, post("auto"))
    cluster.seen = lambda state=None: None
    cluster.end("rolled_back", "old")
    assert len(cluster.holding.room) == 1
    cluster.pass_time(16)
    assert error_of((await answer)[1])["code"] == "model_load_failed"


async def test_a_picture_older_than_the_swap_lets_nobody_go(cluster, eventually):
    cluster.begin(phase=Phase.DRAINING)
    _, answer = await asked(cluster, eventually, post("auto"))
    cluster.step()
    swap, cluster.swap = cluster.swap, None
    cluster.picture()
    assert len(cluster.holding.room) == 1
    cluster.swap = swap
    cluster.end()
    assert (await answer)[1] == b"{}"
    assert b"new-served" in cluster.plane.upstream.bodies[0]
