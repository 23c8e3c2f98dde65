"""Downloads, updates of the launcher, and swaps with a plan, as a person follows them."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from spark_common.contracts.jobs import JobState
from spark_common.contracts.swaps import Cause
from spark_common.events import (
    DownloadComplete,
    DownloadFailed,
    DownloadProgress,
    UpdateComplete,
    UpdateProgress,
)

pytestmark = pytest.mark.browser

GB = 1_000_000_000
SCOUT = "nvidia/Llama-4-Scout-17B-16E-NVFP4"


def said(model: Any) -> Any:
    return model.model_dump(mode="json")


def card(page: Page, name: str) -> Locator:
    return page.get_by_role("article", name=name, exact=True)


def bodies(stage: Any, method: str, path: str) -> list[Any]:
    return [body for verb, at, body in stage.asked if (verb, at) == (method, path)]


@pytest.fixture
def page(stage: Any, control: Any, visit: Any) -> Page:
    """The dashboard with a card in every state; a refusal is expected in its console."""
    stage.snapshot = control.snapshot(updates=control.updates(), downloads=control.downloads())
    opened = visit()
    opened.expected = ("status of 4", "status of 503")
    expect(opened.page.get_by_role("banner")).to_contain_text("All well")
    found: Page = opened.page
    return found


def ended(control: Any, **changes: Any) -> dict[str, Any]:
    return {
        "job_id": "dl-9", "requested_by": "dashboard", "total_seconds": 660.0,
        "finished_at": control.scenes.now, "repo": SCOUT, **changes,
    }  # fmt: skip


def open_download(page: Page, stage: Any, control: Any, repo: str = SCOUT) -> Locator:
    stage.replies["POST", "/api/downloads/plan"] = (
        200, said(control.download_plan(["spark1", "spark2"]))
    )  # fmt: skip
    page.get_by_role("button", name="Download a model").click()
    dialog = page.get_by_role("dialog", name="Download a model")
    box = dialog.get_by_role("combobox", name="Name on Hugging Face")
    expect(box).to_be_focused()
    box.fill(repo)
    return dialog


def test_a_download_from_the_dialog_to_the_form_that_opens(
    page: Page, stage: Any, control: Any
) -> None:
    dialog = open_download(page, stage, control)
    go = dialog.get_by_role("button", name="Download 60.8")
    expect(go).to_be_enabled()
    expect(dialog).to_contain_text("2.25\u00a0TB free, 2.19\u00a0TB after")
    dialog.get_by_label(re.compile("^Both")).check()
    expect(go).to_be_enabled()
    job = control.download(id="dl-9", repo=SCOUT, n=0, done_bytes=0, percent=None)
    stage.replies["POST", "/api/downloads"] = (202, said(job))
    go.click()
    expect(dialog).to_be_hidden()
    [body] = bodies(stage, "POST", "/api/downloads")
    assert body == {"repo": SCOUT, "hosts": ["spark1", "spark2"], "requested_by": "dashboard"}
    asked = sorted(plan["hosts"] for plan in bodies(stage, "POST", "/api/downloads/plan"))
    assert asked == [["spark1"], ["spark1", "spark2"]]

    notice = page.get_by_role("region", name="Downloading: Llama-4-Scout-17B-16E-NVFP4")
    step = DownloadProgress(
        job_id="dl-9", n=1, step="fetching", percent=50.0, eta_seconds=330.0, repo=SCOUT,
        done_bytes=int(30.4 * GB), total_bytes=int(60.8 * GB), bytes_per_second=92e6,
        at=control.scenes.now,
    )  # fmt: skip
    stage.tell("download.progress", said(step))
    expect(notice).to_contain_text("50\u00a0% · 30.4\u00a0GB of 60.8\u00a0GB · 92\u00a0MB/s")
    expect(notice.get_by_role("progressbar")).to_have_attribute("value", "50")
    expect(card(page, "Llama 4 Scout")).to_contain_text("about 5\u00a0min 30\u00a0s left")

    stage.replies["GET", "/api/models/suggest"] = (200, said(control.suggestion()))
    stage.replies["POST", "/api/recipes/preview"] = (200, said(control.preview()))
    complete = DownloadComplete(**ended(control, outcome=JobState.COMPLETE, hosts=["spark1"]))
    stage.tell("download.complete", said(complete))
    expect(notice).to_be_hidden()
    expect(page.get_by_text("It took 11\u00a0min.")).to_be_visible()
    models = [
        model.model_copy(update={"state": "needs_setup"}) if model.repo == SCOUT else model
        for model in control.every_card()
    ]
    stage.tell("menu", said(control.menu().model_copy(update={"models": models})))
    expect(page.get_by_role("dialog", name="Set up Nemotron 3 Nano 30B")).to_be_visible()


def test_what_cannot_be_downloaded_says_why(page: Page, stage: Any, control: Any) -> None:
    plan = control.download_plan(["spark1"], blockers=["The disk of Spark 1 is too full."])
    dialog = open_download(page, stage, control, "not a name")
    expect(dialog).to_contain_text("Write it as owner/name")
    expect(dialog.get_by_role("button", name="Download", exact=True)).to_be_disabled()
    stage.replies["POST", "/api/downloads/plan"] = (200, said(plan))
    dialog.get_by_role("combobox").fill("a/b")
    expect(dialog).to_contain_text("The disk of Spark 1 is too full.")
    expect(dialog.get_by_role("button", name="Download")).to_be_disabled()
    stage.replies["POST", "/api/downloads/plan"] = (
        503, {"detail": "nobody answers.", "code": "service_unavailable"}
    )  # fmt: skip
    dialog.get_by_role("combobox").fill("a/c")
    expect(dialog.get_by_role("status")).to_contain_text("Nobody answers.")
    expect(dialog.get_by_role("button", name="Download")).to_be_disabled()


def test_a_half_download_goes_on_where_it_was(page: Page, stage: Any, control: Any) -> None:
    stage.replies["POST", "/api/downloads"] = (202, said(control.download(id="dl-9", repo=SCOUT)))
    stopped = page.get_by_role("region", name=re.compile("Llama-4-Scout.* stopped"))
    expect(stopped).to_contain_text("36 GB are missing. Delete a model, then press Resume.")
    stopped.get_by_role("button", name="Resume").click()
    expect(stopped).to_be_hidden()
    [body] = bodies(stage, "POST", "/api/downloads")
    assert (body["repo"], body["hosts"]) == (SCOUT, ["spark1"])
    expect(
        card(page, "Llama 4 Scout").get_by_role("button", name="Cancel download")
    ).to_be_visible()


def test_a_download_is_cancelled_and_its_failure_put_away(
    page: Page, stage: Any, control: Any
) -> None:
    running = page.get_by_role("region", name="Downloading: GLM-4.7-Air-AWQ")
    cancelled = control.download(state=JobState.CANCELLED, finished_at=control.scenes.now)
    stage.replies["DELETE", "/api/downloads/dl-1"] = (200, said(cancelled))
    running.get_by_role("button", name="Cancel").click()
    dialog = page.get_by_role("dialog", name="Cancel the download?")
    expect(dialog).to_contain_text("What is on Spark 1 already stays there.")
    expect(dialog.get_by_role("button", name="Let it go on")).to_be_focused()
    dialog.get_by_role("button", name="Cancel the download").click()
    expect(running).to_be_hidden()
    stopped = page.get_by_role("region", name=re.compile("stopped"))
    stopped.get_by_role("button", name="Dismiss").click()
    expect(stopped).to_be_hidden()
    page.reload()
    expect(running).to_be_visible()
    expect(stopped).to_be_hidden()


def test_a_failure_that_comes_while_one_looks(page: Page, stage: Any, control: Any) -> None:
    cause = Cause(code="gated", sentence="The owner must let you in.", action="Ask for access.")
    failed = DownloadFailed(**ended(control, job_id="dl-1", outcome=JobState.FAILED, cause=cause))
    stage.tell("download.failed", said(failed))
    stopped = page.get_by_role("region", name=re.compile("GLM-4.7-Air-AWQ.*stopped"))
    expect(stopped).to_contain_text("The owner must let you in. Ask for access.")
    log = {"lines": ["403 Forbidden: gated repo"], "complete": False}
    stage.replies["GET", "/api/downloads/dl-1/log"] = (200, log)
    stopped.get_by_role("button", name="Log").click()
    dialog = page.get_by_role("dialog", name=re.compile("GLM"))
    expect(dialog).to_contain_text("403 Forbidden")
    expect(dialog).to_contain_text("a part is missing")
    expect(dialog.get_by_role("button", name="Close").last).to_be_focused()


def test_recipes_that_are_not_on_disk_can_be_downloaded(
    page: Page, stage: Any, control: Any
) -> None:
    page.get_by_text("Not on disk: 1 more").click()
    page.get_by_role("button", name="Download DeepSeek V4 Flash").click()
    dialog = page.get_by_role("dialog", name="Download a model")
    expect(dialog.get_by_role("combobox")).to_have_value("deepseek-ai/DeepSeek-V4-Flash")
    expect(dialog.get_by_label(re.compile("^Both"))).to_be_checked()


def test_an_update_is_asked_for_followed_and_undone(page: Page, stage: Any, control: Any) -> None:
    banner = page.get_by_role("region", name="3 updates of the model launcher")
    banner.get_by_text("The 3 updates").click()
    expect(banner).to_contain_text("b90d771 fix crash with two images")
    stage.replies["POST", "/api/updates/apply"] = (202, said(control.update_job(n=0)))
    banner.get_by_role("button", name="Update").click()
    dialog = page.get_by_role("dialog", name="Update the model launcher?")
    expect(dialog).to_contain_text("you cannot swap meanwhile")
    expect(dialog.get_by_role("button", name="Not now")).to_be_focused()
    dialog.get_by_role("button", name="Update", exact=True).click()
    running = page.get_by_role("region", name="Updating the model launcher")
    expect(running).to_be_visible()
    step = UpdateProgress(
        job_id="up-1", n=1, step="building", percent=60.0, eta_seconds=300.0,
        message="Step 16/26", lines=["#16 RUN pip install"], at=control.scenes.now,
    )  # fmt: skip
    stage.tell("update.progress", said(step))
    expect(running).to_contain_text("Building the image · 60\u00a0% · about 5\u00a0min left")
    running.get_by_text("Live log").click()
    expect(running.get_by_role("log")).to_contain_text("pip install")
    complete = UpdateComplete(
        job_id="up-1", requested_by="dashboard", outcome=JobState.COMPLETE, total_seconds=900,
        finished_at=control.scenes.now,
    )  # fmt: skip
    stage.tell("update.complete", said(complete))
    over = control.update_job(state=JobState.COMPLETE, finished_at=control.scenes.now, n=9)
    clean = control.updates(over, can_revert=True, can_apply=False, checkouts=[])
    stage.tell("updates", said(clean))
    done = page.get_by_role("region", name="The model launcher was updated")
    back = control.update_job(id="up-2", direction="revert", n=0)
    stage.replies["POST", "/api/updates/revert"] = (202, said(back))
    done.get_by_role("button", name="Go back").click()
    page.get_by_role("dialog").get_by_role("button", name="Go back").click()
    expect(page.get_by_role("region", name="Going back to the version before")).to_be_visible()


def test_a_failed_update_says_why_and_offers_the_way_back(
    page: Page, stage: Any, control: Any
) -> None:
    blocked = control.updates(
        control.failed_update(), can_apply=False, can_revert=True, blockers=["A swap is running."]
    )
    stage.tell("updates", said(blocked))
    banner = page.get_by_role("region", name="The update of the model launcher did not work")
    expect(banner).to_contain_text("Free some disk space, then press Try again.")
    expect(banner).to_contain_text("no space left on device")
    expect(banner.get_by_role("button", name="Try again")).to_be_disabled()
    expect(banner).to_contain_text("A swap is running.")
    expect(banner.get_by_role("button", name="Go back")).to_be_enabled()
    stage.tell("updates", None)
    expect(banner).to_be_hidden()


def test_one_looks_for_updates_oneself(page: Page, stage: Any, control: Any) -> None:
    stage.tell("updates", None)
    expect(page.get_by_role("region", name="3 updates of the model launcher")).to_be_hidden()
    stage.replies["GET", "/api/updates"] = (200, said(control.updates()))
    page.locator(".section-head .more > summary").click()
    page.get_by_role("button", name="Look for updates").click()
    expect(page.get_by_role("region", name="3 updates of the model launcher")).to_be_visible()
    expect(page.get_by_text("They stand above the models.")).to_be_visible()


def test_nobody_explains_while_nothing_is_loaded(page: Page, stage: Any, control: Any) -> None:
    stage.tell("menu", said(control.scenes.menu(None)))
    banner = page.get_by_role("region", name="3 updates of the model launcher")
    expect(banner.get_by_role("button", name="Explain")).to_be_disabled()
    expect(banner).to_contain_text("Explaining needs a loaded model.")


def press_switch(page: Page) -> Locator:
    card(page, "gpt-oss-120b").get_by_role("button", name="Switch to this").click()
    return page.get_by_role("dialog", name="Switch to gpt-oss-120b?")


def test_the_plan_comes_into_the_question_and_the_choices_go_along(
    page: Page, stage: Any, control: Any
) -> None:
    stage.replies["POST", "/api/swap/gpt-oss-120b/plan"] = (200, said(control.swap_plan()))
    swap = control.scenes.swap("queued", {"queued": None}, n=0)
    stage.answers["POST"] = (202, said(swap))
    dialog = press_switch(page)
    expect(dialog).to_contain_text("2 answers are being written now; they get up to 30\u00a0s")
    expect(dialog).to_contain_text("It fits: 95.8 of 119.7\u00a0GB on Spark 1")
    expect(dialog.get_by_role("button", name="Keep Qwen3.6 35B A3B")).to_be_focused()
    dialog.get_by_label("Cut off answers").check()
    dialog.get_by_text("More", exact=True).click()
    dialog.get_by_label("Empty the page cache first").check()
    dialog.get_by_label("Bring Qwen3.6 35B A3B back").uncheck()
    dialog.get_by_role("button", name="Switch now").click()
    expect(page.get_by_text("Switching to", exact=True)).to_be_visible()
    [(_, _, body)] = stage.commands
    assert body == {
        "model": "gpt-oss-120b", "rollback": False, "when_busy": "reject", "force": True,
        "drop_caches": True, "requested_by": "dashboard",
    }  # fmt: skip


def test_what_would_fail_is_not_started(page: Page, stage: Any, control: Any) -> None:
    cause = Cause(code="no_memory", sentence="Spark 1 is full.", action="Close other programs.")
    stage.replies["POST", "/api/swap/gpt-oss-120b/plan"] = (
        200, said(control.swap_plan(blockers=[cause]))
    )  # fmt: skip
    dialog = press_switch(page)
    expect(dialog).to_contain_text("Spark 1 is full. Close other programs.")
    expect(dialog.get_by_role("button", name="Switch now")).to_be_disabled()
    expect(dialog).to_contain_text("Not possible as it stands")


def test_without_a_plan_the_question_says_what_the_menu_knows(
    page: Page, stage: Any, control: Any
) -> None:
    stage.answers["POST"] = (202, said(control.scenes.swap("queued", {"queued": None}, n=0)))
    dialog = press_switch(page)
    expect(dialog).to_contain_text("No chat for about 3\u00a0min 20\u00a0s.")
    dialog.get_by_role("button", name="Switch now").click()
    expect(page.get_by_text("Switching to", exact=True)).to_be_visible()
    [(_, _, body)] = stage.commands
    assert sorted(body) == ["model", "requested_by", "rollback", "when_busy"]


def test_the_log_of_an_old_swap_is_read_from_what_is_kept_of_it(
    page: Page, stage: Any, control: Any, scenes: Any
) -> None:
    whole = {"id": "old-4", "lines": ["CUDA out of memory"], "first": 1, "total": 1, "cut": False}
    stage.replies["GET", "/api/swap/old-4/log"] = (200, whole)
    page.get_by_role("button", name="Log of the swap to MiniMax M2.7").click()
    dialog = page.get_by_role("dialog", name="Log of the swap to MiniMax M2.7")
    expect(dialog).to_contain_text("CUDA out of memory")
    dialog.get_by_role("button", name="Copy the log").click()
    expect(page.get_by_text("Copied")).to_be_visible()
    dialog.get_by_role("button", name="Close").last.click()
    page.get_by_role("button", name="Log of the swap to Gemma 4 26B").click()
    expect(page.get_by_role("dialog").get_by_role("status")).to_contain_text("No such path")
    # Earlier versions kept no log beside the record; their events may still be there.
    for old in ("old-1", "old-2"):
        nothing = {"id": old, "lines": [], "first": 1, "total": 0, "cut": False}
        stage.replies["GET", f"/api/swap/{old}/log"] = (200, nothing)
    stage.logs["old-1"] = [("swap.progress", scenes.progress(1, "loading", lines=["Shards: 1/2"]))]
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Log of the swap to Qwen3.6 35B A3B").first.click()
    expect(page.get_by_role("dialog").get_by_role("region", name="Log")).to_have_text("Shards: 1/2")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Log of the swap to gpt-oss").first.click()
    expect(page.get_by_role("dialog")).to_contain_text("from a version that did not keep logs")
