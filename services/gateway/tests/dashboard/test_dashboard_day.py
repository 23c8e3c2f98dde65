"""A page that stays open for a day: what it keeps is bounded, whatever it was told."""

from typing import Any

import pytest
from playwright.sync_api import CDPSession, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

HOURS = 24
SETTLED_HOURS = 6
"""By then every list that has an end has reached it."""
STEPS, LINES = 10, 50
"""of the one swap of an hour: five hundred lines of log."""
LOG_LINES = 2000
"""What the page keeps of a log."""
SLACK_BYTES = 1_500_000
"""What code that was compiled meanwhile takes; the lines alone of the rest of a day are twice as
much."""


class Scale:
    """Weighs a page after everything that can be thrown away was."""

    def __init__(self, page: Page) -> None:
        self._session: CDPSession = page.context.new_cdp_session(page)

    def weigh(self) -> tuple[int, int]:
        """Return the bytes of the heap and the nodes of the document, detached ones as well."""
        for _ in range(2):  # what finalizers let go is there for the second
            self._session.send("HeapProfiler.collectGarbage")
        heap = self._session.send("Runtime.getHeapUsage")["usedSize"]
        return int(heap), int(self._session.send("Memory.getDOMCounters")["nodes"])


def live_through_an_hour(hour: int, stage: Any, scenes: Any, page: Page) -> None:
    """Tell what an hour brings; return when the page has shown the last of it."""
    swap = f"day-{hour}"
    current = scenes.loading(id=swap)
    recent = [scenes.ended("ready", id=f"day-{hour - past}") for past in range(1, min(hour, 20))]
    swaps = {"current": current.model_dump(mode="json"), "queue": []}
    stage.tell("swaps", {**swaps, "recent": [each.model_dump(mode="json") for each in recent]})
    for n in range(1, STEPS + 1):
        lines = [f"hour {hour} step {n} line {index} {'x' * 300}" for index in range(LINES)]
        told = scenes.progress(n, "loading", percent=2.0 * n, lines=lines, swap_id=swap)
        stage.tell("swap.progress", told)
        stage.tell("held", n % 3)
        stage.tell("bus", {"connected": True, "detail": None})
        stage.tell("menu", scenes.menu().model_dump(mode="json"))
        stage.tell("lock.acquired", {"holder": f"Alice {hour}.{n}"})
    expect(page.get_by_role("log")).to_contain_text(f"hour {hour} step {STEPS} line {LINES - 1} ")
    stage.tell("swap.complete", scenes.complete() | {"swap_id": swap})
    expect(page.get_by_role("log")).to_have_count(0)


def test_a_day_of_events_leaves_the_page_as_light_as_a_morning(
    stage: Any, scenes: Any, visit: Any
) -> None:
    models = [scenes.model(f"model-{n}", f"Model {n}", f"org/model-{n}") for n in range(200)]
    stage.snapshot = scenes.snapshot(scenes.menu(models=models))
    page = visit(reduced_motion="reduce").page
    expect(page.locator("model-card")).to_have_count(200)
    scale = Scale(page)
    weights = []
    for hour in range(1, HOURS + 1):
        live_through_an_hour(hour, stage, scenes, page)
        if hour in (SETTLED_HOURS, HOURS):
            weights.append(scale.weigh())
    (heap, nodes), (heap_at_night, nodes_at_night) = weights
    assert heap_at_night < heap + SLACK_BYTES
    assert nodes_at_night <= nodes + 100


def test_ten_thousand_lines_of_a_log_are_shown_as_two_thousand(
    stage: Any, scenes: Any, visit: Any
) -> None:
    stage.snapshot = scenes.snapshot(current=scenes.loading())
    page = visit(reduced_motion="reduce").page
    log = page.get_by_role("log")
    expect(log).to_be_visible()
    for n in range(1, 101):
        lines = [f"line {n}.{index}" for index in range(100)]
        stage.tell("swap.progress", scenes.progress(n, "loading", percent=60.0, lines=lines))
    expect(log).to_contain_text("line 100.99")
    assert log.evaluate("log => log.childNodes.length") == LOG_LINES
    at_end = "log => log.scrollHeight - log.scrollTop - log.clientHeight < 12"
    assert log.evaluate(at_end)
