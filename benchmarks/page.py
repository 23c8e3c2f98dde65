"""How soon the dashboard is there, and what it weighs: ``python -m benchmarks.page URL``."""

import argparse
import json
import shutil
import statistics
from typing import Final

from playwright.sync_api import Browser, sync_playwright

_ENGINES: Final = ("chromium-headless-shell", "chromium")
_WATCH: Final = """
new PerformanceObserver((list) => {
  for (const entry of list.getEntries())
    if (entry.name === "first-contentful-paint") window.painted = entry.startTime;
}).observe({type: "paint", buffered: true});
new MutationObserver(() => {
  if (document.querySelector("#home:not([hidden])")) window.shown ??= performance.now();
}).observe(document, {subtree: true, attributes: true, attributeFilter: ["hidden"]});
const Whole = window.EventSource;
window.EventSource = class extends Whole {
  constructor(...given) {
    super(...given);
    this.addEventListener("snapshot", () => { window.told ??= performance.now(); });
  }
};
"""
_LAST: Final = "spark-hardware svg"
"""What comes last on the first tab: from then on everything is there that weighs something."""
_WEIGHT: Final = """() => performance.getEntriesByType("resource")
  .concat(performance.getEntriesByType("navigation"))
  .filter(({initiatorType, name}) => initiatorType !== "img" && !name.includes("/api/"))
  .reduce((sum, {transferSize}) => sum + transferSize, 0)"""


def engine() -> str | None:
    """Return where Debian's Chromium is, the one without windows first; None: there is none."""
    return next((path for name in _ENGINES if (path := shutil.which(name))), None)


def visit(browser: Browser, url: str) -> dict[str, float]:
    """One visit with an empty cache: milliseconds since the address was opened, and bytes."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    try:
        page = context.new_page()
        page.add_init_script(_WATCH)
        page.goto(url)
        page.wait_for_function("() => window.painted && window.told && window.shown")
        page.locator(_LAST).first.wait_for(state="attached")
        return {
            "first paint ms": page.evaluate("window.painted"),
            "snapshot ms": page.evaluate("window.told"),
            "shown ms": page.evaluate("window.shown"),
            "weight KB": page.evaluate(_WEIGHT) / 1000,
        }
    finally:
        context.close()


def main() -> None:
    """Print the median, the lowest and the highest of each figure as JSON."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("url", help="of a running dashboard")
    arguments.add_argument("--visits", type=int, default=15)
    given = arguments.parse_args()
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=engine(), args=["--no-sandbox"])
        visit(browser, given.url)  # the engine's own first start
        seen = [visit(browser, given.url) for _ in range(given.visits)]
        browser.close()
    for name in seen[0]:
        values = [one[name] for one in seen]
        spread = [statistics.median(values), min(values), max(values)]
        print(json.dumps({name: [round(value, 1) for value in spread]}))


if __name__ == "__main__":
    main()
