"""The story in a real browser: press the button, watch the phases, reload in the middle."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.timeout(360)]

ARTIFACTS = Path(__file__).parents[2] / "artifacts"

HURRIED, PATIENT, STILL = 90.0, 4.0, 0.5
"""How many times faster the Sparks' seconds pass: while nothing is looked at, until the load that
is looked at begins, and during it. The product's own bounds of time are those of ``PATIENT``."""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1440, "height": 1160})
    yield page
    page.screenshot(path=ARTIFACTS / "browser-last.png")


def test_a_stranger_presses_switch_and_a_model_swaps(page: Page, starter) -> None:
    product = starter.start("--speed", str(PATIENT))
    product.pace(HURRIED)
    trouble: list[str] = []
    # A part that answers late is told on the page and asked again; the browser complains anyway.
    late = "status of 50"
    page.on(
        "console",
        lambda m: trouble.append(m.text) if m.type == "error" and late not in m.text else None,
    )
    page.on("pageerror", lambda error: trouble.append(str(error)))
    product.behave("ok")
    page.goto(product.url)
    main, panel = page.locator("main"), page.locator("swap-panel")
    expect(main).to_contain_text("No model is loaded", timeout=60_000)
    _press(page, "Qwen3.6 35B A3B", "Load it now")
    expect(_card(page, "Qwen3.6 35B A3B")).to_contain_text("Serving now", timeout=60_000)
    expect(main).to_contain_text("Now serving")

    product.pace(PATIENT)
    _press(page, "gpt-oss 120B", "Switch now")
    swap = product.until("the swap", lambda: product.http.get("/api/swap").json()["current"])
    product.until("its weights", lambda: (product.view(swap["id"])["percent"] or 0) > 0)
    product.pace(STILL)
    expect(panel).to_contain_text("Loading weights", timeout=60_000)
    expect(panel.get_by_role("log")).to_contain_text("Loading safetensors", timeout=60_000)
    page.screenshot(path=ARTIFACTS / "swapping.png")
    page.reload()
    expect(panel).to_contain_text("gpt-oss 120B", timeout=60_000)
    expect(panel.get_by_role("log")).to_contain_text("Loading safetensors")
    page.get_by_role("link", name="Playground").click()
    play = page.locator("playground-panel")
    page.get_by_label("Message").fill("Who are you?")
    page.get_by_label("Message").press("Enter")
    expect(play).to_contain_text("Waiting for gpt-oss 120B")
    product.pace(HURRIED)
    expect(play).to_contain_text("Tokens per second", timeout=120_000)
    expect(play.locator("[data-part=problem]").last).to_be_hidden()
    page.get_by_role("link", name="Home").click()
    expect(_card(page, "gpt-oss 120B")).to_contain_text("Serving now", timeout=120_000)
    expect(main).to_contain_text("Now serving")
    memory = page.get_by_role("img", name=re.compile("Memory in gigabytes: Model"))
    expect(memory.first).to_be_visible(timeout=120_000)
    page.screenshot(path=ARTIFACTS / "ready.png", full_page=True)

    page.get_by_role("link", name="Services").click()
    tile = page.get_by_role("article", name="Text to speech", exact=True)
    expect(tile).to_contain_text("Healthy", timeout=60_000)
    tile.get_by_role("button", name="Restart…").click()
    page.get_by_role("dialog").get_by_role("button", name="Restart", exact=True).click()
    expect(tile).to_contain_text("Restarted by dashboard", timeout=60_000)
    assert trouble == []


def _card(page: Page, model: str) -> Locator:
    return page.get_by_role("article").filter(has_text=model)


def _press(page: Page, model: str, confirm: str) -> None:
    _card(page, model).get_by_role("button", name="Switch to this").click()
    page.get_by_role("dialog").get_by_role("button", name=confirm).click()
