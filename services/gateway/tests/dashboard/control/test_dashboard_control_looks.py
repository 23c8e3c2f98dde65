"""Every dialog and every card, at the widths people have: readable, named, nothing sticks out."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from gateway_stand.survey import SOUND, SURVEY
from playwright.sync_api import Page, expect

ARTIFACTS = Path(__file__).parents[5] / "artifacts"
LOOKS = [(1280, "light", True), (1280, "dark", False), (360, "light", False), (360, "dark", True)]
"""Width, theme, and whether a picture is kept: two of four show everything there is to see."""

pytestmark = pytest.mark.browser


def said(model: Any) -> Any:
    return model.model_dump(mode="json")


def press(page: Page, card: str, button: str) -> None:
    page.get_by_role("article", name=card, exact=True).get_by_role("button", name=button).click()


def choose(page: Page, card: str, button: str) -> None:
    page.get_by_role("article", name=card, exact=True).locator(".more > summary").click()
    press(page, card, button)


def cards(page: Page, stage: Any, control: Any) -> None:
    expect(page.locator("model-card")).to_have_count(len(control.every_card()))
    page.get_by_text("Not on disk: 1 more").click()


def menus(page: Page, stage: Any, control: Any) -> None:
    page.get_by_role("article", name="gpt-oss-120b").locator(".more > summary").click()


def switching(page: Page, stage: Any, control: Any) -> None:
    stage.replies["POST", "/api/swap/gpt-oss-120b/plan"] = (200, said(control.swap_plan()))
    press(page, "gpt-oss-120b", "Switch to this")
    expect(page.get_by_role("dialog")).to_contain_text("2 answers are being written")
    page.get_by_role("dialog").get_by_text("More", exact=True).click()


def switching_blocked(page: Page, stage: Any, control: Any) -> None:
    plan = control.swap_plan()
    node = plan.nodes[0].model_copy(update={"verdict": "bad", "headroom_bytes": -(2**30)})
    cause = control.failed_update().cause.model_copy(
        update={"sentence": "Spark 1 has not enough memory.", "action": "Close other programs."}
    )
    bad = plan.model_copy(
        update={"nodes": [node], "blockers": [cause], "doubts": ["The disk of Spark 1."]}
    )
    stage.replies["POST", "/api/swap/gpt-oss-120b/plan"] = (200, said(bad))
    press(page, "gpt-oss-120b", "Switch to this")
    expect(page.get_by_role("dialog")).to_contain_text("Not possible as it stands")


def advanced(page: Page, stage: Any, control: Any) -> None:
    stage.replies["GET", "/api/models/gpt-oss-120b/recipe"] = (200, said(control.detail()))
    stage.replies["GET", "/api/recipes/flags"] = (200, said(control.flags()))
    problem = control.preview(control.unknown_flag(), utilization=0.8)
    stage.replies["POST", "/api/recipes/preview"] = (200, said(problem))
    press(page, "gpt-oss-120b", "Advanced")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Add a flag").click()
    dialog.get_by_label("Flag", exact=True).last.fill("--max-num-seq")
    expect(dialog.get_by_role("button", name="Use --max-num-seqs")).to_be_visible()


def setting_up(page: Page, stage: Any, control: Any) -> None:
    stage.replies["GET", "/api/models/suggest"] = (200, said(control.suggestion()))
    stage.replies["POST", "/api/recipes/preview"] = (200, said(control.preview()))
    press(page, "Nemotron-3-Nano-30B-A3B", "Set it up")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("Launch command")).to_be_visible()
    dialog.get_by_text("Everything else").click()
    dialog.get_by_text("Launch command").click()


def downloading(page: Page, stage: Any, control: Any) -> None:
    plan = said(control.download_plan(["spark1", "spark2"]))
    stage.replies["POST", "/api/downloads/plan"] = (200, plan)
    page.get_by_role("button", name="Download a model").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("combobox").fill("nvidia/Llama-4-Scout-17B-16E-NVFP4")
    expect(dialog).to_contain_text("about 11\u00a0min at your usual speed")


def local(page: Page, stage: Any, control: Any) -> None:
    stage.replies["POST", "/api/recipes/preview"] = (200, said(control.preview()))
    page.locator(".section-head .more > summary").click()
    page.get_by_role("button", name="Add a local model").click()
    page.get_by_role("dialog").get_by_label("Directory on the Sparks").fill("/home/spark/m/v3")
    expect(page.get_by_role("dialog").get_by_text("Launch command")).to_be_visible()


def templates(page: Page, stage: Any, control: Any) -> None:
    stage.replies["GET", "/api/recipes/templates"] = (200, said(control.templates()))
    page.locator(".section-head .more > summary").click()
    page.get_by_role("button", name="Import a recipe").click()
    expect(page.get_by_role("dialog")).to_contain_text("AWQ weights")


def deleting(page: Page, stage: Any, control: Any) -> None:
    stage.replies["GET", "/api/models/gpt-oss-120b/disk"] = (200, said(control.delete_plan()))
    choose(page, "gpt-oss-120b", "Delete 126.8")
    expect(page.get_by_role("dialog")).to_contain_text("then 2.31")


def releasing(page: Page, stage: Any, control: Any) -> None:
    press(page, "Kimi Linear 48B", "Let it load again")


def log(page: Page, stage: Any, control: Any) -> None:
    lines = [f"(EngineCore pid=212) line {number} of the log" for number in range(80)]
    whole = {"id": "old-1", "lines": lines, "first": 1, "total": 80, "cut": True}
    stage.replies["GET", "/api/swap/old-1/log"] = (200, whole)
    page.get_by_role("button", name="Log of the swap to Qwen3.6 35B A3B").first.click()
    expect(page.get_by_role("region", name="Log")).to_contain_text("line 79")


def updating(page: Page, stage: Any, control: Any) -> None:
    stage.tell("updates", said(control.updates(control.update_job())))
    expect(page.get_by_text("Updating the model launcher")).to_be_visible()


def update_failed(page: Page, stage: Any, control: Any) -> None:
    stage.tell("updates", said(control.updates(control.failed_update(), can_revert=True)))
    expect(page.get_by_text("did not work")).to_be_visible()


def explained(page: Page, stage: Any, control: Any) -> None:
    words = "One change makes big models load faster from disk. One fixes a crash. " * 3
    events = [("reasoning", {"text": "Let me read them."}), ("text", {"text": words}), ("done", {})]
    frames = [f"event: {event}\ndata: {json.dumps(content)}\n\n" for event, content in events]
    stage.replies["POST", "/api/explain-updates"] = (200, "".join(frames))
    page.get_by_role("button", name="Explain").click()
    expect(page.get_by_text("Written by Qwen3.6 35B A3B")).to_be_visible()
    page.get_by_text("The 3 updates").click()


def degraded(page: Page, stage: Any, control: Any) -> None:
    runtime = control.menu().runtime.model_copy(
        update={
            "state": "degraded",
            "detail": "Asked for a colour it wrote the same sign 200 times.",
            "canary": "One sign, again and again.",
        }
    )
    stage.tell("menu", said(control.menu(runtime=runtime)))
    expect(page.get_by_text("Its answers do not look right")).to_be_visible()


OPENERS: dict[str, Callable[[Page, Any, Any], None]] = {
    opener.__name__: opener
    for opener in (
        cards, menus, switching, switching_blocked, advanced, setting_up, downloading, local,
        templates, deleting, releasing, log, updating, update_failed, explained, degraded,
    )
}  # fmt: skip


@pytest.mark.parametrize("name", OPENERS)
def test_it_fits_every_width_and_can_be_read(
    name: str, stage: Any, control: Any, visit: Any
) -> None:
    stage.snapshot = control.snapshot(downloads=control.downloads(), updates=control.updates())
    opened = visit(1280, 900, reduced_motion="reduce", bypass_csp=True)
    page = opened.page
    expect(page.get_by_role("banner")).to_contain_text("All well")
    OPENERS[name](page, stage, control)
    ARTIFACTS.mkdir(exist_ok=True)
    for width, scheme, picture in LOOKS:
        page.set_viewport_size({"width": width, "height": 900 if width > 400 else 740})
        page.emulate_media(color_scheme=scheme)
        if picture:
            whole = page.locator("dialog[open]").count() == 0
            path = ARTIFACTS / f"control-{name}-{width}-{scheme}.png"
            page.screenshot(path=path, full_page=whole)
        assert page.evaluate("document.documentElement.scrollWidth") == width
        for box in page.locator("dialog[open] .dlg-body").all():
            assert box.evaluate("box => box.scrollWidth <= box.clientWidth"), "sticks out"
        assert page.evaluate(SURVEY) == SOUND
