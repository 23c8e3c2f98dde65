"""Pictures of every state, at the widths people have; kept in ``artifacts`` to be looked at."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from gateway_stand.survey import SOUND, SURVEY
from playwright.sync_api import expect

ARTIFACTS = Path(__file__).parents[4] / "artifacts"
LINES = [
    "./launch-cluster.sh --solo -d exec vllm serve openai/gpt-oss-120b --port 8888 …",
    "(APIServer pid=91) INFO non-default args: {'model_tag': 'openai/gpt-oss-120b'}",
    "(EngineCore pid=212) INFO Resolved architecture: GptOssForCausalLM",
    "(EngineCore pid=212) Loading safetensors checkpoint shards:  53% | 8/15 [00:34<00:31]",
    "(EngineCore pid=212) Loading safetensors checkpoint shards:  60% | 9/15 [00:39<00:26]",
]

pytestmark = pytest.mark.browser


def ready(stage: Any, scenes: Any) -> None:
    stage.snapshot = scenes.snapshot(demo=True)


def idle(stage: Any, scenes: Any) -> None:
    stage.snapshot = scenes.snapshot(scenes.menu(None))


def swapping(stage: Any, scenes: Any) -> None:
    queued = scenes.swap(
        "queued", {"queued": None}, id="swap-2", model="gemma-4-26b", model_name="Gemma 4 26B",
        requested_by="Bob",
    )  # fmt: skip
    stage.snapshot = scenes.snapshot(current=scenes.loading(), queue=[queued]) | {"held": 3}
    stage.story = [
        ("swap.progress", scenes.progress(1, "preflight", message="Checking")),
        ("swap.progress", scenes.progress(6, "loading", percent=60.0, lines=LINES)),
    ]


def rolling_back(stage: Any, scenes: Any) -> None:
    marks = {"preflight": 3, "draining": 14, "stopping": 7, "launching": 23, "rolling_back": None}
    stage.snapshot = scenes.snapshot(current=scenes.swap("rolling_back", marks, since=20))


def failed(stage: Any, scenes: Any) -> None:
    swap = scenes.ended()
    cause = swap.cause.model_copy(update={"evidence": [*LINES, *swap.cause.evidence]})
    ended = swap.model_copy(update={"cause": cause})
    stage.snapshot = scenes.snapshot(scenes.menu(None), recent=[ended, *scenes.recent()])


def rolled_back(stage: Any, scenes: Any) -> None:
    swap = scenes.ended("rolled_back", serving="qwen3.6-35b-a3b")
    stage.snapshot = scenes.snapshot(recent=[swap, *scenes.recent()])


def spark_down(stage: Any, scenes: Any) -> None:
    down = scenes.host(
        2, state="unreachable", seen_at=scenes.ago(1080),
        detail="No route to Spark 2. Check that it is switched on and that its cable is in.",
    )  # fmt: skip
    stage.snapshot = scenes.snapshot(scenes.menu(hosts=[scenes.host(1), down]))


def bus_down(stage: Any, scenes: Any) -> None:
    stage.snapshot = scenes.snapshot(bus={"connected": False, "detail": None})


def parts_down(stage: Any, scenes: Any) -> None:
    stage.snapshot = scenes.snapshot()
    stage.snapshot["components"][0]["state"] = "down"
    stage.snapshot["components"][3]["state"] = "down"


def nobody(stage: Any, scenes: Any) -> None:
    stage.snapshot = {**scenes.snapshot(), "menu": None, "swaps": None}


def first_run(stage: Any, scenes: Any) -> None:
    stage.snapshot = scenes.snapshot(scenes.menu(None, hosts=[], models=[]))


SCENES: dict[str, Callable[[Any, Any], None]] = {
    scene.__name__: scene
    for scene in (
        ready, idle, swapping, rolling_back, failed, rolled_back, spark_down, bus_down, parts_down,
        nobody, first_run,
    )
}  # fmt: skip


CUT = (
    "[...document.querySelectorAll('.said > span')].filter(word => "
    "word.scrollWidth > word.clientWidth + 1 || word.scrollHeight > word.clientHeight + 1)"
    ".map(word => word.textContent)"
)
LOOKS = [(1440, "light", True), (1280, "dark", False), (390, "light", False), (360, "dark", True)]
"""Width, theme, and whether a picture is kept: two of four show everything there is to see."""


@pytest.mark.parametrize("name", SCENES)
def test_every_state_fits_every_width(name: str, stage: Any, scenes: Any, visit: Any) -> None:
    SCENES[name](stage, scenes)
    page = visit(reduced_motion="reduce").page
    expect(page.get_by_role("banner")).not_to_contain_text("Connecting")
    ARTIFACTS.mkdir(exist_ok=True)
    for width, scheme, picture in LOOKS:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        if picture:
            path = ARTIFACTS / f"dashboard-{name}-{width}-{scheme}.png"
            page.screenshot(path=path, full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert page.evaluate(CUT) == [], "the first sentence is cut off"


def test_questions_and_answers_look_right(stage: Any, scenes: Any, visit: Any) -> None:
    stage.snapshot = scenes.snapshot()
    page = visit(1280, 800).page
    page.get_by_role("article", name="gpt-oss-120b").get_by_role("button").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for width, height in ((1280, 800), (360, 740)):
            page.set_viewport_size({"width": width, "height": height})
            page.screenshot(path=ARTIFACTS / f"dashboard-question-{width}-{scheme}.png")


def test_a_lost_server_is_seen_at_once(stage: Any, scenes: Any, visit: Any) -> None:
    swapping(stage, scenes)
    opened = visit(reduced_motion="reduce")
    opened.expected = ("status of 503", "ERR_")
    expect(opened.page.get_by_text("Switching to", exact=True)).to_be_visible()
    stage.hang_up(away=True)
    expect(opened.page.get_by_role("banner")).to_contain_text("No connection")
    for scheme in ("light", "dark"):
        opened.page.emulate_media(color_scheme=scheme)
        opened.page.screenshot(path=ARTIFACTS / f"dashboard-lost-{scheme}.png", full_page=True)


def test_the_status_page_is_read_printed_and_renewed(stage: Any, scenes: Any, visit: Any) -> None:
    swapping(stage, scenes)
    opened = visit(clocked=True, bypass_csp=True)
    page = opened.page
    page.goto(f"{stage.url}status")
    verdict = page.get_by_role("status")
    expect(verdict).to_contain_text("Swapping")
    expect(page.get_by_role("region", name="The Sparks")).to_contain_text("Spark 2")
    assert page.locator("button, input, select, textarea, form").count() == 0
    for width, scheme in ((1280, "light"), (360, "dark")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert page.evaluate(SURVEY) == SOUND
        page.screenshot(path=ARTIFACTS / f"status-{width}-{scheme}.png", full_page=True)
    page.emulate_media(media="print", color_scheme="light")
    page.screenshot(path=ARTIFACTS / "status-print.png", full_page=True)
    page.emulate_media(media="screen")

    # It renews itself, says when it cannot, and needs no script to be read.
    idle(stage, scenes)
    page.clock.run_for(16_000)
    expect(verdict).to_contain_text("No model is loaded.")
    opened.expected = ("503", "ERR_")
    page.route("**/status", lambda route: route.fulfill(status=503))
    page.clock.run_for(16_000)
    expect(page.get_by_role("alert")).to_contain_text("may not be true any more")
    bare = visit(java_script_enabled=False).page
    bare.goto(f"{stage.url}status")
    expect(bare.get_by_role("heading", level=1)).to_be_visible()
    expect(bare.get_by_role("region", name="The Sparks")).to_be_visible()
