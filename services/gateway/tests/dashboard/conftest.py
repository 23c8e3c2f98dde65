"""A browser in front of a stage on which the gateway is played."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Literal

import pytest
import uvicorn
from gateway_stand.scenes import Scenes
from gateway_stand.stage import House, Stage
from gateway_stand.visit import Visit
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from spark_common.testing.wait import PATIENCE_SECONDS

CHROMIUMS = (Path("/usr/bin/chromium-headless-shell"), Path("/usr/bin/chromium"))
"""Debian's: the engine alone where it is installed, which needs a third less time."""
PATIENCE_MS = PATIENCE_SECONDS * 1000
expect.set_options(timeout=PATIENCE_MS)
QUIET_CHROMIUM = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    """A running server on a free loopback port, for the stages of a file."""
    house = House()
    config = uvicorn.Config(
        house,
        host="127.0.0.1",
        port=0,
        log_level="critical",
        timeout_graceful_shutdown=1,
        lifespan="off",
    )
    server = uvicorn.Server(config)
    listening = config.bind_socket()
    house.url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    with closing(listening):
        thread.start()
        yield house
        server.should_exit = True
        thread.join(10)


@pytest.fixture
def stage(house: House) -> Iterator[Stage]:
    """A stage of the test's own."""
    stage = Stage(house.url)
    house.show(stage)
    yield stage
    stage.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium."""
    found = next((path for path in CHROMIUMS if path.exists()), None)
    if found is None:
        pytest.skip(f"no Chromium at {CHROMIUMS[-1]}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=QUIET_CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Browser, stage: Stage) -> Iterator[Any]:
    """Opens the page; at the end nothing may have been complained about or fetched elsewhere."""
    opened: list[tuple[BrowserContext, Visit]] = []

    def open_page(
        width: int = 1440,
        height: int = 1000,
        scheme: Literal["light", "dark"] = "light",
        *,
        clocked: bool = False,
        **more: Any,
    ) -> Visit:
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            locale="en-GB",
            timezone_id="UTC",
            **more,
        )
        context.grant_permissions(["clipboard-read", "clipboard-write"], origin=stage.url)
        context.set_default_timeout(PATIENCE_MS)
        visit = Visit(context, stage.url)
        opened.append((context, visit))
        if clocked:  # then seconds pass by ``page.clock.run_for`` and in no other way
            visit.page.clock.install()
            visit.page.clock.pause_at(time.time() + 1)
        visit.page.goto(stage.url)
        return visit

    yield open_page
    for context, visit in opened:
        context.close()
        assert visit.complaints == []
        assert visit.strangers == []


@pytest.fixture
def scenes() -> Scenes:
    """Builders of what the gateway may say."""
    return Scenes()
