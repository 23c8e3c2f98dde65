"""Elements of a page; text becomes text, whatever is in it."""

from typing import Final
from xml.etree import ElementTree as ET

from spark_gateway.status_page.verdict import Tone

_ICONS: Final[dict[Tone, str]] = {
    "ok": "M5.3 8.2l1.9 1.9 3.5-4.1M8 1.8a6.2 6.2 0 110 12.4A6.2 6.2 0 018 1.8z",
    "warn": "M8 2.2l6.4 11.2H1.6zM8 6.6v3M8 11.5v.1",
    "bad": "M5.9 5.9l4.2 4.2M10.1 5.9l-4.2 4.2M8 1.8a6.2 6.2 0 110 12.4A6.2 6.2 0 018 1.8z",
    "now": "M8 1.8a6.2 6.2 0 106.2 6.2",
    "idle": "M5.4 8h5.2M8 1.8a6.2 6.2 0 110 12.4A6.2 6.2 0 018 1.8z",
}
Child = ET.Element | str | None


def made(tag: str, *children: Child, **attributes: str) -> ET.Element:
    """An element; ``class_`` and ``aria_label`` are written as attributes are."""
    names = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
    element = ET.Element(tag, names)
    for child in children:
        if child is None:
            continue
        if not isinstance(child, str):
            element.append(child)
        elif len(element):
            element[-1].tail = (element[-1].tail or "") + child
        else:
            element.text = (element.text or "") + child
    return element


def pill(tone: Tone, word: str) -> ET.Element:
    """A state: icon and word, never colour alone."""
    icon = made("svg", made("path", d=_ICONS[tone]), class_="icon", viewBox="0 0 16 16")
    icon.set("aria-hidden", "true")
    return made(
        "span", icon, made("span", word), class_=f"pill {tone}" if tone != "idle" else "pill"
    )


def section(id: str, title: str, *children: Child) -> ET.Element:
    """A card with a title."""
    heading = made("h2", title, id=f"{id}-title")
    attributes = {"class": "card stack", "id": id, "aria-labelledby": f"{id}-title"}
    element = made("section", heading, *children)
    element.attrib.update(attributes)
    return element


def table(caption: str, heads: list[str], rows: list[list[Child]]) -> ET.Element:
    """The first cell of a row names it."""
    head = made("tr", *(made("th", text, scope="col") for text in heads))
    body = [
        made("tr", made("th", row[0], scope="row"), *(made("td", cell) for cell in row[1:]))
        for row in rows
    ]
    inner = made(
        "table",
        made("caption", caption, class_="sr"),
        made("thead", head),
        made("tbody", *body),
        class_="table",
    )
    # Wider than a phone, it is scrolled by keyboard too.
    return made("div", inner, class_="table-wrap", tabindex="0", role="region", aria_label=caption)


def text_of(page: ET.Element) -> bytes:
    """The page as it is sent; halves of characters, which no text may hold, are left out."""
    said = ET.tostring(page, encoding="unicode", method="html")
    return b"<!doctype html>\n" + said.encode("utf-8", "replace")
