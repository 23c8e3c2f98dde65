"""The schedule: the coming week, clashes, and entries that are added, changed and taken off."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from spark_common.events import ScheduleMissed

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror=alert(1)>"


def said(model: Any) -> Any:
    return model.model_dump(mode="json")


def bodies(stage: Any) -> list[Any]:
    return [body for verb, path, body in stage.asked if (verb, path) == ("POST", "/api/schedule")]


@pytest.fixture
def page(stage: Any, scenes: Any, owner: Any, visit: Any) -> Page:
    """The dashboard, open at its schedule."""
    stage.snapshot = scenes.snapshot()
    stage.replies["GET", "/api/schedule"] = (200, said(owner.schedules()))
    stage.replies["GET", "/api/schedule/calendar"] = (200, said(owner.calendar()))
    stage.replies["GET", "/api/home"] = (200, said(owner.home()))
    stage.replies["POST", "/api/schedule"] = (200, said(owner.schedule("warm-up", name=None)))
    opened = visit()
    opened.expected = ("status of 422", "status of 503")
    found: Page = opened.page
    found.get_by_role("link", name="Schedule").click()
    expect(found.get_by_role("heading", name="Schedule", level=1)).to_be_visible()
    return found


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("row").filter(has_text=name)


def test_the_part_has_an_address_of_its_own(page: Page, stage: Any) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    assert page.url.endswith("#schedule")
    expect(page.get_by_role("link", name="Schedule")).to_have_attribute("aria-current", "page")
    expect(page).to_have_title("Schedule · All well · spark-control")
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Schedule", level=1)).to_be_visible()
    page.go_back()
    page.reload()
    expect(row(page, "Back to Qwen3.6")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Qwen3.6 35B A3B", level=1)).to_be_visible()
    asked = [url for _, url, _ in stage.shown if url.startswith("/api/schedule/calendar?")]
    assert re.search(r"from=\d{4}-\d\d-\d\dT00%3A00%3A00.000Z&to=", asked[0])


def test_the_week_the_clashes_and_every_entry_are_told(page: Page) -> None:
    week = page.get_by_role("region", name="The coming week")
    expect(week.get_by_role("heading", level=3)).to_have_count(7)
    expect(week).to_contain_text("crm-sync")
    expect(week.get_by_text(re.compile(r"^\d+ times$")).first).to_be_visible()
    expect(page.get_by_role("heading", name=re.compile("^Clash.*: eval-run"))).to_have_count(1)
    expect(page.get_by_role("heading", name="Home model: qwen4")).to_be_visible()
    expect(page.get_by_text("qwen4 is not on the menu; name a model that is.")).to_be_visible()
    expect(row(page, "eval-run").first).to_contain_text("Other program")
    expect(row(page, "eval-run").first).to_contain_text("Missed")
    night = row(page, "Back to Qwen3.6")
    expect(night).to_contain_text("spark-control")
    expect(night).to_contain_text("30 22 * * * (Europe/Berlin)")
    expect(night).to_contain_text("Failed")
    expect(night).to_contain_text("not enough free memory")
    expect(row(page, "Old job")).to_contain_text("Switched off")
    expect(row(page, "Health sweep")).to_contain_text("never so far")


def test_a_swap_is_never_out_of_sight(page: Page, stage: Any, scenes: Any) -> None:
    stage.tell("swaps", {"current": said(scenes.loading()), "queue": [], "recent": []})
    expect(page.get_by_role("heading", name="Switching to gpt-oss-120b")).to_be_visible()
    page.get_by_role("button", name="Show it").click()
    expect(page.get_by_role("heading", name="gpt-oss-120b", level=1)).to_be_visible()


def test_an_entry_is_added_and_tells_its_next_runs(page: Page, stage: Any, owner: Any) -> None:
    page.get_by_role("button", name="Add…").click()
    dialog = page.get_by_role("dialog", name="Add to the schedule")
    expect(dialog.get_by_label("Id")).to_be_focused()
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_label("Id")).to_have_attribute("aria-invalid", "true")
    dialog.get_by_label("Id").fill("warm-up")
    dialog.get_by_label("What happens").select_option("warm")
    dialog.get_by_label("Model").select_option("gpt-oss-120b")
    dialog.get_by_label("Cron expression").fill("0 8 * * 1-5")
    dialog.get_by_label("Time zone").fill("Europe/Berlin")
    entries = [owner.entry("warm-up", 12 + 24 * day) for day in range(5)]
    stage.replies["GET", "/api/schedule/calendar"] = (
        200, said(owner.calendar(entries=entries)),
    )  # fmt: skip
    dialog.get_by_role("button", name="Save").click()
    status = dialog.get_by_role("status")
    expect(status).to_contain_text(re.compile(r"Saved\. Next: (\w+ \d\d:\d\d, ){2}\w+ \d\d:\d\d\."))
    expect(dialog.get_by_label("Id")).not_to_be_editable()
    [body] = bodies(stage)
    assert {key: body[key] for key in ("id", "kind", "cron", "timezone", "model", "at")} == {
        "id": "warm-up", "kind": "warm", "cron": "0 8 * * 1-5", "timezone": "Europe/Berlin",
        "model": "gpt-oss-120b", "at": None,
    }  # fmt: skip
    dialog.get_by_role("button", name="Done").click()
    expect(page.get_by_role("button", name="Add…")).to_be_focused()


def test_an_id_that_is_taken_replaces_nothing(page: Page, stage: Any) -> None:
    page.get_by_role("button", name="Add…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Id").fill("night-swap")
    dialog.get_by_label("What happens").select_option("sweep")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_contain_text("There is a schedule night-swap already.")
    assert bodies(stage) == []


def test_what_the_coordinator_refuses_is_said_and_the_form_stays(
    page: Page, stage: Any, owner: Any
) -> None:
    stage.replies["GET", "/api/schedule/night-swap"] = (200, said(owner.ran()))
    stage.replies["POST", "/api/schedule"] = (
        422, {"detail": "the cron expression 'x' cannot be read", "code": "invalid_request"},
    )  # fmt: skip
    row(page, "Back to Qwen3.6").get_by_role("button", name="Edit").click()
    dialog = page.get_by_role("dialog", name="Change Back to Qwen3.6")
    dialog.get_by_label("Cron expression").fill("x")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("status")).to_contain_text("The cron expression 'x' cannot be read")
    expect(dialog.get_by_label("Cron expression")).to_have_value("x")
    assert bodies(stage)[0]["owner"] == "Alice"


def test_the_latest_runs_are_told(page: Page, stage: Any, owner: Any) -> None:
    stage.replies["GET", "/api/schedule/night-swap"] = (200, said(owner.ran()))
    row(page, "Back to Qwen3.6").get_by_role("button", name="Edit").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("How it went").click()
    runs = dialog.get_by_role("listitem")
    expect(runs).to_have_count(2)
    expect(runs.first).to_contain_text("Failed")
    expect(runs.last).to_contain_text("Loaded.")


def test_each_kind_shows_only_what_belongs_to_it(page: Page) -> None:
    page.get_by_role("button", name="Add…").click()
    dialog = page.get_by_role("dialog")
    for kind, model, missed, late in (
        ("outside", True, True, False), ("swap", True, False, True), ("warm", True, False, True),
        ("restart", False, False, True), ("sweep", False, False, True),
    ):  # fmt: skip
        dialog.get_by_label("What happens").select_option(kind)
        expect(dialog.get_by_label("Model")).to_be_visible(visible=model)
        expect(dialog.get_by_label("Missed after")).to_be_visible(visible=missed)
        expect(dialog.get_by_label("Make up for a run")).to_be_visible(visible=late)
    dialog.get_by_label("Repeats").select_option("at")
    expect(dialog.get_by_label("Cron expression")).to_be_hidden()
    expect(dialog.get_by_label("When", exact=True)).to_be_visible()


def test_an_entry_is_taken_off_only_after_a_question(page: Page, stage: Any, owner: Any) -> None:
    stage.replies["DELETE", "/api/schedule"] = (200, said(owner.schedule()))
    night = row(page, "Back to Qwen3.6")
    night.get_by_role("button", name="Remove").click()
    dialog = page.get_by_role("dialog", name="Take Back to Qwen3.6 off the schedule?")
    expect(dialog).to_contain_text(re.compile("The run .* is not done any more"))
    dialog.get_by_role("button", name="Keep it").click()
    assert not [each for each in stage.shown if each[0] == "DELETE"]
    night.get_by_role("button", name="Remove").click()
    left = owner.schedules().schedules[:2]
    rest = owner.schedules().model_copy(update={"schedules": left})
    stage.replies["GET", "/api/schedule"] = (200, said(rest))
    dialog.get_by_role("button", name="Take it off").click()
    expect(night).to_be_hidden()
    [url] = [url for method, url, _ in stage.shown if method == "DELETE"]
    assert url.startswith("/api/schedule?id=night-swap")


def test_news_are_asked_for_at_once(page: Page, stage: Any, owner: Any, scenes: Any) -> None:
    expect(row(page, "Back to Qwen3.6")).to_be_visible()
    more = owner.schedules().model_copy(update={"schedules": [owner.schedule(name="Brand new")]})
    stage.replies["GET", "/api/schedule"] = (200, said(more))
    stage.tell("schedule.missed", said(ScheduleMissed(
        schedule_id="x", name="x", kind="outside", owner="Bob", at=scenes.now, run_id="x-1",
        nominal=scenes.now, reason="It never asked.",
    )))  # fmt: skip
    expect(row(page, "Brand new")).to_be_visible()
    expect(row(page, "Back to Qwen3.6")).to_be_hidden()


def test_nobody_who_answers_leaves_what_was_known(page: Page, stage: Any, scenes: Any) -> None:
    expect(row(page, "Back to Qwen3.6")).to_be_visible()
    refused = {"detail": "nobody answers.", "code": "service_unavailable"}
    stage.replies["GET", "/api/schedule"] = (503, refused)
    stage.tell("lock.released", {"epoch": 7, "holder": "x", "at": "", "held_seconds": 1})
    expect(page.get_by_text("Nobody answers. What you see may be old.")).to_be_visible()
    expect(row(page, "Back to Qwen3.6")).to_be_visible()


def test_names_of_others_are_text(page: Page, stage: Any, owner: Any) -> None:
    long = HOSTILE + "x" * 150
    known = {"conflicts": [owner.conflict()]}
    hostile = owner.schedule(name=long, owner=HOSTILE, model=HOSTILE, view=known)
    stage.replies["GET", "/api/schedule"] = (200, {"schedules": [said(hostile)]})
    entries = [owner.entry("a", 0.01, name=long, model=HOSTILE)]
    stage.replies["GET", "/api/schedule/calendar"] = (
        200, said(owner.calendar(entries=entries, lease_holder=long)),
    )  # fmt: skip
    page.set_viewport_size({"width": 360, "height": 740})
    page.reload()
    expect(row(page, HOSTILE)).to_be_visible()
    expect(page.get_by_role("heading", name=re.compile("^Clash"))).to_contain_text(HOSTILE)
    assert page.locator("img").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_a_part_that_comes_late_waits_for_its_templates(
    stage: Any, scenes: Any, visit: Any
) -> None:
    stage.snapshot = scenes.snapshot()
    opened = visit()
    opened.expected = ("404",)  # nobody plays what is planned
    page = opened.page
    asked: list[str] = []
    held: list[Route] = []
    page.on("request", lambda request: asked.append(request.url))
    page.route("**/late/schedule/templates.html", lambda route: held.append(route))
    page.get_by_role("link", name="Schedule").click()
    while not held:
        page.wait_for_timeout(10)  # asked already, and on its way to us
    page.evaluate("fetch('livez')")  # whatever else is asked for is asked before
    assert not [url for url in asked if "/late/schedule/" in url and url.endswith(".js")]
    held[0].continue_()
    expect(page.get_by_role("heading", name="Schedule", level=1)).to_be_visible()
