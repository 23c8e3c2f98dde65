"""Every place of the page, and what opens a dialog there."""

import re

from playwright.sync_api import Page, expect

PLACES = {
    "#speech": (),
    "#redact": (),
    "#playground": (),
    "#schedule": (("Add…", ()), ("Ask to release by…", ()), ("Release…", ())),
    "#activity": (
        ("Announce maintenance…", ()),
        ("Log…", ()),
        ("Add…", ()),
        ("Make a key…", ()),
    ),
    "#services": (
        ("Add your own…", ()),
        ("Install a service…", ()),
        ("Restart…", ()),
        ("Logs", ()),
    ),
    "#setup": (),
    "#home": (
        ("Reserve…", ()),
        ("Download a model…", ()),
        ("Switch to this", ()),
        ("Advanced…", ()),
        ("Set it up…", ()),
        ("Add a local model…", ()),
        ("Import a recipe", ()),
        (re.compile("^Delete"), ()),
        ("What to do", ()),
        ("Settings", ("Export and import",)),
    ),
    "status": (),
}
"""Every place, and what opens a dialog there, and out of that another one.

Buttons may be in menus. What was opened stays in the page and is read again each time: the
largest comes last.
"""


def press_wherever(page: Page, opener: str | re.Pattern[str]) -> None:
    """Press a button, also one in a menu that is closed: what comes of it is looked at."""
    around = page.locator("main, header")
    inside = around.get_by_role("button", name=opener, include_hidden=True)
    expect(inside.first).to_be_attached()
    seen = inside.filter(visible=True)
    if seen.count():
        seen.first.click()
    else:
        inside.first.evaluate("button => button.click()")
