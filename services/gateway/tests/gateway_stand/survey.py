"""What a reader with weak eyes, a keyboard or a screen reader would stumble over on a page."""

from pathlib import Path
from typing import Final

from playwright.sync_api import Page

SURVEY: Final = (Path(__file__).parents[1] / "dashboard" / "survey.js").read_text()
SOUND: Final = {
    "pale": [], "small": [], "twice": [], "dangling": [],
    "firsts": 1, "skips": [], "unnamed": [],
}  # fmt: skip
"""What it finds on a page on which nobody stumbles."""


def assert_sound(page: Page) -> None:
    """Look at a page in both themes."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate(SURVEY) == SOUND
