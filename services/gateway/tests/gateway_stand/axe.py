"""axe, the accessibility checker, as the development tools of the dashboard bring it."""

import json
import subprocess
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Page

ROOT = Path(__file__).parents[4]
GRAVE: Final = ("serious", "critical")
_NOT_HERE = 75
_LOOK = """([place, rules]) => axe.run(place, {
  resultTypes: ["violations"], selectors: false, preload: false,
  ...(rules ? {runOnly: {type: "rule", values: rules}} : {}),
}).then(({violations}) =>
  violations.map(({impact, id, nodes}) => ({impact, id, html: nodes.map(({html}) => html)})))"""


class Axe:
    """Looks at pages; their policy has to be lifted for it."""

    def __init__(self) -> None:
        tools = subprocess.run(
            [ROOT / "scripts" / "dashboard_tools.sh"], capture_output=True, text=True, check=False
        )
        if tools.returncode == _NOT_HERE:
            pytest.skip(tools.stderr.strip().splitlines()[-1])
        tools.check_returncode()
        self._source = Path(tools.stdout.strip(), "axe-core", "axe.min.js").read_text()

    def findings(self, page: Page, place: str = "html", *rules: str) -> list[str]:
        """Return what is serious or worse in a part of a page, by all rules or some."""
        if not page.evaluate("typeof axe === 'object'"):
            page.evaluate(self._source)
        return [
            f"{page.url} {place} {one['id']}: {json.dumps(one['html'])[:400]}"
            for one in page.evaluate(_LOOK, [place, list(rules) or None])
            if one["impact"] in GRAVE
        ]
