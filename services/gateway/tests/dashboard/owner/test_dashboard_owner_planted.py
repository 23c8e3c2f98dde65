"""Whatever holders, schedules, receivers and callers call themselves stays text."""

from typing import Any

import pytest
from gateway_stand.planting import planted, unseen
from playwright.sync_api import expect

from spark_common.contracts.api_keys import Keys, KeyView
from spark_common.contracts.requests import RequestRow, Requests
from spark_gateway.search.shapes import Collections, CollectionView

pytestmark = pytest.mark.browser

NOT_SHOWN = {
    "CalendarEntry.owner", "Cause.action", "Cause.code", "Cause.sentence",
    "DeadLetter.consumer", "DeliveryView.event_id", "KeyView.models",
}  # fmt: skip
"""What these places do not show."""


def those_who_ask(scenes: Any) -> dict[str, Any]:
    """Return who may ask, who did, and what is there to be searched, in words of others."""
    key = KeyView(id="k1", name="Bob", models=["his"], created_at=scenes.now, created_by="Alice")
    row = RequestRow(
        number=1, mark="m1", id="req-1", at=scenes.now, method="POST", path="/v1/x", model="his",
        end="cut", total_ms=2.0, key="Bob", user="carol", address="127.0.0.9", client="curl",
    )  # fmt: skip
    user = row.model_copy(update={"number": 2, "mark": "m2", "key": ""})
    nobody = user.model_copy(update={"number": 3, "mark": "m3", "user": ""})
    there = CollectionView(name="docs", problem="Odd.")
    return {
        "keys": Keys(keys=[key]),
        "requests": Requests(requests=[row, user, nobody], problems=["Odd."]),
        "search/collections": Collections(collections=[there]),
    }


def test_no_text_of_others_becomes_markup(stage: Any, scenes: Any, owner: Any, visit: Any) -> None:
    fields: set[str] = set()

    def say(path: str, view: Any) -> None:
        found = planted(view, fields).model_dump(mode="json", warnings=False)
        stage.replies["GET", f"/api/{path}"] = (200, found)

    parts = {
        "webhooks": owner.targets(), "webhooks/deliveries": owner.deliveries(),
        "accountability": owner.accounts(), "dead-letters": owner.letters(),
        "schedule": owner.schedules(), "schedule/calendar": owner.calendar(),
        "home": owner.home(), "settings": owner.settings(warnings=["Odd."]),
        **those_who_ask(scenes),
    }  # fmt: skip
    for path, view in parts.items():
        say(path, view)
    asked = scenes.asked_to_yield()
    lease = scenes.lease(queue=[scenes.waiter(1, "Bob")], yields=[asked])
    menu = planted(scenes.menu(problems=["Odd."]), fields)
    current = planted(scenes.loading(), fields)
    ended = planted(scenes.ended(), fields)
    held = planted(lease, fields).model_dump(mode="json")
    stage.snapshot = scenes.snapshot(menu, current=current, recent=[ended], lease=held)
    page = visit().page
    expect(page.locator("lock-banner")).to_contain_text("LeaseView.holder")

    def go(tab: str, heading: str) -> None:
        page.get_by_role("link", name=tab, exact=True).click()
        expect(page.get_by_role("heading", name=heading)).to_be_visible()

    def settings() -> None:
        page.get_by_role("button", name="Settings", exact=True).click()
        expect(page.get_by_role("dialog").get_by_text("SettingView.label").first).to_be_visible()
        page.keyboard.press("Escape")

    places = [
        lambda: go("Schedule", "The coming week"),
        lambda: go("Activity", "Who had the Sparks"),
        settings,
        lambda: page.get_by_role("link", name="Home", exact=True).click(),
    ]
    assert unseen(page, fields, places, NOT_SHOWN) == NOT_SHOWN
