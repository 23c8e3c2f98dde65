"""API keys, the request log and the capture of bodies on the page."""

import re
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from spark_common.contracts.api_keys import KeyView, NewKey
from spark_common.contracts.requests import RequestRow, Requests

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror=alert(1)>"
TEXT = "sk-spark-" + "x" * 38


def said(model: Any) -> Any:
    return model.model_dump(mode="json")


def bodies(stage: Any, method: str, path: str) -> list[Any]:
    return [body for verb, at, body in stage.asked if (verb, at) == (method, path)]


@pytest.fixture
def page(stage: Any, scenes: Any, owner: Any, visit: Any) -> Page:
    """The dashboard, open at who may and who did."""
    key = {"created_at": scenes.ago(9000), "created_by": "Alice"}
    webui = KeyView(
        id="k1", name="Open WebUI", requests_per_minute=120, concurrency=4, models=["org/model"],
        scopes=["infer"], last_used_on=owner.now.date(), **key,
    )  # fmt: skip
    rows = [
        RequestRow(
            number=9 - index, mark=f"m{index}", id=f"req-{index}", at=scenes.ago(60 * index),
            method="POST", path="/v1/chat/completions", model="org/model", status=status,
            end="complete", total_ms=1200.0 * index, key=HOSTILE if index else "Open WebUI",
            client="OpenAI/Python 2.1", prompt_tokens=12, completion_tokens=340,
        )
        for index, status in enumerate((200, 429, 502))
    ]  # fmt: skip
    stage.snapshot = scenes.snapshot()
    stage.replies["GET", "/api/webhooks"] = (200, said(owner.targets()))
    stage.replies["GET", "/api/webhooks/deliveries"] = (200, said(owner.deliveries()))
    stage.replies["GET", "/api/accountability"] = (200, said(owner.accounts()))
    stage.replies["GET", "/api/dead-letters"] = (200, said(owner.letters()))
    stage.replies["GET", "/api/keys"] = (200, {"keys": [said(webui)]})
    stage.replies["GET", "/api/requests"] = (200, said(Requests(requests=rows, older_before=7)))
    stage.replies["PATCH", "/api/keys/k1"] = (200, said(webui))
    stage.replies["DELETE", "/api/keys/k1"] = (200, {"keys": []})
    made = NewKey(id="k2", name="Bob", scopes=["infer", "admin"], key=TEXT, **key)
    stage.replies["POST", "/api/keys"] = (201, said(made))
    stage.replies["POST", "/api/requests/capture"] = (200, {"on": True})
    opened = visit()
    opened.expected = ("status of 409", "status of 503")
    found: Page = opened.page
    found.get_by_role("link", name="Activity").click()
    expect(found.get_by_role("heading", name="API keys")).to_be_visible()
    return found


def test_a_key_is_made_shown_once_copied_switched_off_and_revoked(page: Page, stage: Any) -> None:
    keys = page.locator("key-list")
    expect(keys.get_by_role("listitem")).to_contain_text("120 requests a minute, 4 at once")
    keys.get_by_role("button", name="Make a key…").click()
    dialog = page.get_by_role("dialog", name="Make an API key")
    expect(dialog.get_by_label("Whose it is")).to_be_focused()
    dialog.get_by_role("button", name="Make it").click()
    expect(dialog).to_contain_text("Write whose key it is.")
    assert bodies(stage, "POST", "/api/keys") == []
    dialog.get_by_label("Whose it is").fill("Bob")
    dialog.get_by_label("This page").check()
    dialog.get_by_label("Tokens a minute").fill("900")
    dialog.get_by_label("Only these models").fill("a\norg/b")
    stage_reply = stage.replies["POST", "/api/keys"]
    stage.replies["POST", "/api/keys"] = (409, {"detail": "there are 500 keys already"})
    dialog.get_by_role("button", name="Make it").click()
    expect(dialog).to_contain_text("There are 500 keys already")
    stage.replies["POST", "/api/keys"] = stage_reply
    dialog.get_by_role("button", name="Make it").click()
    shown = page.get_by_role("dialog", name="The key of Bob")
    expect(shown.get_by_label("API key")).to_have_value(TEXT)
    sent = bodies(stage, "POST", "/api/keys")[-1]
    assert (sent["name"], sent["scopes"], sent["models"], sent["tokens_per_minute"]) == (
        "Bob", ["infer", "admin"], ["a", "org/b"], 900,
    )  # fmt: skip
    shown.get_by_role("button", name="Copy").click()
    expect(shown).to_contain_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == TEXT
    shown.get_by_role("button", name="I have it").click()
    assert page.evaluate(
        "[...document.querySelectorAll('input')].every(each => !each.value.startsWith('sk-'))"
    )
    assert TEXT not in page.content() + page.url
    keys.get_by_role("button", name="Switch Open WebUI off").click()
    expect(page.get_by_text("Open WebUI is switched off")).to_be_visible()
    assert bodies(stage, "PATCH", "/api/keys/k1")[0]["enabled"] is False
    keys.get_by_role("button", name="Revoke Open WebUI…").click()
    question = page.get_by_role("dialog", name="Revoke the key of Open WebUI?")
    expect(question).to_contain_text(re.compile(r"it was last used on \d{4}-\d\d-\d\d\."))
    stage.replies["GET", "/api/keys"] = (200, {"keys": []})
    page.get_by_role("button", name="Revoke it").click()
    expect(keys).to_contain_text("There are none yet.")


def test_the_limits_of_a_key_are_changed_and_what_was_not_touched_is_not_sent(
    page: Page, stage: Any
) -> None:
    keys = page.locator("key-list")
    keys.get_by_role("button", name="Change Open WebUI…").click()
    dialog = page.get_by_role("dialog", name="Change the key of Open WebUI")
    expect(dialog.get_by_label("Requests a minute")).to_have_value("120")
    expect(dialog.get_by_label("Only these models")).to_have_value("org/model")
    expect(dialog.get_by_label("This page")).not_to_be_checked()
    dialog.get_by_role("button", name="Save it").click()
    expect(dialog).to_be_hidden()
    assert bodies(stage, "PATCH", "/api/keys/k1") == []
    keys.get_by_role("button", name="Change Open WebUI…").click()
    dialog.get_by_label("Requests a minute").fill("-3")
    dialog.get_by_role("button", name="Save it").click()
    expect(dialog).to_contain_text("Write a whole number from 0")
    dialog.get_by_label("Requests a minute").fill("30")
    dialog.get_by_label("Requests at once").fill("")
    standing = stage.replies["PATCH", "/api/keys/k1"]
    stage.replies["PATCH", "/api/keys/k1"] = (409, {"detail": "this is the last key"})
    dialog.get_by_role("button", name="Save it").click()
    expect(dialog).to_contain_text("This is the last key")
    stage.replies["PATCH", "/api/keys/k1"] = standing
    dialog.get_by_role("button", name="Save it").click()
    expect(page.get_by_text("Open WebUI is changed")).to_be_visible()
    expect(dialog).to_be_hidden()
    sent = bodies(stage, "PATCH", "/api/keys/k1")[-1]
    del sent["requested_by"]
    assert sent == {"requests_per_minute": 30, "concurrency": 0}
    keys.get_by_role("button", name="Make a key…").click()
    made = page.get_by_role("dialog", name="Make an API key")
    expect(made.get_by_label("Requests a minute")).to_have_value("")
    expect(made.get_by_role("button", name="Make it")).to_be_visible()


def test_requests_are_searched_paged_and_exported_and_failures_are_plain(
    page: Page, stage: Any
) -> None:
    table = page.locator("request-table")
    expect(table.get_by_role("row")).to_have_count(4)
    expect(table).to_contain_text(HOSTILE)
    table.get_by_label("Search").fill("a&b")
    table.get_by_label("Search").press("Enter")
    with page.expect_response(lambda answer: "status=5xx" in answer.url):
        table.get_by_label("Ended with").select_option("5xx")
    expect(table.get_by_role("link", name="CSV")).to_have_attribute(
        "href", "api/requests/export?format=csv&q=a%26b&status=5xx"
    )
    with page.expect_response(lambda answer: "before=7" in answer.url):
        table.get_by_role("button", name="Older").click()
    expect(table.get_by_role("button", name="Newest")).to_be_visible()
    asked = "/api/requests?limit=50&q=a%26b&status=5xx"
    with page.expect_response(lambda answer: "&from=" in answer.url):
        table.get_by_label("From").fill("2026-11-02T08:00")
    table.get_by_label("Until").fill("2026-11-02T07:00")
    assert table.get_by_label("Until").evaluate("each => each.validationMessage") != ""
    with page.expect_response(lambda answer: "&to=" in answer.url) as heard:
        table.get_by_label("Until").fill("2026-11-02T09:30")
    moment = "each => new Date(each).toISOString()"
    for name, typed in (("from", "2026-11-02T08:00"), ("to", "2026-11-02T09:30")):
        sent = f"{name}={quote(page.evaluate(moment, typed), safe='')}"
        assert sent in heard.value.url
        assert sent in (table.get_by_role("link", name="JSON").get_attribute("href") or "")
    assert not any("07%3A00" in path for _, path, _ in stage.shown if "to=" in path)
    for name in ("From", "Until"):
        table.get_by_label(name).fill("")
    table.get_by_role("button", name="Older").click()
    expect(table.get_by_role("button", name="Newest")).to_be_visible()
    assert {asked, f"{asked}&before=7"} <= {path for _, path, _ in stage.shown}
    stage.replies["GET", "/api/requests"] = (503, {"detail": "the log is on a full disk"})
    table.get_by_role("button", name="Newest").click()
    expect(table.get_by_role("status")).to_have_text("The log is on a full disk")
    expect(table.get_by_role("row")).to_have_count(4)


def test_the_capture_asks_first_and_says_so_to_everybody(
    page: Page, stage: Any, scenes: Any
) -> None:
    record = page.get_by_role("button", name="Record bodies…")
    record.click()
    page.get_by_role("button", name="Do not record").click()
    assert bodies(stage, "POST", "/api/requests/capture") == []
    record.click()
    how_long = page.get_by_role("dialog").get_by_label("For how long")
    expect(how_long).to_have_value("10")
    assert how_long.locator("option").all_inner_texts()[-1] == "60 minutes"
    how_long.select_option("30 minutes")
    page.get_by_role("button", name="Record it").click()
    expect(page.get_by_text("For 30 minutes.", exact=True)).to_be_visible()
    assert bodies(stage, "POST", "/api/requests/capture")[0]["minutes"] == 30
    until = said(Requests(requests=[])) | {
        "on": True, "until": "2999-01-01T00:00:00Z", "requested_by": "Alice", "kept": 3,
    }  # fmt: skip
    stage.tell("capture", until)
    expect(page.get_by_text("Alice switched it on.")).to_be_visible()
    expect(record).to_be_hidden()
