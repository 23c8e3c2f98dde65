"""axe, the accessibility checker, as the development requirements bring it."""

import json
from collections.abc import Sequence
from importlib import resources
from typing import Final, Literal

from gateway_stand.survey import SURVEY
from playwright.sync_api import Page

GRAVE: Final = ("serious", "critical")
_LOOK = """([place, rules]) => axe.run([...document.querySelectorAll(place)].at(-1), {
  resultTypes: ["violations"], selectors: false, preload: false,
  ...(rules.length ? {runOnly: {type: "rule", values: rules}} : {}),
}).then(({violations, passes}) => [violations.map(({impact, id, nodes}) =>
  ({impact, id, html: nodes.map(({html}) => html)})), passes.length])"""


LOOKS: Final = ("color-contrast", "target-size", "label-content-name-mismatch")
"""The rules whose answer depends on theme and width."""
_STICKS_OUT: Final = """place => [document.documentElement, ...document.querySelectorAll(place)]
  .filter(({scrollWidth, clientWidth}) => scrollWidth > clientWidth).map(({tagName}) => tagName)"""
_WAYS: Final[tuple[tuple[Literal["light", "dark"], int], ...]] = (("light", 1440), ("dark", 360))


class Axe:
    """Looks at a page; its policy has to be lifted for it."""

    def __init__(self, page: Page) -> None:
        brought = resources.files("axe_playwright_python") / "axe.min.js"
        self._source = brought.read_text(encoding="utf-8")
        self._page = page
        self._ways = list(_WAYS)
        self._turn()

    def in_both_themes(self, place: str) -> list[str]:
        """Return what is serious or worse, light on a wide screen and dark on a phone.

        Every rule is asked in the theme in which the page is already, in the other one those
        that depend on looks. Nothing may stick out.
        """
        found = self._findings(place, ())
        self._turn()
        return found + self._findings(place, LOOKS)

    def of_dialog(self) -> list[str]:
        """Return the same of the dialog on top, with axe in one theme, and one after the other.

        In the other theme the survey reads it: axe would read all that lies behind it again.
        """
        found = self._findings("dialog[open]", ())
        self._turn()
        seen = self._page.evaluate(SURVEY)
        return found + [f"{self._page.url}: {seen}" for name in ("pale", "small") if seen[name]]

    def _turn(self) -> None:
        self._ways.reverse()
        theme, width = self._ways[0]
        self._page.emulate_media(color_scheme=theme)
        self._page.set_viewport_size({"width": width, "height": 900})

    def _findings(self, place: str, rules: Sequence[str]) -> list[str]:
        assert self._page.evaluate(_STICKS_OUT, place) == []
        if not self._page.evaluate("typeof axe === 'object'"):
            self._page.evaluate(self._source)
        found, passed = self._page.evaluate(_LOOK, [place, list(rules)])
        url = self._page.url
        assert passed > 0, f"no rule had anything to look at in {place} of {url}"
        return [
            f"{url} {place} {one['id']}: {json.dumps(one['html'])[:400]}"
            for one in found
            if one["impact"] in GRAVE
        ]
