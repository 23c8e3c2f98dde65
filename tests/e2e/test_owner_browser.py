"""The reservation and the settings in a real browser, in front of the whole product."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.timeout(240)]

ARTIFACTS = Path(__file__).parents[2] / "artifacts"


@pytest.fixture
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("chromium is missing: apt-get install chromium")
    ARTIFACTS.mkdir(exist_ok=True)
    with sync_playwright() as driver:
        found = driver.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-background-networking"]
        )
        yield found
        found.close()


def opened(browser: Browser, product) -> Page:
    """One reader of their own: nothing is shared with the next one."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.set_default_timeout(15_000)
    page.goto(product.url)
    expect(page.get_by_role("button", name="Reserve…")).to_be_visible(timeout=20_000)
    return page


def ask_for_it(page: Page, press: str, who: str, minutes: str = "5") -> None:
    page.get_by_role("button", name=press).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Who reserves").fill(who)
    dialog.get_by_label("For how many minutes").fill(minutes)
    dialog.get_by_role("button", name=press.rstrip("…"), exact=True).click()
    expect(dialog).to_be_hidden()


def test_two_readers_share_the_sparks(browser: Browser, product) -> None:
    product.behave("ok")
    alice, bob = opened(browser, product), opened(browser, product)
    theirs, ours = bob.locator("lock-banner"), alice.locator("lock-banner")
    ask_for_it(alice, "Reserve…", "Alice")
    expect(ours).to_contain_text("Reserved by you until")
    expect(theirs).to_contain_text("Reserved by Alice until")
    card = bob.get_by_role("article").filter(has_text="Qwen3.6 35B A3B")
    expect(card.get_by_role("button", name="Switch to this")).to_be_disabled()
    expect(card).to_contain_text(re.compile(r"Reserved until \d\d:\d\d"))

    theirs.get_by_role("button", name="Ask to release by").click()
    polite = bob.get_by_role("dialog")
    polite.get_by_label("Who asks").fill("Bob")
    polite.get_by_label("A word with it").fill("for a demo")
    polite.get_by_role("button", name="Ask", exact=True).click()
    expect(ours).to_contain_text("Bob asks to release it")

    ask_for_it(bob, "Stand in line…", "Bob")
    expect(theirs).to_contain_text("1. Bob (this page)")
    expect(ours).to_contain_text("1. Bob")
    alice.reload()
    expect(ours).to_contain_text("Reserved by you until")
    alice.screenshot(path=ARTIFACTS / "reserved.png")
    ours.get_by_role("button", name="Release…").click()
    alice.get_by_role("dialog").get_by_role("button", name="Release it").click()
    expect(theirs).to_contain_text("Reserved by you until", timeout=30_000)
    expect(ours).to_contain_text("Reserved by Bob until")

    bob.get_by_role("article").filter(has_text="Qwen3.6 35B A3B").get_by_role(
        "button", name="Switch to this"
    ).click()
    bob.get_by_role("dialog").get_by_role("button", name="Load it now").click()
    expect(card).to_contain_text("Serving now", timeout=90_000)
    ours.get_by_role("button", name="Release…").click()
    alice.get_by_role("dialog").get_by_role("button", name="End it now").click()
    expect(bob.get_by_text("decided over your reservation")).to_be_visible()
    expect(ours).to_be_hidden(timeout=30_000)
    expect(bob.get_by_role("button", name="Reserve…")).to_be_visible()
