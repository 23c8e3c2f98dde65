"""``/status``: one verdict from everything, text that stays text, and no way around the keys."""

from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from gateway_stand.scenes import Scenes

from spark_gateway.status_page import words
from spark_gateway.status_page.page import status_page
from spark_gateway.status_page.verdict import overall
from spark_gateway.streams.board import LiveSnapshot

HOSTILE = "</td><script>alert(1)</script>\"'&\ud800"
VOID = {"meta", "link", "br"}


@pytest.fixture
def scenes() -> Scenes:
    return Scenes()


class Read(HTMLParser):
    """What a browser would make of it, as far as it matters here."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.text = ""
        self._open: list[str] = []
        self.feed(page.decode())
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def said(scenes: Scenes, **changes: Any) -> tuple[str, str]:
    view = LiveSnapshot.model_validate({**scenes.snapshot(), **changes})
    line = overall(view, scenes.now)
    return line.tone, line.word


def test_the_verdict_names_what_matters_most(scenes: Scenes) -> None:
    menu = scenes.menu().model_dump(mode="json")
    down = {**menu["hosts"][1], "state": "unreachable"}
    broken = {**menu["runtime"], "state": "degraded", "detail": "it stutters"}
    bus = {"connected": False, "detail": None}
    parts = [{"name": "health", "state": "down"}]
    swaps = scenes.snapshot(current=scenes.loading())["swaps"]
    held = {"state": "held", "holder": "Alice", "epoch": 1}
    for changes, expected in (
        ({}, ("ok", "All well")),
        ({"bus": bus, "swaps": swaps}, ("bad", "Event bus is down")),
        ({"menu": None}, ("bad", "No news from the Sparks")),
        ({"menu": {**menu, "hosts": []}}, ("idle", "Not set up")),
        ({"swaps": swaps, "components": parts}, ("now", "Swapping")),
        ({"menu": {**menu, "hosts": [menu["hosts"][0], down]}, "lease": held},
         ("bad", "Spark 2 cannot be reached")),
        ({"menu": {**menu, "runtime": broken}}, ("bad", "The loaded model answers badly")),
        ({"components": parts}, ("warn", "1 part does not answer")),
        ({"lease": held}, ("warn", "Reserved")),
        ({"menu": {**menu, "runtime": {"state": "idle"}}}, ("idle", "Idle")),
    ):  # fmt: skip
        assert said(scenes, **changes) == expected


def test_whatever_others_wrote_stays_text(scenes: Scenes) -> None:
    view = LiveSnapshot.model_validate(scenes.snapshot(current=scenes.loading()))
    plain = Read(status_page(view, scenes.now))
    told = view.model_dump(mode="json")
    told["menu"]["models"] = [{**e, "name": HOSTILE} for e in told["menu"]["models"]]
    told["menu"]["hosts"] = [{**e, "label": HOSTILE} for e in told["menu"]["hosts"]]
    told["swaps"]["current"] |= {"model_name": HOSTILE, "requested_by": HOSTILE}
    lease = {"state": "held", "holder": HOSTILE, "reason": HOSTILE, "epoch": 1}
    nasty = LiveSnapshot.model_construct(**{**dict(view), "version": HOSTILE})
    hostile = LiveSnapshot.model_validate({**told, "lease": lease})
    for each in (hostile, nasty):
        read = Read(status_page(each, scenes.now))
        assert read.tags == plain.tags
        assert "alert(1)" in read.text
        assert not {name for name in read.attributes if name.startswith("on")} | (
            read.attributes & {"style"}
        )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.6, "1 min"), (80, "1 min 20 s"), (3600, "1 h"), (90061, "1 d 1 h")],
)
def test_durations_and_uptime_are_rounded_honestly(seconds: float, text: str) -> None:
    assert words.span(seconds).replace(words.GAP, " ") == text
    assert words.percent(99.994) == f"99.99{words.GAP}%"
    assert words.percent(100.0) == f"100{words.GAP}%"
    assert words.since(None, Scenes().now) == ""


async def test_the_page_is_served_with_the_policy_of_pages(bench: Any) -> None:
    answer = await bench.http.get("/status")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert "Status of the Sparks" in answer.text
    assert (await bench.http.post("/status", json={})).status_code == 405


def test_ends_are_told_by_how_long_ago(scenes: Scenes) -> None:
    view = LiveSnapshot.model_validate(scenes.snapshot())
    later = scenes.now + timedelta(days=2)
    assert "2 d" in Read(status_page(view, later)).text.replace(words.GAP, " ")
