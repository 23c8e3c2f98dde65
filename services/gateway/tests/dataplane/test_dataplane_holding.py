"""Requests during a swap, through real connections: who is held, who is not, and what they hear."""

import asyncio
import json

import pytest
from gateway_stand.held import asked, error_of
from gateway_stand.holding import CHAT, EVENT, JSON, Cluster, post

from spark_common.contracts.models import Menu, RuntimeView
from spark_common.contracts.swaps import Phase
from spark_gateway.dataplane.ports import Upstream

pytestmark = pytest.mark.connected

TARGET = ["new", "new-served", "Org/new", "quick"]
ANYTHING = ["auto", "gpt-4o", None, ""]
OTHERS = ["old", "old-served", "third"]
ENDS = {
    "ready": ("ready", None),
    "rolled back": ("rolled_back", "old"),
    "failed, nothing is loaded": ("failed", None),
    "failed, the old one stayed": ("failed", "old"),
    "cancelled, the old one stayed": ("cancelled", "old"),
    "cancelled, nothing is loaded": ("cancelled", None),
}


@pytest.fixture
async def cluster(make_plane):
    plane = await make_plane(company_seconds=0.01)
    return Cluster(plane, plane.meters)


@pytest.mark.parametrize("ending", ENDS)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_the_matrix(cluster, eventually, ending, stream):
    """Every name at once, so that nobody's answer is another one's."""
    how, serving = ENDS[ending]
    cluster.begin(phase=Phase.DRAINING if serving and how != "rolled_back" else Phase.LOADING)
    asks = {}
    for name in (*TARGET, *ANYTHING, *OTHERS):
        more = b"Connection: close\r\n" if stream else b""
        asks[name] = await asked(cluster, eventually, post(name, more=more, stream=stream))
    assert len(cluster.holding.room) == len(TARGET) + len(ANYTHING)
    for name in OTHERS:
        raw = await asks[name][1]
        head, body = raw.split(b"\r\n\r\n", 1) if stream else raw
        assert head.startswith(b"HTTP/1.1 503")
        assert b"x-should-retry: true" in head
        assert error_of(body)["code"] == "model_loading"
        assert json.loads(body)["loading"]["swap_id"] == "s1"
        assert "eta_seconds" not in json.loads(body)["loading"]
    if stream:
        pending = [each for each in cluster.plane.state.connections if each._pending]
        await eventually(lambda: all(each._pending.answered for each in pending))
    cluster.end(how, serving)
    for name in (*TARGET, *ANYTHING):
        suits = how == "ready" or (serving is not None and name in ANYTHING)
        raw = await asks[name][1]
        if stream:
            assert raw.startswith(b"HTTP/1.1 200 OK\r\n")
            assert b": waiting" in raw
            assert (EVENT in raw) == suits
            assert (b"[DONE]" in raw) == suits
            assert (b'"error"' in raw) != suits
            said = raw
        else:
            said = raw[1]
            assert (said == b"{}") == suits
            assert raw[0].startswith(b"HTTP/1.1 200" if suits else b"HTTP/1.1 503")
            assert (b"x-should-retry: false" in raw[0]) != suits
        if not suits:
            verb = b"cancelled" if how == "cancelled" else b"failed"
            assert b"model_load_" + verb in said
            assert b"too little memory" in said
            now = b"'old' is loaded now" if serving else b"No model is loaded now"
            assert now in said
    loaded = "new-served" if how == "ready" else "old-served"
    sent = [json.loads(body) for body in cluster.plane.upstream.bodies]
    named = [body["model"] for body in sent if body.get("model")]
    expected = (len(TARGET) if how == "ready" else 0) + (2 if serving or how == "ready" else 0)
    assert named == [loaded] * expected
    assert not len(cluster.holding.room)
    assert cluster.holding.room.bytes == 0
    assert cluster.plane.shared.kept_bytes == 0


@pytest.mark.parametrize("path", [CHAT, b"/v1/messages"])
async def test_a_failure_is_told_in_the_dialect_of_the_caller(cluster, eventually, path):
    cluster.begin()
    _, answer = await asked(cluster, eventually, post(path=path))
    cluster.end("failed")
    body = json.loads((await answer)[1])
    code = body["code"] if path == b"/v1/messages" else body["error"]["code"]
    assert code == "model_load_failed"
    assert body["loading"] == {"model": "new", "state": "failed", "swap_id": "s1"}
    assert ("type" in body) == (path == b"/v1/messages")


async def test_during_the_way_back_the_old_model_is_the_one_that_comes(cluster, eventually):
    cluster.begin()
    _, target = await asked(cluster, eventually, post("new"))
    cluster.step(Phase.ROLLING_BACK)
    _, old = await asked(cluster, eventually, post("old"))
    _, late = await asked(cluster, eventually, post("new"))
    assert error_of((await late)[1])["code"] == "model_loading"
    assert not target.done()
    cluster.end("rolled_back", "old")
    assert (await old)[1] == b"{}"
    assert error_of((await target)[1])["code"] == "model_load_failed"


async def test_a_way_back_that_fails_is_told_to_all(cluster, eventually):
    cluster.begin()
    cluster.step(Phase.ROLLING_BACK)
    _, old = await asked(cluster, eventually, post("old"))
    _, auto = await asked(cluster, eventually, post("auto"))
    cluster.end("failed")
    for answer in (old, auto):
        assert error_of((await answer)[1])["code"] == "model_load_failed"


@pytest.mark.parametrize("phase", [Phase.PREFLIGHT, Phase.DRAINING, Phase.WARMING])
async def test_the_target_is_held_in_every_phase_and_the_old_one_goes_on_until_it_drains(
    cluster, eventually, phase
):
    cluster.begin(phase=phase)
    _, new = await asked(cluster, eventually, post("new"))
    _, old = await asked(cluster, eventually, post("old"))
    head, body = await old
    if phase is Phase.PREFLIGHT:
        assert body == b"{}"
    else:
        assert head.startswith(b"HTTP/1.1 503")
    assert not new.done()
    cluster.end()
    assert (await new)[1] == b"{}"


async def test_answers_of_the_old_model_that_are_being_written_go_on(cluster, eventually):
    release = asyncio.Event()

    async def slow(peer):
        await peer.message()
        await release.wait()
        await peer.send(JSON)

    cluster.plane.upstream.script = slow
    client = await cluster.plane.connect()
    await client.send(post("old"))
    await eventually(lambda: cluster.plane.meters.in_flight() == 1)
    cluster.begin(phase=Phase.DRAINING)
    release.set()
    assert (await client.message())[1] == b"{}"


@pytest.mark.parametrize("stream", [False, True])
async def test_a_client_that_leaves_is_dropped(cluster, eventually, stream):
    cluster.begin()
    client, _ = await asked(cluster, eventually, post(stream=stream))
    client.reset()
    await eventually(lambda: not len(cluster.holding.room))
    cluster.end()
    assert cluster.plane.upstream.connections == 0
    assert cluster.holding.room.bytes == 0


@pytest.mark.parametrize(
    ("bound", "text"), [({"hold_most": 2}, ""), ({"hold_most_mb": 0.025}, "x" * 10_000)]
)
async def test_no_more_are_held_than_may_be(cluster, eventually, bound, text):
    cluster.change(**bound)
    cluster.begin()
    held = [(await asked(cluster, eventually, post(text=text)))[1] for _ in range(2)]
    _, third = await asked(cluster, eventually, post(text=text))
    head, body = await third
    assert error_of(body)["code"] == "model_loading"
    assert b"retry-after: 15" in head
    cluster.end()
    for answer in held:
        assert (await answer)[1] == b"{}"


async def test_a_body_too_long_to_keep_hears_how_the_swap_stands(make_plane):
    plane = await make_plane(kept_bytes=1 << 20)
    cluster = Cluster(plane, plane.meters)
    cluster.begin(phase=Phase.PREFLIGHT)
    body = b'{"model":"new","x":"' + b"x" * (3 << 20) + b'"}'
    client = await cluster.plane.connect()
    head = b"POST %b HTTP/1.1\r\nHost: g\r\nContent-Length: %d\r\n\r\n" % (CHAT, len(body))
    sending = asyncio.ensure_future(client.send(head + body))
    head, said = await client.message()
    assert head.startswith(b"HTTP/1.1 503")
    assert error_of(said)["code"] == "model_loading"
    sending.cancel()


@pytest.mark.parametrize(("more", "seconds"), [(b"", 540), (b"Prefer: wait=30\r\n", 30)])
async def test_nobody_is_held_longer_than_it_may_be(cluster, eventually, more, seconds):
    cluster.begin(eta_seconds=20)
    _, answer = await asked(cluster, eventually, post(more=more))
    cluster.pass_time(seconds - 1)
    assert len(cluster.holding.room) == 1
    cluster.step()
    cluster.pass_time(1)
    head, body = await answer
    assert b"x-should-retry: true" in head
    assert error_of(body)["code"] == "model_loading"


async def test_time_that_was_waited_before_counts(cluster, eventually):
    cluster.begin()
    _, answer = await asked(cluster, eventually, post("auto", more=b"Prefer: wait=100\r\n"))
    cluster.pass_time(60)
    cluster.queue = cluster.queue.model_copy(update={"model_requests_at_once": 1})
    cluster.turnstile.enter(Occupant(), Upstream("127.0.0.1", 1), CHAT, None)
    cluster.end()
    await eventually(lambda: cluster.turnstile.waiting("llm") == 1)
    cluster.begin("third", swap_id="s2")
    cluster.queue = cluster.queue.model_copy(update={"model_requests_at_once": 2})
    cluster.turnstile.look()
    await eventually(lambda: len(cluster.holding.room) == 1)
    cluster.pass_time(39)
    assert len(cluster.holding.room) == 1
    cluster.pass_time(2)
    assert error_of((await answer)[1])["code"] == "model_loading"


class Occupant:
    label = share = "somebody"
    weight = 1
    concurrency = 0
    by_key = False
    picky = False


async def test_the_held_take_turns_like_everybody(cluster, eventually):
    cluster.queue = cluster.queue.model_copy(update={"model_requests_at_once": 1})
    release = asyncio.Semaphore(0)
    most = inside = 0

    async def slow(peer):
        nonlocal most, inside
        while (message := await peer.message())[0]:
            inside += 1
            most = max(most, inside)
            cluster.plane.upstream.bodies.append(message[1])
            await release.acquire()
            inside -= 1
            await peer.send(JSON)

    cluster.plane.upstream.script = slow
    cluster.begin()
    answers = [(await asked(cluster, eventually, post("new", text=str(n))))[1] for n in range(5)]
    cluster.end()
    await eventually(lambda: len(cluster.plane.upstream.bodies) == 1)
    assert cluster.turnstile.waiting("llm") == 4
    for _ in range(5):
        release.release()
    assert [(await answer)[1] for answer in answers] == [b"{}"] * 5
    assert most == 1
    said = [json.loads(body)["messages"][0]["content"] for body in cluster.plane.upstream.bodies]
    assert said == list("01234")


async def test_a_server_that_stops_answers_whom_it_holds(cluster, eventually):
    cluster.begin()
    _, answer = await asked(cluster, eventually, post())
    for connection in list(cluster.plane.state.connections):
        connection.shutdown()
    head, body = await answer
    assert error_of(body)["code"] == "restarting"
    assert b"x-should-retry: true" in head
    assert not len(cluster.holding.room)


async def test_without_the_bus_a_load_is_awaited_and_seen(cluster, eventually):
    cluster.begin()
    _, new = await asked(cluster, eventually, post("new"))
    cluster.pass_time(200)
    assert not new.done()
    cluster.loaded = "new"
    cluster.seen()
    assert (await new)[1] == b"{}"


@pytest.mark.parametrize("more", [b"", b"Prefer: respond-async, wait=60\r\n"])
async def test_without_holding_only_who_asks_for_it_is_held(cluster, eventually, more):
    cluster.change(hold_requests=False)
    cluster.begin()
    _, answer = await asked(cluster, eventually, post(more=more))
    if not more:
        assert error_of((await answer)[1])["code"] == "model_loading"
        return
    cluster.end()
    assert (await answer)[1] == b"{}"


async def test_who_will_not_wait_hears_at_once(cluster, eventually):
    cluster.begin()
    _, answer = await asked(cluster, eventually, post(more=b"prefer: Wait=0\r\n"))
    assert error_of((await answer)[1])["code"] == "model_loading"


@pytest.mark.parametrize("method", [b"GET", b"DELETE", b"PUT"])
async def test_nothing_but_a_post_is_held(cluster, eventually, method):
    cluster.begin()
    for path in (b"/v1/files", CHAT):
        request = post(path=path).replace(b"POST", method)
        _, answer = await asked(cluster, eventually, request)
        assert (await answer)[0].startswith(b"HTTP/1.1 503")
    request = method + b" /v1/files HTTP/1.1\r\nHost: g\r\n\r\n"
    _, answer = await asked(cluster, eventually, request)
    assert (await answer)[0].startswith(b"HTTP/1.1 503")
    assert cluster.plane.upstream.connections == 0


async def test_a_model_that_starts_without_a_swap_is_awaited(cluster, eventually):
    cluster.loaded = None
    cluster.begin()
    cluster.swap = None
    runtime = RuntimeView(state="starting", model="new")
    cluster.pass_time(200)
    cluster.picture(
        menu=Menu(models=[], recipes=[], hosts=[], runtime=runtime, as_of=cluster.clock.now())
    )
    _, new = await asked(cluster, eventually, post("new"))
    _, old = await asked(cluster, eventually, post("old"))
    assert error_of((await old)[1])["code"] == "model_loading"
    cluster.loaded = "new"
    cluster.seen()
    assert (await new)[1] == b"{}"


async def test_a_model_on_the_menu_that_is_not_loaded_is_said_to_be(cluster, eventually):
    _, answer = await asked(cluster, eventually, post("quick"))
    head, body = await answer
    assert head.startswith(b"HTTP/1.1 503")
    assert b"x-should-retry: false" in head
    assert error_of(body)["code"] == "model_not_loaded"
    assert (
        "'new-served' is on the menu and not loaded; 'old-served' is" in error_of(body)["message"]
    )
    assert cluster.bus.asked == []


async def test_a_model_is_found_under_every_name_before_anybody_looked(cluster, eventually):
    cluster.begin()
    cluster.seen("serving")
    cluster.end()
    cluster.look.served = cluster.look.served.__class__("serving", ())
    for name in TARGET:
        _, answer = await asked(cluster, eventually, post(name))
        assert (await answer)[1] == b"{}"


async def test_auto_too_far_behind_in_a_body_is_a_413_that_says_what_to_do(make_plane):
    plane = await make_plane(kept_bytes=1 << 20)
    cluster = Cluster(plane, plane.meters)
    pad = b'{"x":"' + b"x" * (3 << 20) + b'","model":"auto"}'
    head = b"POST %b HTTP/1.1\r\nHost: g\r\nContent-Length: %d\r\n\r\n" % (CHAT, len(pad))
    client = await cluster.plane.connect()
    sending = asyncio.ensure_future(client.send(head + pad))
    head, body = await client.message()
    assert head.startswith(b"HTTP/1.1 413")
    message = error_of(body)["message"]
    assert error_of(body)["param"] == "model"
    assert "'auto' stands too far behind in a body of this size" in message
    assert 'put "model" first' in message
    sending.cancel()
