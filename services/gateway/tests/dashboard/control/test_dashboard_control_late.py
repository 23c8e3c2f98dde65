"""Buttons that are pressed again, and answers to dialogs that are gone by then."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

pytestmark = pytest.mark.browser

SCOUT = "nvidia/Llama-4-Scout-17B-16E-NVFP4"


def said(model: Any) -> Any:
    return model.model_dump(mode="json")


def card(page: Page, name: str) -> Locator:
    return page.get_by_role("article", name=name, exact=True)


def bodies(stage: Any, method: str, path: str) -> list[Any]:
    return [body for verb, at, body in stage.asked if (verb, at) == (method, path)]


@pytest.fixture
def page(stage: Any, control: Any, visit: Any) -> Page:
    """The dashboard with a card in every state; a refusal is expected in its console."""
    stage.snapshot = control.snapshot(downloads=control.downloads())
    plan = control.download_plan(["spark1", "spark2"])
    stage.replies["POST", "/api/downloads/plan"] = (200, said(plan))
    stage.replies["POST", "/api/recipes/preview"] = (200, said(control.preview()))
    opened = visit()
    opened.expected = ("status of 503",)
    expect(opened.page.get_by_role("banner")).to_contain_text("All well")
    found: Page = opened.page
    return found


class Held:
    """Requests that wait until they are let go, newest last."""

    def __init__(self, page: Page, path: str) -> None:
        self._page = page
        self._path = path
        self.waiting: list[Route] = []
        page.route(f"**{path}", lambda route: self.waiting.append(route))

    def let_go(self) -> None:
        """Let the oldest one go, until the page has read its answer."""
        while not self.waiting:
            self._page.wait_for_timeout(10)  # asked already, and on its way to us
        with self._page.expect_response(f"**{self._path}") as answer:
            self.waiting.pop(0).continue_()
        answer.value.finished()
        self._page.evaluate("fetch('livez')")


def open_download(page: Page) -> Locator:
    page.get_by_role("button", name="Download a model").click()
    return page.get_by_role("dialog", name="Download a model")


def test_a_download_goes_on_once_however_often_one_presses(
    page: Page, stage: Any, control: Any
) -> None:
    stage.replies["POST", "/api/downloads"] = (202, said(control.download(id="dl-9", repo=SCOUT)))
    held = Held(page, "/api/downloads")
    stopped = page.get_by_role("region", name=re.compile("Llama-4-Scout.* stopped"))
    with page.expect_request("**/api/downloads"):
        stopped.get_by_role("button", name="Resume").click()
    stopped.get_by_role("button", name="Resume").click()
    card(page, "Llama 4 Scout").get_by_role("button", name="Resume download").click()
    held.let_go()
    expect(stopped).to_be_hidden()
    assert held.waiting == []
    assert len(bodies(stage, "POST", "/api/downloads")) == 1


def test_a_refused_download_is_tried_again_as_the_same(
    page: Page, stage: Any, control: Any
) -> None:
    refused = {"detail": "nobody answers.", "code": "service_unavailable"}
    stage.replies["POST", "/api/downloads"] = (503, refused)
    dialog = open_download(page)
    dialog.get_by_role("combobox").fill(SCOUT)
    go = dialog.get_by_role("button", name="Download 60.8")
    with page.expect_request("**/api/downloads") as first:
        go.click()
    expect(dialog.get_by_role("status")).to_contain_text("Nobody answers.")
    expect(go).to_be_enabled()
    stage.replies["POST", "/api/downloads"] = (202, said(control.download(id="dl-9", repo=SCOUT)))
    with page.expect_request("**/api/downloads") as second:
        go.click()
    expect(dialog).to_be_hidden()
    keys = {asked.value.headers["idempotency-key"] for asked in (first, second)}
    assert len(keys) == 1


def test_a_refusal_is_not_lost_with_the_dialog(page: Page, stage: Any) -> None:
    refused = {"detail": "nobody answers.", "code": "service_unavailable"}
    stage.replies["POST", "/api/downloads"] = (503, refused)
    held = Held(page, "/api/downloads")
    dialog = open_download(page)
    dialog.get_by_role("combobox").fill(SCOUT)
    with page.expect_request("**/api/downloads"):
        dialog.get_by_role("button", name="Download 60.8").click()
    expect(dialog.get_by_role("status")).to_contain_text("Starting.")
    expect(dialog.get_by_role("button", name="Download 60.8")).to_be_disabled()
    dialog.get_by_role("button", name="Not now").click()
    held.let_go()
    expect(page.get_by_text("A part of spark-control does not answer")).to_be_visible()


def test_a_plan_that_comes_late_is_not_that_of_the_next_question(page: Page) -> None:
    held = Held(page, "/api/downloads/plan")
    dialog = open_download(page)
    with page.expect_request("**/api/downloads/plan"):
        dialog.get_by_role("combobox").fill(SCOUT)
    dialog.get_by_role("button", name="Not now").click()
    open_download(page)
    while held.waiting:
        held.let_go()
    expect(dialog.get_by_role("combobox")).to_have_value("")
    expect(dialog.get_by_role("button", name="Download", exact=True)).to_be_disabled()
    expect(dialog).not_to_contain_text("60.8")


def test_a_form_that_was_left_does_not_close_or_replace_the_next_one(
    page: Page, stage: Any, control: Any
) -> None:
    stage.replies["GET", "/api/models/suggest"] = (200, said(control.suggestion()))
    stage.replies["POST", "/api/models"] = (201, said(control.detail()))
    stage.replies["POST", "/api/swap/gpt-oss-120b/validate"] = (200, said(control.validation()))
    set_up = card(page, "Nemotron-3-Nano-30B-A3B").get_by_role("button", name="Set it up")
    set_up.click()
    dialog = page.get_by_role("dialog", name="Set up Nemotron 3 Nano 30B")
    held = Held(page, "/api/models")
    with page.expect_request("**/api/models"):
        dialog.get_by_role("button", name="Test and save").click()
    dialog.get_by_role("button", name="Later").click()
    set_up.click()
    expect(dialog.get_by_role("button", name="Test and save")).to_be_enabled()
    with page.expect_response("**/validate"):
        held.let_go()
    expect(page.get_by_text("gpt-oss-120b is set up")).to_be_visible()
    expect(dialog).to_be_visible()
    with page.expect_request("**/api/models") as again:
        dialog.get_by_role("button", name="Test and save").click()
    held.let_go()
    expect(dialog).to_be_hidden()
    assert again.value.post_data_json["replace"] is False
