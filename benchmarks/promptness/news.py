"""How soon what is told on the bus is at a client, and in front of a person at the dashboard."""

import asyncio
import re
import time
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

import httpx
from benchmarks.health.product import Product
from benchmarks.page import engine
from benchmarks.promptness.figures import Row
from playwright.async_api import Page, Playwright, async_playwright

_TIMES: Final = 100
_BETWEEN_SECONDS: Final = 0.05
_PATIENCE_SECONDS: Final = 60.0
_MARK: Final = re.compile(r"promptness-\d+")
_WATCH: Final = """
window.seen = {};
const mark = /promptness-\\d+/;
new MutationObserver(() => {
  const at = performance.timeOrigin + performance.now();
  const found = mark.exec(document.querySelector("lock-banner:not([hidden])")?.textContent ?? "");
  if (found) window.seen[found[0]] ??= at;
}).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
"""
Seen = dict[str, float]
"""Names and when each was seen first, in milliseconds since 1970."""


class Stream:
    """A client of a stream of events, as a browser is one, and when it saw which name."""

    def __init__(self, product: Product, path: str) -> None:
        self.seen: Seen = {}
        self._where = urlsplit(product.url)
        self._path = path
        self.open = asyncio.Event()

    async def follow(self) -> None:
        """Read for ever."""
        reader, writer = await asyncio.open_connection(self._where.hostname, self._where.port)
        head = f"GET {self._path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n"
        writer.write(head.encode())
        await reader.readuntil(b"\r\n\r\n")
        self.open.set()
        # A whole picture is one line.
        while data := await reader.read(1 << 20):
            at = time.time() * 1000
            for name in _MARK.findall(data.decode(errors="replace")):
                self.seen.setdefault(name, at)


def measure(product: Product) -> list[Row]:
    """Reserve the Sparks under many names; note when each is in a stream and on the page.

    Counted from the time that the coordinator gave the event, before it told it.
    """
    return asyncio.run(_measure(product))


async def _measure(product: Product) -> list[Row]:
    live, log = Stream(product, "/api/live"), Stream(product, "/api/events?after=now&type=lock.*")
    following = [asyncio.create_task(each.follow()) for each in (live, log)]
    await asyncio.gather(live.open.wait(), log.open.wait())
    async with async_playwright() as driver:
        page = await _page(driver, product)
        await _reserve(product, page)
        shown: Seen = await page.evaluate("window.seen") if page is not None else {}
    told = _told(product)
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while not (told.keys() <= live.seen.keys() and told.keys() <= log.seen.keys()):
            await asyncio.sleep(0.05)
    for task in following:
        task.cancel()
    titles = {
        "event on the bus, until it is in the dashboard's stream": live.seen,
        "event on the bus, until the dashboard shows it": shown,
        "event on the bus, until it is in /api/events": log.seen,
    }
    return [
        Row(title, "ms", [seen[name] - at for name, at in told.items()], must=50, aim=10)
        for title, seen in titles.items()
        if seen
    ]


async def _page(driver: Playwright, product: Product) -> Page | None:
    path = engine()
    if path is None:
        print("chromium is missing: no event is shown in a page")
        return None
    browser = await driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
    page = await browser.new_page()
    await page.add_init_script(_WATCH)
    await page.goto(product.url)
    await page.locator("spark-hardware svg").first.wait_for(state="attached")
    return page


async def _reserve(product: Product, page: Page | None) -> None:
    """Take the lease and give it back, and wait in between until a person saw it."""
    async with httpx.AsyncClient(base_url=product.url, timeout=30, trust_env=False) as client:
        for number in range(_TIMES):
            name = f"promptness-{number}"
            lease = {"holder": name, "reason": "measuring", "ttl_seconds": 600}
            answer = await client.post("/api/swap/lock", json=lease)
            token = answer.raise_for_status().json()["token"]
            if page is not None:
                await page.wait_for_function(
                    "(name) => window.seen[name]", arg=name, timeout=_PATIENCE_SECONDS * 1000
                )
            await asyncio.sleep(_BETWEEN_SECONDS)
            headers = {"x-swap-lock-token": token}
            (await client.delete("/api/swap/lock", headers=headers)).raise_for_status()
            await asyncio.sleep(_BETWEEN_SECONDS)


def _told(product: Product) -> Seen:
    """Return when each event was made, as it says itself."""
    place = {"type": "lock.acquired", "limit": "500"}
    events = product.http.get("/api/events", params=place).raise_for_status().json()["events"]
    return {
        event["data"]["holder"]: datetime.fromisoformat(event["time"]).timestamp() * 1000
        for event in events
        if _MARK.fullmatch(event["data"]["holder"])
    }
