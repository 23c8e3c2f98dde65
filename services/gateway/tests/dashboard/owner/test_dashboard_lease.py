"""The reservation as people see it: theirs, somebody else's, and the line for it."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from spark_common.contracts.leases import LeaseGrant, Released
from spark_common.events import LockForced, LockGranted, LockYieldRequested

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror=alert(1)>'\"&{{7*7}}"
TOKEN = "token-of-tests-4711"


def said(model: Any) -> Any:
    return model.model_dump(mode="json")


def banner(page: Page) -> Locator:
    return page.locator("lock-banner")


def card(page: Page, name: str) -> Locator:
    return page.get_by_role("article", name=name, exact=True)


def held_reply(stage: Any, scenes: Any, *, token: str = TOKEN, **changes: Any) -> None:
    """The lease is given to whoever asks, and seen as theirs."""
    grant = LeaseGrant(state="held", token=token, epoch=7, remaining_seconds=3600.0)
    stage.replies["POST", "/api/swap/lock"] = (200, said(grant))
    mine = scenes.lease("Alice", 3600.0, yours="lease", **changes)
    stage.replies["GET", "/api/swap/lock"] = (200, said(mine))


def reserve(page: Page, holder: str = "Alice") -> None:
    page.get_by_role("button", name="Reserve…").click()
    dialog = page.get_by_role("dialog", name="Reserve the Sparks")
    dialog.get_by_label("Who reserves").fill(holder)
    dialog.get_by_label("Why").fill("an evaluation")
    dialog.get_by_role("button", name="Reserve", exact=True).click()


def test_a_reservation_stands_above_everything_and_counts_down(
    stage: Any, scenes: Any, visit: Any
) -> None:
    queue = [scenes.waiter(1, "Bob"), scenes.waiter(2, "eval-run")]
    lease = scenes.lease(seconds=61.0, queue=queue, yields=[scenes.asked_to_yield()])
    # The server's calendar is wrong by years: only what remains counts.
    lease = lease.model_copy(update={"expires_at": lease.expires_at.replace(year=2020)})
    stage.snapshot = scenes.snapshot(lease=said(lease))
    page = visit(clocked=True).page
    box = banner(page)
    expect(box.get_by_role("heading")).to_contain_text("Reserved by crm-sync until")
    expect(box).to_contain_text("Importing new contacts for Alice")
    expect(box.get_by_role("list", name="Waiting in line").get_by_role("listitem")).to_have_count(2)
    expect(box.get_by_role("list", name="Asked to release it")).to_contain_text("Bob asks")
    expect(box.get_by_role("heading")).to_contain_text("1\u00a0min left")
    page.clock.run_for(5000)
    expect(box.get_by_role("heading")).to_contain_text("55\u00a0s left")
    first = page.evaluate("document.querySelector('main').firstElementChild.localName")
    assert first in ("noscript", "lock-banner")
    expect(page.get_by_role("banner").get_by_role("status")).to_contain_text("Reserved")


def test_swap_buttons_pause_with_the_reason_and_come_back(
    stage: Any, scenes: Any, visit: Any
) -> None:
    stage.snapshot = scenes.snapshot()
    page = visit().page
    go = card(page, "gpt-oss-120b").get_by_role("button").first
    expect(go).to_be_enabled()
    stage.tell("lease", said(scenes.lease()))
    expect(go).to_be_disabled()
    expect(card(page, "gpt-oss-120b")).to_contain_text(
        re.compile(r"Reserved until (\d+ \w+ )?\d\d:\d\d")
    )
    stage.tell("lease", said(scenes.free_lease(epoch=7)))
    expect(go).to_be_enabled()
    expect(banner(page)).to_be_hidden()


def test_a_swap_anyway_names_the_holder_and_is_forced(stage: Any, scenes: Any, visit: Any) -> None:
    stage.snapshot = scenes.snapshot(lease=said(scenes.lease()))
    stage.answers["POST"] = (202, said(scenes.swap("queued", {"queued": None}, n=0)))
    page = visit().page
    card(page, "gpt-oss-120b").locator(".more > summary").click()
    card(page, "gpt-oss-120b").get_by_role("button", name="Switch anyway").click()
    dialog = page.get_by_role("dialog", name=re.compile("though crm-sync has reserved"))
    expect(dialog.get_by_role("button", name="Keep the reservation")).to_be_focused()
    dialog.get_by_role("button", name="Swap anyway").click()
    expect(page.get_by_text("Switching to", exact=True)).to_be_visible()
    assert [(m, u) for m, u, _ in stage.shown if m == "POST" and u.startswith("/api/swap?")] == [
        ("POST", "/api/swap?force=true")
    ]


def test_a_foreign_reservation_is_ended_only_after_a_question(
    stage: Any, scenes: Any, visit: Any
) -> None:
    stage.snapshot = scenes.snapshot(lease=said(scenes.lease()))
    stage.replies["DELETE", "/api/swap/lock"] = (
        200, said(Released(released="lease", holder="crm-sync", epoch=7)),
    )  # fmt: skip
    stage.replies["GET", "/api/swap/lock"] = (200, said(scenes.free_lease(epoch=7)))
    page = visit().page
    banner(page).get_by_role("button", name="Release…").click()
    dialog = page.get_by_role("dialog", name="End the reservation of crm-sync?")
    expect(dialog.get_by_role("button", name="Keep the reservation")).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    assert not [each for each in stage.shown if each[0] == "DELETE"]
    banner(page).get_by_role("button", name="Release…").click()
    dialog.get_by_role("button", name="End it now").click()
    expect(banner(page)).to_be_hidden()
    deleted = [url for method, url, _ in stage.shown if method == "DELETE"]
    assert deleted == ["/api/swap/lock?force=true&requested_by=dashboard"]


def test_a_question_about_one_holder_is_no_answer_about_the_next(
    stage: Any, scenes: Any, visit: Any
) -> None:
    stage.snapshot = scenes.snapshot(lease=said(scenes.lease()))
    page = visit().page
    meanwhile = page.get_by_text("Carol has reserved the Sparks meanwhile")
    banner(page).get_by_role("button", name="Release…").click()
    stage.tell("lease", said(scenes.lease("Carol", epoch=8)))
    expect(banner(page)).to_contain_text("Reserved by Carol")
    page.get_by_role("dialog").get_by_role("button", name="End it now").click()
    expect(meanwhile).to_be_visible()
    page.get_by_role("button", name="Dismiss").click()
    stage.tell("lease", said(scenes.lease("Bob", epoch=9)))
    expect(banner(page)).to_contain_text("Reserved by Bob")
    card(page, "gpt-oss-120b").locator(".more > summary").click()
    card(page, "gpt-oss-120b").get_by_role("button", name="Switch anyway").click()
    dialog = page.get_by_role("dialog", name=re.compile("though Bob has reserved"))
    stage.tell("lease", said(scenes.lease("Carol", epoch=10)))
    expect(banner(page)).to_contain_text("Reserved by Carol")
    dialog.get_by_role("button", name="Swap anyway").click()
    expect(meanwhile).to_be_visible()
    assert not [each for each in stage.shown if each[0] == "DELETE" or "force" in each[1]]


def test_one_may_ask_for_it_politely(stage: Any, scenes: Any, visit: Any) -> None:
    stage.snapshot = scenes.snapshot(lease=said(scenes.lease()))
    asked = scenes.lease(yields=[scenes.asked_to_yield("Carol", "for a demo")])
    stage.replies["POST", "/api/swap/lock/yield"] = (200, said(asked))
    page = visit().page
    banner(page).get_by_role("button", name="Ask to release by").click()
    dialog = page.get_by_role("dialog", name="Ask crm-sync to release the Sparks")
    dialog.get_by_role("button", name="Ask", exact=True).click()
    expect(dialog.get_by_label("Who asks")).to_have_attribute("aria-invalid", "true")
    expect(dialog.get_by_label("Who asks")).to_be_focused()
    dialog.get_by_label("Who asks").fill("Carol")
    dialog.get_by_label("By when").fill("14:00")
    dialog.get_by_label("A word with it").fill("for a demo")
    dialog.get_by_role("button", name="Ask", exact=True).click()
    expect(banner(page)).to_contain_text("Carol asks to release it")
    [body] = [body for method, path, body in stage.asked if path == "/api/swap/lock/yield"]
    assert body["requested_by"] == "Carol"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT14:00:00.000Z", body["by"])


def test_the_page_reserves_swaps_with_its_token_and_releases(
    stage: Any, scenes: Any, visit: Any
) -> None:
    stage.snapshot = scenes.snapshot()
    stage.answers["POST"] = (202, said(scenes.swap("queued", {"queued": None}, n=0)))
    held_reply(stage, scenes)
    page = visit().page
    reserve(page)
    expect(banner(page).get_by_role("heading")).to_contain_text("Reserved by you until")
    [body] = [
        body for method, path, body in stage.asked if (method, path) == ("POST", "/api/swap/lock")
    ]
    assert body == {
        "holder": "Alice", "reason": "an evaluation", "ttl_seconds": 3600, "wait": False,
        "priority": "human",
    }  # fmt: skip
    stage.snapshot = scenes.snapshot(lease=said(scenes.lease("Alice", 3500.0)))
    page.reload()
    expect(banner(page).get_by_role("heading")).to_contain_text("Reserved by you until")
    card(page, "gpt-oss-120b").get_by_role("button", name="Switch to this").click()
    page.get_by_role("dialog").get_by_role("button", name="Switch now").click()
    expect(page.get_by_text("Switching to", exact=True)).to_be_visible()
    [swapped] = [each for each in stage.shown if each[:2] == ("POST", "/api/swap")]
    assert swapped[2] == TOKEN
    gone = Released(released="lease", holder="Alice", epoch=7)
    stage.replies["DELETE", "/api/swap/lock"] = (200, said(gone))
    stage.replies["GET", "/api/swap/lock"] = (200, said(scenes.free_lease(epoch=7)))
    banner(page).get_by_role("button", name="Release…").click()
    page.get_by_role("dialog").get_by_role("button", name="Release it").click()
    expect(banner(page)).to_be_hidden()
    [(_, url, token)] = [each for each in stage.shown if each[0] == "DELETE"]
    assert token == TOKEN
    assert all(TOKEN not in each[1] for each in stage.shown), url
    assert TOKEN not in page.content()
    assert page.evaluate("JSON.stringify(localStorage) + document.cookie").find(TOKEN) == -1
    assert page.evaluate("sessionStorage.length") == 0


def test_it_is_kept_longer_with_the_token(stage: Any, scenes: Any, visit: Any) -> None:
    stage.snapshot = scenes.snapshot()
    held_reply(stage, scenes)
    page = visit().page
    reserve(page)
    banner(page).get_by_role("button", name="Extend…").click()
    dialog = page.get_by_role("dialog", name="Keep the Sparks longer")
    dialog.get_by_label("For how many minutes").fill("never")
    dialog.get_by_role("button", name="Keep it longer").click()
    expect(dialog.get_by_label("For how many minutes")).to_have_attribute("aria-invalid", "true")
    dialog.get_by_label("For how many minutes").fill("90")
    grant = LeaseGrant(state="held", token=TOKEN, epoch=7, remaining_seconds=5400.0, extended=True)
    stage.replies["POST", "/api/swap/lock"] = (200, said(grant))
    dialog.get_by_role("button", name="Keep it longer").click()
    expect(page.get_by_text(re.compile(r"It is yours until (\d+ \w+ )?\d\d:\d\d"))).to_be_visible()
    bodies = [
        body for method, path, body in stage.asked if (method, path) == ("POST", "/api/swap/lock")
    ]
    assert bodies[-1]["ttl_seconds"] == 5400
    assert [token for method, url, token in stage.shown if method == "POST"][-1] == TOKEN


def test_a_place_in_line_is_kept_told_and_becomes_the_reservation(
    stage: Any, scenes: Any, visit: Any
) -> None:
    stage.snapshot = scenes.snapshot(lease=said(scenes.lease()))
    place = LeaseGrant(
        state="waiting", token=TOKEN, ticket="ticket-2", position=2, seen_within_seconds=3.0
    )
    stage.replies["POST", "/api/swap/lock"] = (202, said(place))
    queue = [scenes.waiter(1, "Bob"), scenes.waiter(2, "Alice")]
    waiting = scenes.lease(queue=queue, yours="place", ticket="ticket-2")
    stage.replies["GET", "/api/swap/lock"] = (200, said(waiting))
    page = visit().page
    banner(page).get_by_role("button", name="Stand in line").click()
    dialog = page.get_by_role("dialog", name="Stand in line behind crm-sync")
    dialog.get_by_label("Who reserves").fill("Alice")
    dialog.get_by_role("button", name="Stand in line", exact=True).click()
    expect(banner(page)).to_contain_text("2. Alice (this page)")
    page.reload()
    expect(banner(page)).to_contain_text("2. Alice (this page)")

    def looks() -> int:
        return sum(each[0] == "GET" and each[2] == TOKEN for each in stage.shown)

    before = looks()
    with page.expect_response("**/api/swap/lock"), page.expect_request("**/api/swap/lock"):
        pass
    with page.expect_response("**/api/swap/lock"):
        pass
    assert looks() > before, "it is not heard of"
    held = LeaseGrant(state="held", token="another", epoch=8, remaining_seconds=3600.0)
    stage.replies["POST", "/api/swap/lock"] = (200, said(held))
    granted = scenes.lease("Alice", 30.0, state="granted", epoch=8, yours="lease")
    stage.replies["GET", "/api/swap/lock"] = (200, said(granted))
    stage.tell("lock.granted", said(LockGranted(
        epoch=8, holder="Alice", at=scenes.now, ticket="ticket-2", take_up_by=scenes.now,
    )))  # fmt: skip
    expect(page.get_by_text("The Sparks are yours")).to_be_visible()
    stage.replies["GET", "/api/swap/lock"] = (
        200, said(scenes.lease("Alice", 3600.0, epoch=8, yours="lease")),
    )  # fmt: skip
    stage.tell("lease", said(scenes.lease("Alice", 3600.0, epoch=8)))
    expect(banner(page).get_by_role("heading")).to_contain_text("Reserved by you")


def test_a_place_that_is_lost_is_said_and_forgotten(stage: Any, scenes: Any, visit: Any) -> None:
    stage.snapshot = scenes.snapshot(lease=said(scenes.lease(queue=[scenes.waiter(1, "Alice")])))
    place = LeaseGrant(
        state="waiting", token=TOKEN, ticket="ticket-1", position=1, seen_within_seconds=3.0
    )
    stage.replies["POST", "/api/swap/lock"] = (202, said(place))
    stage.replies["GET", "/api/swap/lock"] = (200, said(scenes.lease()))
    page = visit().page
    banner(page).get_by_role("button", name="Stand in line").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Who reserves").fill("Alice")
    dialog.get_by_role("button", name="Stand in line", exact=True).click()
    expect(page.get_by_text("You are not in line any more")).to_be_visible()
    assert page.evaluate("sessionStorage.length") == 0


def test_whoever_is_faster_is_said_in_the_form(stage: Any, scenes: Any, visit: Any) -> None:
    stage.snapshot = scenes.snapshot()
    stage.replies["POST", "/api/swap/lock"] = (
        423, {"detail": "crm-sync has reserved the Sparks for 38 min.", "code": "lease_held"},
    )  # fmt: skip
    opened = visit()
    opened.expected = ("status of 423", "status of 503")
    page = opened.page
    reserve(page)
    dialog = page.get_by_role("dialog", name="Reserve the Sparks")
    expect(dialog.get_by_role("status")).to_contain_text("Tick “Stand in line”")
    expect(dialog.get_by_label("Who reserves")).to_have_value("Alice")
    expect(dialog.get_by_role("checkbox")).to_be_focused()
    late = {"detail": "no answer: look at GET /api/swap/lock", "code": "outcome_unknown"}
    stage.replies["POST", "/api/swap/lock"] = (503, late)
    keys: list[str | None] = []
    page.on("request", lambda sent: keys.append(sent.headers.get("idempotency-key")))
    for _ in range(2):
        with page.expect_response("**/api/swap/lock"):
            dialog.get_by_role("button", name="Reserve", exact=True).click()
        expect(dialog.get_by_role("status")).to_contain_text("it may be reserved now")
    asked = set(filter(None, keys))
    assert len(asked) == 1
    assert len(asked.pop()) >= 16


def test_a_grant_that_comes_after_the_dialog_is_kept(stage: Any, scenes: Any, visit: Any) -> None:
    stage.snapshot = scenes.snapshot()
    held_reply(stage, scenes)
    page = visit().page
    waiting: list[Any] = []
    page.route(
        "**/api/swap/lock",
        lambda route: (
            waiting.append(route) if route.request.method == "POST" else route.continue_()
        ),
    )
    with page.expect_request("**/api/swap/lock"):
        reserve(page)
    page.get_by_role("dialog").get_by_role("button", name="Not now").click()
    waiting.pop().continue_()
    expect(banner(page).get_by_role("heading")).to_contain_text("Reserved by you")


def test_another_tab_sees_it_as_somebody_elses(stage: Any, scenes: Any, visit: Any) -> None:
    stage.snapshot = scenes.snapshot()
    held_reply(stage, scenes)
    opened = visit()
    reserve(opened.page)
    expect(banner(opened.page).get_by_role("heading")).to_contain_text("Reserved by you")
    stage.snapshot = scenes.snapshot(lease=said(scenes.lease("Alice", 3600.0)))
    second = opened.page.context.new_page()
    second.goto(stage.url)
    expect(banner(second).get_by_role("heading")).to_contain_text("Reserved by Alice until")
    expect(card(second, "gpt-oss-120b").get_by_role("button").first).to_be_disabled()


def test_the_holder_hears_of_requests_and_of_force(stage: Any, scenes: Any, visit: Any) -> None:
    stage.snapshot = scenes.snapshot()
    held_reply(stage, scenes)
    page = visit().page
    reserve(page)
    expect(banner(page).get_by_role("heading")).to_contain_text("Reserved by you")
    stage.tell("lock.yield_requested", said(LockYieldRequested(
        epoch=7, holder="Alice", at=scenes.now, requested_by="Bob", note="for the demo",
    )))  # fmt: skip
    expect(page.get_by_text("Bob asks you to release the Sparks")).to_be_visible()
    stage.replies["GET", "/api/swap/lock"] = (200, said(scenes.free_lease(epoch=7)))
    stage.tell("lock.forced", said(LockForced(
        epoch=7, holder="Alice", at=scenes.now, action="release", requested_by="Carol",
        held_seconds=5.0,
    )))  # fmt: skip
    stage.tell("lease", said(scenes.free_lease(epoch=7)))
    expect(page.get_by_text("Carol decided over your reservation")).to_be_visible()
    expect(banner(page)).to_be_hidden()
    expect(page.get_by_text("Your reservation is over")).to_be_visible()
    assert page.evaluate("sessionStorage.length") == 0


def test_labels_of_others_are_text_and_nothing_else(stage: Any, scenes: Any, visit: Any) -> None:
    long = HOSTILE + "x" * 160
    lease = scenes.lease(
        long, reason=HOSTILE * 8, queue=[scenes.waiter(1, long)],
        yields=[scenes.asked_to_yield(HOSTILE, HOSTILE * 8)],
    )  # fmt: skip
    stage.snapshot = scenes.snapshot(lease=said(lease))
    page = visit(360).page
    expect(banner(page)).to_contain_text(HOSTILE)
    assert page.locator("lock-banner img").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    banner(page).get_by_role("button", name="Release…").click()
    expect(page.get_by_role("dialog")).to_contain_text(HOSTILE)
    assert page.locator("img").count() == 0


def test_nobody_who_answers_is_called_unknown(stage: Any, scenes: Any, visit: Any) -> None:
    stage.snapshot = scenes.snapshot(lease=None)
    page = visit().page
    expect(banner(page)).to_contain_text("Reservation unknown")
    expect(card(page, "gpt-oss-120b").get_by_role("button").first).to_be_enabled()
    expect(page.get_by_role("button", name="Reserve…")).to_be_hidden()
