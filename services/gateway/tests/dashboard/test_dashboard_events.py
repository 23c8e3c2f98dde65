"""All events in the page: chosen, searched, held still, opened, and caught up after a break."""

import json
from typing import Any

import pytest
from gateway_stand.survey import assert_sound
from playwright.sync_api import Route, expect

pytestmark = pytest.mark.browser

NASTY = "<img src=x onerror=alert(1)>"


def told(number: int, type: str, **data: Any) -> str:
    event = {
        "specversion": "1.0", "id": f"e{number}", "source": "test", "type": f"spark.{type}.v1",
        "time": "2026-11-02T08:00:00Z", "data": data,
    }  # fmt: skip
    return f"event: {type}\ndata: {json.dumps(event)}\nid: place-{number}\n\n"


class Feed:
    """Plays ``/api/events``: what it has is sent at once, then the stream breaks off."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.next = ""

    def answer(self, route: Route) -> None:
        self.asked.append(route.request.url.partition("?")[2])
        body, self.next = self.next, ""
        route.fulfill(body=": hello\n\n" + body, content_type="text/event-stream")


def test_events_are_followed_searched_and_held_still(visit, stage, scenes) -> None:
    stage.snapshot = scenes.snapshot()
    feed = Feed()
    feed.next = told(1, "swap.complete", model="beta", requested_by=NASTY) + told(
        2, "health.transition", label="Spark 1", to="down", **{"from": "up"}
    )
    opened = visit(bypass_csp=True, reduced_motion="reduce")
    opened.expected = ("404",)  # nobody plays the rest of this part of the page
    page = opened.page
    page.route("**/api/events?*", feed.answer)
    page.get_by_role("link", name="Activity").click()
    log = page.get_by_role("log", name="Events, the newest first")
    expect(log.get_by_role("listitem")).to_have_count(2)
    expect(log.get_by_role("listitem").first).to_contain_text("Spark 1 is down, was up.")
    expect(log).to_contain_text(f"beta is ready, asked for by {NASTY}.")
    assert feed.asked[0] == "after=recent"
    log.get_by_text("All of it").last.click()
    expect(log.get_by_role("region", name="All of it")).to_contain_text('"model": "beta"')

    # Held still, it goes on hearing; where it broke off it goes on.
    panel = page.locator("event-list")
    panel.get_by_role("button", name="Pause").click()
    feed.next = told(3, "lock.acquired", holder="Bob")
    expect(panel.get_by_role("status")).to_have_text("Held still. 1 came meanwhile.")
    assert "after=place-2" in feed.asked
    expect(log).not_to_contain_text("Bob")
    panel.get_by_role("button", name="Go on").click()
    expect(log.get_by_role("listitem").first).to_contain_text("Bob reserved the Sparks.")
    panel.get_by_label("With these words").fill("beta")
    expect(log.get_by_role("listitem")).to_have_count(1)
    expect(panel.get_by_role("status")).to_have_text("1 event that fits.")
    assert_sound(page)
    page.set_viewport_size({"width": 360, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    panel.get_by_label("With these words").fill("")
    feed.next = told(4, "swap.failed", model="gamma", outcome="failed")
    panel.get_by_label("Show").select_option("swaps")
    expect(log.get_by_role("listitem")).to_have_count(1)
    assert "after=recent&type=swap.*" in feed.asked
    # Nobody follows what is not shown: each time it is opened it begins anew.
    page.get_by_role("link", name="Home").click()
    feed.next = told(5, "swap.accepted", model="delta", requested_by="Alice")
    page.get_by_role("link", name="Activity").click()
    expect(log).to_contain_text("delta was asked for by Alice.")
    expect(log.get_by_role("listitem")).to_have_count(1)


def test_thousands_of_events_are_shown_a_hundred_at_a_time(visit, stage, scenes) -> None:
    stage.snapshot = scenes.snapshot()
    feed = Feed()
    feed.next = "".join(told(n, "swap.complete", model=f"m{n}") for n in range(1, 5001))
    opened = visit(reduced_motion="reduce")
    opened.expected = ("404",)  # nobody plays the rest of this part of the page
    page = opened.page
    page.route("**/api/events?*", feed.answer)
    page.get_by_role("link", name="Activity").click()
    panel = page.locator("event-list")
    rows = panel.get_by_role("listitem")
    expect(rows.first).to_contain_text("m5000 is ready")
    expect(rows).to_have_count(100)
    panel.get_by_role("button", name="Show more").click()
    expect(rows).to_have_count(200)
    kept = "".join(filter(str.isdigit, panel.get_by_role("status").inner_text()))
    assert 2000 <= int(kept) <= 2400
