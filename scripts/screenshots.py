"""Remakes the pictures of the README and the documents from a demo of its own.

Usage: screenshots.py [URL]. With a URL, of a demo that runs already; it swaps models there.
"""

import contextlib
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
CHROMIUMS = ("/usr/bin/chromium-headless-shell", "/usr/bin/chromium")
BEFORE, AFTER = "Qwen3.6 35B A3B", "gpt-oss 120B"
PATIENCE_MS = 240_000


@contextlib.contextmanager
def demo() -> Iterator[str]:
    """A demo on ports and addresses of its own, for as long as the pictures take."""
    ports = [str(port) for port in random.sample(range(20_000, 32_000), 7)]
    net = f"127.{random.randrange(20, 250)}.{random.randrange(0, 250)}"
    with tempfile.TemporaryDirectory() as folder:
        run, output = Path(folder) / "run", Path(folder) / "demo.out"
        with output.open("w") as stream:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "spark_cli", "demo", "--run-dir", str(run)),
                    *("--port", ports[0], "--control-port", ports[1]),
                    *("--service-ports", ",".join(ports[2:])),
                    *("--spark1", f"{net}.11", "--spark2", f"{net}.12"),
                ],
                stdout=stream,
                stderr=stream,
                cwd=ROOT,
            )
        try:
            announced = run / "running.json"
            deadline = time.monotonic() + 180
            while not announced.exists():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"the demo did not come up:\n{output.read_text()}")
                time.sleep(0.1)
            yield str(json.loads(announced.read_text())["gateway"]).rstrip("/") + "/"
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def opened(browser: Browser, url: str, width: int, height: int, scheme: str) -> Page:
    page = browser.new_page(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        locale="en-GB",
        timezone_id="UTC",
        reduced_motion="reduce",
    )
    page.set_default_timeout(PATIENCE_MS)
    page.goto(url)
    return page


def shoot(page: Page, name: str) -> None:
    page.wait_for_timeout(1500)
    page.screenshot(path=IMAGES / f"{name}.png")
    print(IMAGES / f"{name}.png")


def switch(page: Page, model: str, go: str) -> None:
    card = page.get_by_role("article").filter(has_text=model).first
    card.get_by_role("button", name="Switch to this").click()
    page.get_by_role("dialog").get_by_role("button", name=go).click()
    page.evaluate("scrollTo(0, 0)")


def story(browser: Browser, url: str) -> None:
    page = opened(browser, url, 1440, 1000, "light")
    page.get_by_text("Now serving").first.wait_for()
    if page.get_by_text("No model is loaded").count():
        switch(page, BEFORE, "Load it now")
        serving(page, BEFORE)
    switch(page, AFTER, "Switch now")
    page.locator("swap-panel").get_by_role("log").get_by_text("Loading safetensors").wait_for()
    shoot(page, "dashboard")
    serving(page, AFTER)
    page.emulate_media(color_scheme="dark")
    page.get_by_role("img", name="Memory in gigabytes: Model").first.wait_for()
    shoot(page, "dashboard-dark")
    page.close()

    page = opened(browser, f"{url}#playground", 1280, 900, "light")
    page.get_by_label("Message").fill("What is a control plane, in one sentence?")
    page.get_by_role("button", name="Send").click()
    page.get_by_text("Tokens per second", exact=True).wait_for()
    page.evaluate("scrollTo(0, 0)")
    shoot(page, "playground")
    page.close()

    for name, place, width, height, scheme in (
        ("phone", "", 390, 844, "dark"),
        ("status", "status", 1280, 900, "light"),
    ):
        page = opened(browser, url + place, width, height, scheme)
        page.get_by_text(AFTER).first.wait_for()
        shoot(page, name)
        page.close()


def serving(page: Page, model: str) -> None:
    card = page.get_by_role("article").filter(has_text=model).first
    card.get_by_text("Serving now").wait_for()


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    path = next((each for each in CHROMIUMS if Path(each).exists()), None)
    with contextlib.ExitStack() as stack:
        url = sys.argv[1] if len(sys.argv) > 1 else stack.enter_context(demo())
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        stack.callback(browser.close)
        story(browser, url.rstrip("/") + "/")


if __name__ == "__main__":
    main()
