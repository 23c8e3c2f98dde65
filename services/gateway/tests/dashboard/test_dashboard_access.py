"""Whether everybody can use it: names, landmarks, contrast, keyboard, motion, touch."""

import re
from typing import Any

import pytest
from gateway_stand.survey import SURVEY, assert_sound
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

CONTROL = re.compile(r"\s*- '?(button|link|searchbox|checkbox)\b.*")


def test_the_survey_sees_what_is_wrong(stage: Any, scenes: Any, visit: Any) -> None:
    stage.snapshot = scenes.snapshot()
    page = visit().page
    expect(page.get_by_role("banner")).to_contain_text("All well")
    page.evaluate(
        "() => { const at = document.getElementById('serving'); at.style.color = '#999';"
        " const copy = at.cloneNode(true); document.querySelector('main').append(copy);"
        " document.querySelector('model-card button:not([hidden])').style.height = '10px';"
        " document.querySelector('model-card button:not([hidden])').style.minHeight = '0';"
        " document.querySelector('article.model-card').removeAttribute('aria-labelledby'); }"
    )
    found = page.evaluate(SURVEY)
    assert "Qwen3.6 35B A3B" in found["pale"][0]
    assert found["twice"] == ["serving"]
    assert len(found["small"]) == 1
    assert len(found["unnamed"]) == 1


def set_scene(name: str, stage: Any, scenes: Any) -> None:
    down = scenes.host(2, state="unreachable", seen_at=scenes.ago(900), detail="It is off.")
    stale = scenes.host(1, seen_at=scenes.ago(900))
    made = {
        "ready": lambda: scenes.snapshot(demo=True),
        "swapping": lambda: scenes.snapshot(current=scenes.loading()),
        "failed": lambda: scenes.snapshot(scenes.menu(None), recent=[scenes.ended()]),
        "down": lambda: scenes.snapshot(scenes.menu(hosts=[stale, down])),
        "bus": lambda: scenes.snapshot(bus={"connected": False, "detail": "no route"}),
        "empty": lambda: scenes.snapshot(scenes.menu(None, hosts=[], models=[])),
    }
    stage.snapshot = made[name]()


def named_controls(page: Page) -> list[str]:
    """Return the accessible name of every control, as the browser computes it."""
    lines = page.locator("body").aria_snapshot().split("\n")
    return [found[0] for line in lines if (found := CONTROL.match(line))]


@pytest.mark.parametrize("name", ["ready", "swapping", "failed", "down", "bus", "empty"])
def test_every_state_can_be_read_and_reached(
    name: str, stage: Any, scenes: Any, visit: Any
) -> None:
    set_scene(name, stage, scenes)
    page = visit(bypass_csp=True, reduced_motion="reduce").page
    expect(page.get_by_role("banner")).not_to_contain_text("Connecting")
    assert_sound(page)
    names = named_controls(page)
    assert names
    assert all(re.search(r'- \'?\w+ "', each) for each in names), names
    for landmark in ("banner", "main"):
        expect(page.get_by_role(landmark)).to_have_count(1)


def test_a_lost_connection_stays_readable(stage: Any, scenes: Any, visit: Any) -> None:
    stage.snapshot = scenes.snapshot()
    opened = visit(reduced_motion="reduce")
    opened.expected = ("status of 503", "ERR_")
    expect(opened.page.get_by_role("banner")).to_contain_text("All well")
    stage.hang_up(away=True)
    expect(opened.page.get_by_role("banner")).to_contain_text("No connection")
    for scheme in ("light", "dark"):
        opened.page.emulate_media(color_scheme=scheme)
        assert opened.page.evaluate(SURVEY)["pale"] == []


def test_the_page_is_walked_by_keyboard_in_reading_order(
    stage: Any, scenes: Any, visit: Any
) -> None:
    stage.snapshot = scenes.snapshot()
    page = visit().page
    expect(page.get_by_role("banner")).to_contain_text("All well")
    seen = []
    for _ in range(18):
        page.keyboard.press("Tab")
        seen.append(
            page.evaluate(
                "() => { const at = document.activeElement, box = at.getBoundingClientRect();"
                " return [at.textContent.trim().slice(0, 24) || at.placeholder,"
                " getComputedStyle(at).outlineStyle, box.width > 0]; }"
            )
        )
    tabs = ["Home", "Services", "Activity", "Schedule", "Speech", "Redact", "Playground"]
    first = ["Skip to content", "spark-control", *tabs, "Reserve…", ""]
    assert [each[0] or "" for each in seen[:12]] == [*first, "Switch model"]
    assert all(style == "solid" and wide for _, style, wide in seen), seen
    page.keyboard.press("Shift+Tab")
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_a_dialog_keeps_the_focus_and_gives_it_back(stage: Any, scenes: Any, visit: Any) -> None:
    stage.snapshot = scenes.snapshot()
    page = visit().page
    button = page.get_by_role("article", name="gpt-oss-120b").get_by_role("button").first
    button.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    for _ in range(6):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.matches('body, dialog *')")
    page.keyboard.press("Escape")
    expect(button).to_be_focused()


def test_no_live_region_speaks_every_second(stage: Any, scenes: Any, visit: Any) -> None:
    stage.snapshot = scenes.snapshot(current=scenes.loading(eta_seconds=61.0))
    page = visit(clocked=True).page
    expect(page.locator(".big-eta")).to_have_text("About 1\u00a0min left")
    page.evaluate(
        "() => { window.spoken = 0; for (const region of"
        " document.querySelectorAll('[role=status], [aria-live=polite]'))"
        " new MutationObserver(() => { window.spoken += 1; }).observe(region,"
        " { childList: true, characterData: true, subtree: true }); }"
    )
    page.clock.run_for(6000)
    expect(page.locator(".big-eta")).to_have_text("About 55\u00a0s left")
    assert page.evaluate("window.spoken") == 0


def test_reduced_motion_moves_nothing(stage: Any, scenes: Any, visit: Any) -> None:
    stage.snapshot = scenes.snapshot(current=scenes.loading())
    page = visit(reduced_motion="reduce").page
    expect(page.get_by_text("Switching to", exact=True)).to_be_visible()
    assert page.evaluate("document.getAnimations().length") == 0
    still = visit().page
    expect(still.get_by_text("Switching to", exact=True)).to_be_visible()
    assert still.evaluate("document.getAnimations().length") > 0


def test_touch_gets_bigger_targets(stage: Any, scenes: Any, visit: Any) -> None:
    stage.snapshot = scenes.snapshot()
    page = visit(390, has_touch=True, is_mobile=True).page
    button = page.get_by_role("article", name="gpt-oss-120b").get_by_role("button").first
    expect(button).to_be_visible()
    box = button.bounding_box()
    assert box is not None
    assert box["height"] >= 40
