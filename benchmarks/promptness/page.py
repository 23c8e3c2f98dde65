"""How soon the dashboard is painted and has its snapshot, with an empty cache."""

from typing import Final

from benchmarks.health.product import Product
from benchmarks.page import engine, visit
from benchmarks.promptness.figures import Row
from playwright.sync_api import sync_playwright

_VISITS: Final = 15


def measure(product: Product) -> list[Row]:
    """Visit it again and again, each time as somebody who was never there."""
    path = engine()
    if path is None:
        print("chromium is missing: the dashboard was not visited")
        return []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        visit(browser, product.url)  # The engine's own first start.
        seen = [visit(browser, product.url) for _ in range(_VISITS)]
        browser.close()
    figures = {name: [one[name] for one in seen] for name in seen[0]}
    return [
        Row(
            "dashboard, first contentful paint", "ms", figures["first paint ms"], "median", 200, 200
        ),
        Row("dashboard, the snapshot is there", "ms", figures["snapshot ms"], "median", 200, 200),
        Row("dashboard, the snapshot is shown", "ms", figures["shown ms"]),
        Row("dashboard, weight", "KB", figures["weight KB"], "most", must=250, aim=250),
    ]
