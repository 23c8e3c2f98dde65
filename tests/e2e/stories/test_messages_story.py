"""Messages to the outside, in a real browser in front of the whole product."""

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.timeout(240)]

ARTIFACTS = Path(__file__).parents[3] / "artifacts"


class Receiver(http.server.BaseHTTPRequestHandler):
    """Takes every delivery, or says that it cannot."""

    status = 200
    heard: list[str] = []

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        Receiver.heard.append(self.headers["webhook-id"])
        self.send_response(Receiver.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def receiver() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hook"
    server.shutdown()
    server.server_close()


def test_a_target_is_added_tested_and_told(browser: Browser, product, receiver: str) -> None:
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.set_default_timeout(60_000)
    page.goto(product.url + "#activity")
    page.locator("target-list").get_by_role("button", name="Add…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Id").fill("ops")
    dialog.get_by_label("Name").fill("Operations")
    dialog.get_by_label("Address", exact=True).fill("http://[fe80::1]/latest")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("status")).not_to_contain_text("Saving")
    page.screenshot(path=ARTIFACTS / "refused-target.png")
    dialog.get_by_label("Address", exact=True).fill(receiver)
    dialog.get_by_label("Secret that signs it").fill("of-tests-4711")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    page.get_by_role("button", name="Send a test to Operations").click()
    expect(page.get_by_text("The test reached Operations")).to_be_visible()
    Receiver.status = 503
    page.get_by_role("button", name="Send a test to Operations").click()
    expect(page.get_by_text("The test did not reach Operations")).to_be_visible()
    product.behave("ok")
    # Afresh: it may be what another file left loaded.
    product.ended(product.swap("gpt-oss-120b", reload=True)["id"])
    log = page.locator("delivery-list").get_by_role("row").filter(has_text="swap.complete")
    expect(log).to_contain_text("Waiting", timeout=60_000)
    expect(page.get_by_text("1 more waiting.")).to_be_visible(timeout=60_000)
    page.screenshot(path=ARTIFACTS / "messages.png", full_page=True)
    Receiver.status = 200
    page.get_by_role("button", name="Edit Operations…").click()
    expect(dialog).to_contain_text("A secret is saved.")
    assert "of-tests-4711" not in page.content()
    # What is saved is tried at once: nobody waits for the next try.
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    expect(log).to_contain_text("Delivered", timeout=60_000)
    page.get_by_role("button", name="Remove Operations…").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove it").click()
    expect(page.get_by_text("Nobody is told yet")).to_be_visible()
