"""Who is told what happened, what became of it, and who had the Sparks."""

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror=alert(1)>"


def said(model: Any) -> Any:
    return model.model_dump(mode="json")


def bodies(stage: Any, method: str, path: str) -> list[Any]:
    return [body for verb, at, body in stage.asked if (verb, at) == (method, path)]


@pytest.fixture
def page(stage: Any, scenes: Any, owner: Any, visit: Any) -> Page:
    """The dashboard, open at what happened."""
    stage.snapshot = scenes.snapshot()
    stage.replies["GET", "/api/webhooks"] = (200, said(owner.targets()))
    stage.replies["GET", "/api/webhooks/deliveries"] = (200, said(owner.deliveries()))
    stage.replies["GET", "/api/accountability"] = (200, said(owner.accounts()))
    stage.replies["GET", "/api/dead-letters"] = (200, said(owner.letters()))
    opened = visit()
    opened.expected = ("status of 422", "status of 503")
    found: Page = opened.page
    found.get_by_role("link", name="Activity").click()
    expect(found.get_by_role("heading", name="Who is told")).to_be_visible()
    return found


def target(page: Page, name: str) -> Locator:
    return page.locator("target-list").get_by_role("listitem").filter(has_text=name)


def test_every_target_says_how_it_stands(page: Page) -> None:
    expect(target(page, "Operations")).to_contain_text("Works")
    expect(target(page, "Operations")).to_contain_text("http://127.0.0.1:9000/hook, signed")
    phone = target(page, "My phone")
    expect(phone).to_contain_text("1 given up")
    expect(phone).to_contain_text("The receiver answered 503. 3 more waiting. Next try")
    expect(target(page, "Old one")).to_contain_text("it is gone")
    env = target(page, "WEBHOOK_URL")
    expect(env).to_contain_text("change it there")
    expect(env.get_by_role("button", name="Edit")).to_be_hidden()


def test_a_target_is_added_tested_and_removed(page: Page, stage: Any, owner: Any) -> None:
    page.locator("target-list").get_by_role("button", name="Add…").click()
    dialog = page.get_by_role("dialog", name="Tell somebody")
    expect(dialog.get_by_label("Id")).to_be_focused()
    dialog.get_by_label("Id").fill("ops")
    dialog.get_by_label("Address", exact=True).fill("http://127.0.0.1:9001/x")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_contain_text("There is a target ops already.")
    dialog.get_by_label("Id").fill("new")
    dialog.get_by_label("Secret that signs it").fill("of-tests")
    dialog.get_by_label("Reservations").check()
    stage.replies["PUT", "/api/webhooks/new"] = (200, said(owner.target("new", name="new")))
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    assert bodies(stage, "PUT", "/api/webhooks/new") == [{
        "name": None, "kind": "webhook", "url": "http://127.0.0.1:9001/x", "secret": "of-tests",
        "clear_secret": False, "topics": ["swap", "lock"], "enabled": True,
    }]  # fmt: skip
    assert page.evaluate("document.querySelector('#target-secret').value") == ""

    test = owner.delivery("d-9", test=True, latency_ms=12.0)
    stage.replies["POST", "/api/webhooks/ops/test"] = (200, said(test))
    page.get_by_role("button", name="Send a test to Operations").click()
    expect(page.get_by_text("The test reached Operations")).to_be_visible()
    failed = owner.delivery("d-8", test=True, state="dead", error="No answer within 10 s.")
    stage.replies["POST", "/api/webhooks/phone/test"] = (200, said(failed))
    page.get_by_role("button", name="Send a test to My phone").click()
    toast = page.locator(".toast").filter(has_text="The test did not reach My phone")
    expect(toast).to_contain_text("No answer within 10 s. Look at its address under Edit…")
    wide = page.viewport_size
    page.set_viewport_size({"width": 360, "height": 740})
    [bottom, top] = page.evaluate(
        "[...document.querySelectorAll('.toast')].at(-1).getBoundingClientRect().bottom + ' ' + "
        "document.querySelector('.tabs').getBoundingClientRect().top"
    ).split()
    assert float(bottom) <= float(top), "what stays until it is dismissed lies over the tabs"
    page.set_viewport_size(wide)

    stage.replies["DELETE", "/api/webhooks/phone"] = (200, said(owner.targets()))
    page.get_by_role("button", name="Remove My phone…").click()
    question = page.get_by_role("dialog", name="Stop telling My phone?")
    expect(question).to_contain_text("4 messages are still owed to it")
    question.get_by_role("button", name="Remove it").click()
    expect(page.get_by_text("My phone is not told any more")).to_be_visible()
    assert len(bodies(stage, "DELETE", "/api/webhooks/phone")) == 1


def test_what_is_secret_is_kept_unless_typed(page: Page, stage: Any, owner: Any) -> None:
    page.get_by_role("button", name="Edit My phone…").click()
    dialog = page.get_by_role("dialog", name="Change My phone")
    expect(dialog.get_by_label("Address with its secrets")).to_have_value("")
    expect(dialog).to_contain_text("Saved: ntfy://ntfy.example with its secrets.")
    expect(dialog.get_by_label("Secret that signs it")).to_be_hidden()
    stage.replies["PUT", "/api/webhooks/phone"] = (
        422, {"detail": "the address names no host", "code": "invalid_request"},
    )  # fmt: skip
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("status")).to_contain_text("The address names no host")
    [body] = bodies(stage, "PUT", "/api/webhooks/phone")
    assert "address" not in body
    assert "secret" not in body


def test_a_dead_delivery_is_sent_again(page: Page, stage: Any, owner: Any) -> None:
    log = page.locator("delivery-list")
    expect(log.get_by_role("row").filter(has_text="Delivered")).to_contain_text("42\u00a0ms")
    expect(log.get_by_role("row").filter(has_text="lock.expired")).to_contain_text("31 tries")
    stage.replies["POST", "/api/webhooks/deliveries/d-0/again"] = (
        200, said(owner.delivery("d-0", state="pending")),
    )  # fmt: skip
    log.get_by_role("button", name="Send lock.expired to My phone again").click()
    expect(page.get_by_text("It is sent again")).to_be_visible()
    log.get_by_role("button", name="Given up").click()
    page.wait_for_function("document.querySelector('[data-state=dead]').ariaPressed === 'true'")
    expect(log.get_by_role("button", name="Given up")).to_have_attribute("aria-pressed", "true")
    page.wait_for_load_state("networkidle")
    asked = [url for _, url, _ in stage.shown if url.startswith("/api/webhooks/deliveries?")]
    assert asked[-1] == "/api/webhooks/deliveries?limit=50&state=dead"
    many = [owner.delivery(f"d-{number}") for number in range(50)]
    full = owner.deliveries().model_copy(update={"deliveries": many})
    stage.replies["GET", "/api/webhooks/deliveries"] = (200, said(full))
    log.get_by_role("button", name="All").click()
    with page.expect_request("**/api/webhooks/deliveries?limit=500"):
        log.get_by_role("button", name="Show more").click()


def test_who_had_the_sparks(page: Page, stage: Any, owner: Any) -> None:
    table = page.get_by_role("region", name="Who had the Sparks")
    crm = table.get_by_role("row").filter(has_text="crm-sync")
    expect(crm).to_contain_text("7\u00a0h 12\u00a0min")
    expect(table).to_contain_text("Nobody had them for")
    expect(table).to_contain_text("Events of two hours are missing.")
    more = owner.accounts().model_copy(update={"holders": [], "free_minutes": 0.0})
    stage.replies["GET", "/api/accountability"] = (200, said(more))
    table.get_by_role("button", name="30 days").click()
    expect(table).to_contain_text("Nobody reserved them in these days.")
    expect(table).not_to_contain_text("Nobody had them")
    assert [url for _, url, _ in stage.shown if "accountability" in url][-1].endswith("?days=30")


def test_what_nobody_could_handle_is_told_with_what_to_do(
    page: Page, stage: Any, owner: Any
) -> None:
    card = page.get_by_role("region", name="What nobody could handle")
    expect(card).to_contain_text("A swap was asked for with a model that is a number.")
    expect(card).to_contain_text("Ask again with the key of a model.")
    expect(card).to_contain_text("message 17 of SC_INGRESS: swap.requested")
    stage.replies["GET", "/api/dead-letters"] = (200, {"letters": []})
    page.reload()
    expect(target(page, "Operations")).to_be_visible()
    expect(card).to_be_hidden()


def test_a_part_that_does_not_answer_leaves_the_others(page: Page, stage: Any) -> None:
    refused = {"detail": "nobody answers.", "code": "service_unavailable"}
    stage.replies["GET", "/api/accountability"] = (503, refused)
    page.reload()
    expect(page.get_by_text("Nobody answers.")).to_be_visible()
    expect(target(page, "Operations")).to_be_visible()


def test_names_of_others_are_text(page: Page, stage: Any, owner: Any) -> None:
    long = HOSTILE + "x" * 150
    hostile = owner.target("a", name=long, url="http://h/" + "y" * 300, last_error=HOSTILE)
    stage.replies["GET", "/api/webhooks"] = (200, {"targets": [said(hostile)]})
    bad = owner.delivery(target="a", state="dead", error=HOSTILE, type="z" * 150)
    stage.replies["GET", "/api/webhooks/deliveries"] = (200, {"deliveries": [said(bad)]})
    accounts = owner.accounts()
    holder = accounts.holders[0].model_copy(update={"holder": long})
    told = accounts.model_copy(update={"holders": [holder]})
    stage.replies["GET", "/api/accountability"] = (200, said(told))
    letters = owner.letters(sentence=HOSTILE, action=long, subject="x" * 200)
    stage.replies["GET", "/api/dead-letters"] = (200, said(letters))
    page.set_viewport_size({"width": 360, "height": 740})
    page.reload()
    expect(target(page, HOSTILE)).to_be_visible()
    assert page.locator("img").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") == 360
