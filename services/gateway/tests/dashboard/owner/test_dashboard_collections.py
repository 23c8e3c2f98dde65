"""The collections of Qdrant beside the schedule, and a snapshot of one by button."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror=alert(1)>"
PLACE = "/api/search/collections"


@pytest.fixture
def page(stage: Any, scenes: Any, owner: Any, visit: Any) -> Page:
    stage.snapshot = scenes.snapshot()
    said = {"schedules": owner.schedules(), "calendar": owner.calendar(), "home": owner.home()}
    found = {name: model.model_dump(mode="json") for name, model in said.items()}
    stage.replies["GET", "/api/schedule"] = (200, found["schedules"])
    stage.replies["GET", "/api/schedule/calendar"] = (200, found["calendar"])
    stage.replies["GET", "/api/home"] = (200, found["home"])
    rows = [
        {"name": "docs", "points": 1234},
        {"name": HOSTILE, "points": None, "problem": "Qdrant failed: no segment"},
    ]
    stage.replies["GET", PLACE] = (200, {"collections": rows})
    opened = visit()
    opened.expected = ("status of 503",)
    shown: Page = opened.page
    shown.get_by_role("link", name="Schedule").click()
    return shown


def test_a_snapshot_of_a_collection_is_one_press(page: Page, stage: Any) -> None:
    region = page.get_by_role("region", name="Collections")
    expect(region).to_contain_text(re.compile(r"1\s234 points"))
    expect(region).to_contain_text(HOSTILE)
    expect(region).to_contain_text("Qdrant failed: no segment")
    path = f"{PLACE}/docs/snapshots"
    taken = {"collection": "docs", "snapshot": {"name": "docs-1.snapshot"}, "removed": []}
    stage.replies["POST", path] = (201, taken)
    press = region.get_by_role("button", name="Take a snapshot of docs")
    press.click()
    expect(page.get_by_text("There is a snapshot of docs")).to_be_visible()
    expect(press).to_be_enabled()
    assert [asked[:2] for asked in stage.asked if asked[0] == "POST"] == [("POST", path)]
    problem = {"detail": "Qdrant does not answer", "code": "unavailable"}
    stage.replies["POST", path] = (503, problem)
    press.click()
    expect(page.get_by_text("Qdrant does not answer")).to_be_visible()


def test_a_qdrant_that_is_away_is_said_and_hides_nothing_else(page: Page, stage: Any) -> None:
    problem = {"detail": "Qdrant does not answer; start it", "code": "unavailable"}
    stage.replies["GET", PLACE] = (503, problem)
    page.reload()
    region = page.get_by_role("region", name="Collections")
    expect(region).to_contain_text("Qdrant does not answer; start it")
    expect(page.get_by_role("region", name="The coming week")).to_be_visible()
