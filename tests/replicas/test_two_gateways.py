"""Two gateways that know nothing of each other: what holds at both, what at each, and who goes on.

They share one NATS and the coordinator behind it, with its Redis, and one model server. The swapper
is played, so that swaps happen as the tests say.
"""

import asyncio
import signal
import time
from typing import Any

import httpx
import pytest
import pytest_asyncio
from replica_lab.place import COMING, LOADED, TOKENS, Place, Side, open_place

from spark_common.contracts.swaps import TERMINAL
from spark_common.testing.wait import until, within

pytestmark = [
    pytest.mark.connected,
    pytest.mark.timeout(240),
    pytest.mark.asyncio(loop_scope="module"),
]
KNOWN_SECONDS = 2.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory):
    async with open_place(tmp_path_factory.mktemp("two")) as made:
        yield made


async def test_a_key_made_at_one_opens_the_other_at_once_and_so_ends_its_session(place):
    key = ""

    async def made() -> float:
        nonlocal key
        key = await place.one.key("app")
        return await place.known(key)

    await within(KNOWN_SECONDS, made)
    second = await place.other.key("Bob", scopes=["admin"])

    async def signed_out() -> float:
        cookie = await signed_in(place, place.one, second)
        for side in place.sides:
            view = (await side.http.get("/api/session", headers=cookie)).json()
            assert (view["signed_in"], view["name"]) == (True, "Bob")
            assert (await side.http.get("/api/keys", headers=cookie)).status_code == 200
        out = await place.one.http.delete("/api/session", headers=cookie)
        assert out.status_code == 200
        began = time.monotonic()
        await until(lambda: shuts(place.other, cookie), "a copy of the cookie opens nothing")
        return time.monotonic() - began

    await within(KNOWN_SECONDS, signed_out)

    async def revoked() -> float:
        key, admin = await place.one.key("app"), await place.other.key("Bob", scopes=["admin"])
        await place.known(key)
        cookie = await signed_in(place, place.other, admin)
        listed = (await place.one.get("/api/keys")).json()["keys"]
        began = time.monotonic()
        for each in listed:
            if each["name"] in ("Bob", "app"):
                gone = await place.one.http.delete(
                    f"/api/keys/{each['id']}", headers=place.one.admin
                )
                assert gone.status_code == 200
        await until(lambda: place.other.lets(key, 401), "the key is out at the other")
        await until(lambda: shuts(place.other, cookie), "and the session with its key")
        return time.monotonic() - began

    await within(KNOWN_SECONDS, revoked)


async def signed_in(place: Place, side: Side, key: str) -> dict[str, str]:
    """Sign in at a gateway, and return what keeps that session; the clients forget it."""
    await until(lambda: signs_in(side, {"key": key}), "Bob signs in")
    cookie = {"cookie": f"spark_session={side.http.cookies['spark_session']}"}
    for each in place.sides:
        each.http.cookies.clear()
    return cookie


async def shuts(side: Side, cookie: dict[str, str]) -> bool:
    return (await side.http.get("/api/keys", headers=cookie)).status_code == 401


async def signs_in(side: Side, word: Any) -> bool:
    return (await side.http.post("/api/session", json=word)).status_code == 200


async def test_a_setting_changed_at_one_holds_at_the_other(place):
    key = await place.one.key("uploader")
    await place.known(key)

    async def refused(wanted: bool) -> bool:
        body = {"model": LOADED, "pad": "x" * 1_100_000}
        shown = {"authorization": f"Bearer {key}"}
        answer = await place.other.http.post("/v1/chat/completions", json=body, headers=shown)
        return (answer.status_code == 413) is wanted

    async def changed() -> float:
        freed = await place.other.post("/api/settings", {"REQUEST_LIMIT_MB": 64})
        assert freed.status_code == 200
        await until(lambda: refused(False), "there is room at the other")
        limited = await place.one.post("/api/settings", {"REQUEST_LIMIT_MB": 1})
        assert limited.status_code == 200
        began = time.monotonic()
        await until(lambda: refused(True), "the limit holds at the other")
        return time.monotonic() - began

    await within(KNOWN_SECONDS, changed)
    assert (await place.other.post("/api/settings", {"REQUEST_LIMIT_MB": 64})).status_code == 200


@pytest.mark.parametrize("limit", ["requests_per_minute", "tokens_per_minute"])
async def test_a_minute_is_counted_by_each_gateway_for_itself(place, limit):
    """As docs/api/keys.md says: a key may have its rate at each."""
    key = await place.one.key(limit, **{limit: {"requests_per_minute": 2}.get(limit, TOKENS)})
    what = limit.removesuffix("_per_minute")
    for side in place.sides:
        await until(lambda side=side: side.lets(key, 429), f"{what} are used up here")
        answer = await side.chat(key)
        assert answer.json()["error"]["code"] == "rate_limit_exceeded"
        assert f"x-ratelimit-limit-{what}" in answer.headers

    async def known() -> float:
        return await place.known(await place.other.key(f"beside {limit}"))

    await within(KNOWN_SECONDS, known)


async def test_concurrency_is_that_of_each_gateway_and_what_is_more_waits(place):
    key = await place.one.key("narrow", concurrency=1)
    await place.known(key)
    place.server.open.clear()
    asked = [asyncio.create_task(side.chat(key)) for side in place.sides for _ in range(3)]
    try:
        for side in place.sides:
            waiting = lambda side=side: waits(side, 2)  # noqa: E731
            await until(waiting, "two wait for their turn here")
        assert place.server.inside == 2
    finally:
        place.server.open.set()
    assert [(await each).status_code for each in asked] == [200] * 6


async def waits(side: Side, count: int) -> bool:
    return await side.number("spark_gateway_queue_waiting") == count


async def holds(side: Side, count: int) -> bool:
    return await side.number("spark_gateway_held_now") == count


async def test_a_swap_asked_for_at_one_holds_and_is_told_at_both(place):
    key = await place.one.key("swapping")
    await place.known(key)
    begun = await place.one.post("/api/swap", {"model": COMING}, **{"idempotency-key": "s1"})
    assert begun.status_code == 202
    again = await place.other.post("/api/swap", {"model": COMING}, **{"idempotency-key": "s1"})
    assert (again.status_code, again.json()["id"]) == (202, "s1")
    for side in place.sides:
        # Nothing was told of the swap yet, but whoever read that it was accepted may ask.
        told = (await side.chat(key, COMING)).json()
        assert (told["error"]["code"], told["loading"]["swap_id"]) == ("model_loading", "s1")
    await place.swapper.load("s1")
    for side in place.sides:
        loads = lambda side=side: side.lets(key, 503, "auto")  # noqa: E731
        await until(loads, "it loads here too")
    asked = [
        asyncio.create_task(side.chat(key, model, wait=60))
        for side in place.sides
        for model in (COMING, "auto")
    ]
    for side in place.sides:
        await until(lambda side=side: holds(side, 2), "two are held here")
        told = (await side.chat(key)).json()
        assert (told["error"]["code"], told["loading"]["swap_id"]) == ("model_loading", "s1")
    await place.swapper.bring("s1")
    for each in asked:
        answer = await each
        assert (answer.status_code, answer.json()["model"]) == (200, COMING)
    for side in place.sides:
        story = (await side.get("/api/swap/s1/stream")).text
        assert "event: swap.progress" in story
        assert "event: swap.complete" in story
    place.swapper.begin("back", LOADED)
    await place.swapper.load("back")
    await place.swapper.bring("back")
    for side in place.sides:
        back = lambda side=side: side.lets(key, 503, COMING)  # noqa: E731
        await until(back, "it is known that the other model is loaded again")


async def test_requests_at_both_bring_one_swap_and_the_death_of_one_gateway_stops_nobody(place):
    key = await place.one.key("wanting")
    await place.known(key)
    before = set(place.swapper.views)
    asked = {
        side.process.port: [asyncio.create_task(side.chat(key, COMING, wait=60)) for _ in range(3)]
        for side in place.sides
    }
    for side in place.sides:
        await until(lambda side=side: holds(side, 3), "all are held")
    await until(lambda: len(set(place.swapper.views) - before) == 1, "a swap was asked for")
    (swap_id,) = set(place.swapper.views) - before
    await place.swapper.load(swap_id)

    await place.one.process.end(signal.SIGKILL)
    for each in asked[place.one.process.port]:
        with pytest.raises(httpx.TransportError):
            await each
    assert await place.other.number("spark_gateway_held_now") == 3
    late = asyncio.create_task(place.other.chat(key, "auto", wait=60))
    await until(lambda: holds(place.other, 4), "the other goes on holding")
    await place.swapper.bring(swap_id)
    for each in (*asked[place.other.process.port], late):
        assert (await each).json()["model"] == COMING
    assert set(place.swapper.views) - before == {swap_id}
    assert all(view.phase in TERMINAL for view in place.swapper.views.values())
    made_alone = await place.other.key("made alone")
    await until(lambda: place.other.lets(made_alone, model=COMING), "keys are made as before")
