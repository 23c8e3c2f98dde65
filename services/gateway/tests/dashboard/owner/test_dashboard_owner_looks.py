"""What an owner sees of reservations, settings, schedules and messages, at every width."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from gateway_stand.survey import SOUND, SURVEY
from playwright.sync_api import Page, expect

ARTIFACTS = Path(__file__).parents[5] / "artifacts"
LOOKS = [(1280, "light", True), (1280, "dark", False), (360, "light", False), (360, "dark", True)]
"""Width, theme, and whether a picture is kept."""

pytestmark = pytest.mark.browser


def said(model: Any) -> Any:
    return model.model_dump(mode="json")


def held(page: Page, stage: Any, scenes: Any, owner: Any) -> None:
    queue = [scenes.waiter(1, "Bob"), scenes.waiter(2, "eval-run", priority="batch")]
    lease = scenes.lease(queue=queue, yields=[scenes.asked_to_yield()])
    stage.tell("lease", said(lease))
    expect(page.get_by_text("Reserved by crm-sync")).to_be_visible()


def force(page: Page, stage: Any, scenes: Any, owner: Any) -> None:
    held(page, stage, scenes, owner)
    page.locator("lock-banner").get_by_role("button", name="Release…").click()


def yielding(page: Page, stage: Any, scenes: Any, owner: Any) -> None:
    held(page, stage, scenes, owner)
    page.get_by_role("button", name="Ask to release by").click()


def in_line(page: Page, stage: Any, scenes: Any, owner: Any) -> None:
    held(page, stage, scenes, owner)
    page.get_by_role("button", name="Stand in line").click()
    page.get_by_role("dialog").get_by_label("Who reserves").fill("")
    page.get_by_role("dialog").get_by_role("button", name="Stand in line", exact=True).click()


def unknown(page: Page, stage: Any, scenes: Any, owner: Any) -> None:
    stage.tell("lease", None)
    expect(page.get_by_text("Reservation unknown")).to_be_visible()


def settings(page: Page, stage: Any, scenes: Any, owner: Any) -> None:
    warned = owner.settings(warnings=["DRAIN_SECONDS is blank; the default is used"])
    stage.replies["GET", "/api/settings"] = (200, said(warned))
    page.get_by_role("button", name="Settings", exact=True).click()
    dialog = page.get_by_role("dialog", name="Settings")
    dialog.get_by_label("Port").fill("abc")
    dialog.locator("[data-field=NGC_API_KEY]").get_by_role("button", name="Replace").click()
    dialog.get_by_role("button", name="Save").click()


def transfer(page: Page, stage: Any, scenes: Any, owner: Any) -> None:
    settings(page, stage, scenes, owner)
    page.get_by_role("button", name="Export and import").click()


def schedule(page: Page, stage: Any, scenes: Any, owner: Any) -> None:
    stage.replies["GET", "/api/schedule"] = (200, said(owner.schedules()))
    stage.replies["GET", "/api/schedule/calendar"] = (200, said(owner.calendar()))
    stage.replies["GET", "/api/home"] = (200, said(owner.home()))
    page.get_by_role("link", name="Schedule").click()
    expect(page.get_by_role("heading", name="The coming week")).to_be_visible()


def scheduling(page: Page, stage: Any, scenes: Any, owner: Any) -> None:
    schedule(page, stage, scenes, owner)
    stage.replies["GET", "/api/schedule/night-swap"] = (200, said(owner.ran()))
    page.get_by_role("button", name="Edit Back to Qwen3.6").click()
    page.get_by_role("dialog").get_by_text("How it went").click()
    page.get_by_role("dialog").get_by_label("Make up for a run").check()


def unscheduled(page: Page, stage: Any, scenes: Any, owner: Any) -> None:
    stage.replies["GET", "/api/schedule"] = (200, {"schedules": []})
    empty = owner.calendar(entries=[], lease_holder=None)
    stage.replies["GET", "/api/schedule/calendar"] = (200, said(empty))
    stage.replies["GET", "/api/home"] = (200, said(owner.home(state="off", model=None)))
    page.get_by_role("link", name="Schedule").click()
    expect(page.get_by_text("Nothing is planned yet")).to_be_visible()


def activity(page: Page, stage: Any, scenes: Any, owner: Any) -> None:
    stage.replies["GET", "/api/webhooks"] = (200, said(owner.targets()))
    stage.replies["GET", "/api/webhooks/deliveries"] = (200, said(owner.deliveries()))
    stage.replies["GET", "/api/accountability"] = (200, said(owner.accounts()))
    stage.replies["GET", "/api/dead-letters"] = (200, said(owner.letters()))
    page.get_by_role("link", name="Activity").click()
    expect(page.get_by_role("heading", name="Who had the Sparks")).to_be_visible()


def telling(page: Page, stage: Any, scenes: Any, owner: Any) -> None:
    activity(page, stage, scenes, owner)
    page.get_by_role("button", name="Edit Operations…").click()


OPENERS: dict[str, Callable[[Page, Any, Any, Any], None]] = {
    opener.__name__: opener
    for opener in (
        held,
        force,
        yielding,
        in_line,
        unknown,
        settings,
        transfer,
        schedule,
        scheduling,
        unscheduled,
        activity,
        telling,
    )
}


@pytest.mark.parametrize("name", OPENERS)
def test_it_fits_every_width_and_can_be_read(
    name: str, stage: Any, scenes: Any, owner: Any, visit: Any
) -> None:
    stage.snapshot = scenes.snapshot()
    opened = visit(1280, 900, reduced_motion="reduce", bypass_csp=True)
    page = opened.page
    expect(page.get_by_role("banner")).to_contain_text("All well")
    OPENERS[name](page, stage, scenes, owner)
    ARTIFACTS.mkdir(exist_ok=True)
    for width, scheme, picture in LOOKS:
        page.set_viewport_size({"width": width, "height": 900 if width > 400 else 740})
        page.emulate_media(color_scheme=scheme)
        if picture:
            path = ARTIFACTS / f"owner-{name}-{width}-{scheme}.png"
            whole = page.locator("dialog[open]").count() == 0
            page.screenshot(path=path, full_page=whole)
        assert page.evaluate("document.documentElement.scrollWidth") == width
        for box in page.locator("dialog[open] .dlg-body").all():
            assert box.evaluate("box => box.scrollWidth <= box.clientWidth"), "sticks out"
        assert page.evaluate(SURVEY) == SOUND
