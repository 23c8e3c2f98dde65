"""What an owner sees of the Sparks, the services and up and down, at every width."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from gateway_stand.survey import SURVEY
from playwright.sync_api import Page, expect

ARTIFACTS = Path(__file__).parents[5] / "artifacts"
LOOKS = [(1280, "light", True), (1280, "dark", False), (360, "light", False), (360, "dark", True)]
"""Width, theme, and whether a picture is kept."""

pytestmark = pytest.mark.browser


def machines(page: Page, stage: Any, watched: Any) -> None:
    expect(page.locator("advice-list")).to_contain_text("1 thing is known")
    expect(page.get_by_role("button", name="Wake Spark 2")).to_be_visible()


def services(page: Page, stage: Any, watched: Any) -> None:
    page.get_by_role("link", name="Services").click()
    expect(page.get_by_role("article", name="Speech to text")).to_contain_text("Needs you")
    for summary in page.locator("services-panel summary:visible").all():
        summary.click()


def installing(page: Page, stage: Any, watched: Any) -> None:
    services(page, stage, watched)
    page.get_by_role("button", name="Install a service").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("radio").first).to_be_checked()
    dialog.get_by_role("radio", name="Another image").check()
    dialog.get_by_role("button", name="Install", exact=True).click()


def up_and_down(page: Page, stage: Any, watched: Any) -> None:
    page.get_by_role("link", name="Activity").click()
    expect(page.get_by_role("heading", name="Up and down, last 24 hours")).to_be_visible()
    page.get_by_role("button", name="Log…").click()


OPENERS: dict[str, Callable[[Page, Any, Any], None]] = {
    opener.__name__: opener for opener in (machines, services, installing, up_and_down)
}


@pytest.mark.parametrize("name", OPENERS)
def test_it_fits_every_width_and_can_be_read(
    name: str, stage: Any, watched: Any, visit: Any
) -> None:
    away = watched.machine(
        2, answering="dead", stale=True, age_seconds=300.0, reason="Nothing of it answers.",
        steps=["Press its button.", "Look at its cable."],
    )  # fmt: skip
    watched.say(stage, "hardware", watched.hardware(watched.machine(1), away))
    watched.say(stage, "deep-health", watched.checks(watched.open_circuit()))
    watched.say(stage, "nim/catalog", watched.catalog(job=watched.installing()))
    opened = visit(1280, 900, reduced_motion="reduce", bypass_csp=True)
    opened.expected = ("status of 404",)
    page = opened.page
    expect(page.get_by_role("banner")).to_contain_text("Speech to text is not right")
    OPENERS[name](page, stage, watched)
    ARTIFACTS.mkdir(exist_ok=True)
    for width, scheme, picture in LOOKS:
        page.set_viewport_size({"width": width, "height": 900 if width > 400 else 740})
        page.emulate_media(color_scheme=scheme)
        if picture:
            path = ARTIFACTS / f"health-{name}-{width}-{scheme}.png"
            page.screenshot(path=path, full_page=page.locator("dialog[open]").count() == 0)
        assert page.evaluate("document.documentElement.scrollWidth") == width
        for box in page.locator("dialog[open] .dlg-body").all():
            assert box.evaluate("box => box.scrollWidth <= box.clientWidth"), "sticks out"
        found = page.evaluate(SURVEY)
        assert found == {
            "pale": [], "small": [], "twice": [], "dangling": [],
            "firsts": 1, "skips": [], "unnamed": [],
        }, (width, scheme)  # fmt: skip
