"""axe, the accessibility checker, as the development requirements bring it."""

import json
from importlib import resources
from typing import Final

from playwright.sync_api import Page

GRAVE: Final = ("serious", "critical")
_LOOK = """([place, rules]) => axe.run([...document.querySelectorAll(place)].at(-1), {
  resultTypes: ["violations"], selectors: false, preload: false,
  ...(rules.length ? {runOnly: {type: "rule", values: rules}} : {}),
}).then(({violations, passes}) => [violations.map(({impact, id, nodes}) =>
  ({impact, id, html: nodes.map(({html}) => html)})), passes.length])"""


class Axe:
    """Looks at pages; their policy has to be lifted for it."""

    def __init__(self) -> None:
        brought = resources.files("axe_playwright_python") / "axe.min.js"
        self._source = brought.read_text(encoding="utf-8")

    def findings(self, page: Page, place: str = "html", *rules: str) -> list[str]:
        """Return what is serious or worse in the last such part, by all rules or some."""
        if not page.evaluate("typeof axe === 'object'"):
            page.evaluate(self._source)
        found, passed = page.evaluate(_LOOK, [place, list(rules)])
        assert passed > 0, f"no rule had anything to look at in {place} of {page.url}"
        return [
            f"{page.url} {place} {one['id']}: {json.dumps(one['html'])[:400]}"
            for one in found
            if one["impact"] in GRAVE
        ]
