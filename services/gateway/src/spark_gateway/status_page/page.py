"""The page itself, from the same picture as the dashboard's."""

from datetime import datetime
from typing import Final

from spark_gateway.status_page import sections, words
from spark_gateway.status_page.markup import Child, made, pill, text_of
from spark_gateway.status_page.verdict import overall
from spark_gateway.streams.board import LiveSnapshot

_SHEETS: Final = ("css/tokens", "css/base", "css/layout", "css/components/card",
                  "css/components/icon", "css/components/pill", "css/components/table",
                  "late/status/style")  # fmt: skip


def status_page(view: LiveSnapshot, now: datetime) -> bytes:
    """The whole document as UTF-8."""
    line = overall(view, now)
    head = made(
        "head",
        made("meta", charset="utf-8"),
        made("meta", name="viewport", content="width=device-width, initial-scale=1"),
        made("meta", name="color-scheme", content="light dark"),
        made("title", f"{line.word} · Status · spark-control"),
        made("link", rel="icon", href="static/favicon.svg", type="image/svg+xml"),
        *(made("link", rel="stylesheet", href=f"static/{sheet}.css") for sheet in _SHEETS),
        made("script", type="module", src="static/late/status/renew.js"),
    )
    said = made(
        "p",
        pill(line.tone, line.word),
        " ",
        made("span", line.text),
        class_="verdict",
        id="verdict",
    )
    said.set("role", "status")
    parts: list[Child] = [
        made("h1", "Status of the Sparks"),
        made("p", "These Sparks are simulated.", class_="soft") if view.demo else None,
        said,
        sections.now(view, now),
        sections.sparks(view, now),
        sections.services(view, now),
        sections.parts(view),
        sections.swaps(view, now),
    ]
    stamp = made("time", words.utc(now), datetime=now.isoformat())
    foot = made(
        "footer",
        made("p", "As of ", stamp, f", spark-control {view.version}.", id="stamp"),
        made("p", "Percentages are of the time that was watched, without maintenance."),
        made("p", "Nothing can be changed here. ", made("a", "The dashboard", href="./")),
        class_="page small soft",
    )
    body = made("body", made("main", *parts, class_="page stack", id="main"), foot)
    return text_of(made("html", head, body, lang="en"))
