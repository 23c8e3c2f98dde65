"""The way in while API keys are asked for: the page sends there, a key opens, nothing keeps it."""

from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

KEY = "sk-spark-" + "x" * 38


def test_who_is_not_signed_in_is_sent_to_sign_in_and_comes_back(
    stage: Any, scenes: Any, chromium: Any
) -> None:
    stage.snapshot = scenes.snapshot()
    stage.away = True
    session = ("GET", "/api/session"), ("POST", "/api/session")
    stage.replies[session[0]] = (200, {"needed": True, "signed_in": False})
    wrong = {"title": "Unauthorized", "detail": "this is no API key of this cluster", "code": "x"}
    stage.replies[session[1]] = (401, wrong)
    context = chromium.new_context()
    page = context.new_page()
    page.goto(stage.url)
    # Exactly: the page itself, which is left at once, speaks of API keys as well.
    field = page.get_by_label("API key", exact=True)
    expect(field).to_be_focused()
    field.fill("wrong")
    field.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("this is no API key of this cluster")
    expect(field).to_have_attribute("aria-invalid", "true")

    stage.away = False
    stage.replies[session[0]] = (200, {"needed": True, "signed_in": True})
    stage.replies[session[1]] = (200, {"needed": True, "signed_in": True, "name": "Alice"})
    field.fill(KEY)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("banner")).to_contain_text("All well")
    assert [body for method, _, body in stage.asked if method == "POST"] == [
        {"key": "wrong"}, {"key": KEY},
    ]  # fmt: skip
    assert KEY not in page.url + str(context.storage_state())

    stage.replies["DELETE", "/api/session"] = (200, {"needed": True, "signed_in": False})
    page.get_by_role("button", name="Sign out").click()
    expect(field).to_be_visible()
    context.close()


def test_where_nobody_signed_in_nothing_speaks_of_it(stage: Any, scenes: Any, visit: Any) -> None:
    stage.snapshot = scenes.snapshot()
    page = visit().page
    expect(page.get_by_role("banner")).to_contain_text("All well")
    expect(page.get_by_role("button", name="Sign out")).to_have_count(0)
