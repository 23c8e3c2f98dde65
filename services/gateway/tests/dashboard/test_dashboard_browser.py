"""The dashboard as a person uses it, in a real Chromium under the gateway's own policy."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror=alert(1)>'\"&{{7*7}}\u202e"


def overall(page: Page) -> Any:
    return page.get_by_role("banner").get_by_role("status")


def card(page: Page, name: str) -> Any:
    return page.get_by_role("article", name=name)


def press_switch(page: Page, name: str = "gpt-oss-120b") -> Any:
    card(page, name).get_by_role("button", name="Switch to this").click()
    return page.get_by_role("dialog", name=re.compile("Switch to|Load|Queue"))


def test_the_page_says_what_is_loaded_and_whether_to_swap(
    stage: Any, scenes: Any, visit: Any
) -> None:
    stage.snapshot = scenes.snapshot(demo=True)
    page = visit().page
    expect(overall(page)).to_have_text("All wellQwen3.6 35B A3B is ready. You can swap.")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Qwen3.6 35B A3B")
    expect(page.get_by_text("Everything is well")).to_be_visible()
    expect(page.get_by_text("You can swap now")).to_be_visible()
    expect(page.get_by_role("note")).to_contain_text("Simulated cluster")
    expect(card(page, "Spark 1")).to_contain_text("27.4\u00a0GB free")
    scout = card(page, "Llama 4 Scout")
    expect(scout.get_by_role("button", name="Resume download")).to_be_visible()
    expect(scout.get_by_role("button", name="Switch")).to_have_count(0)
    expect(page).to_have_title("All well · spark-control")


def test_a_swap_from_the_button_to_now_serving(stage: Any, scenes: Any, visit: Any) -> None:
    stage.snapshot = scenes.snapshot()
    stage.answers["POST"] = (
        202,
        scenes.swap("queued", {"queued": None}, n=0).model_dump(mode="json"),
    )
    page = visit().page
    dialog = press_switch(page)
    expect(dialog).to_contain_text("Qwen3.6 35B A3B stops.")
    expect(dialog).to_contain_text("No chat for about 3\u00a0min 20\u00a0s.")
    expect(dialog.get_by_role("button", name="Keep Qwen3.6 35B A3B")).to_be_focused()
    dialog.get_by_role("button", name="Switch now").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("gpt-oss-120b")

    stage.tell("swap.progress", scenes.progress(1, "preflight", previous_phase="queued"))
    stage.tell("swap.progress", scenes.progress(2, "stopping", previous_phase="preflight"))
    expect(page.get_by_text("Chat is waiting.")).to_be_visible()
    lines = ["Loading safetensors checkpoint shards: 60%"]
    stage.tell(
        "swap.progress",
        scenes.progress(
            3, "loading", previous_phase="stopping", percent=60.0, eta_seconds=80.0, lines=lines
        ),
    )
    steps = page.get_by_role("list", name="Steps of the swap")
    expect(steps.locator("[aria-current=step]")).to_contain_text("Load weights")
    expect(page.get_by_role("log")).to_contain_text("shards: 60%")
    expect(page.get_by_role("progressbar", name="Loading weights").first).to_have_attribute(
        "value", "60"
    )
    expect(page.get_by_text(re.compile(r"About 1.min (20|10).s left")).first).to_be_visible()

    stage.tell("swap.complete", scenes.complete())
    expect(overall(page)).to_contain_text("gpt-oss-120b is ready. You can swap.")
    expect(page.get_by_text("It took 3\u00a0min 2\u00a0s.")).to_be_visible()
    expect(card(page, "gpt-oss-120b")).to_contain_text("Serving now")
    assert [(method, body["model"], body["rollback"]) for method, _, body in stage.commands] == [
        ("POST", "gpt-oss-120b", True)
    ]


def test_the_time_left_counts_between_two_events(stage: Any, scenes: Any, visit: Any) -> None:
    stage.snapshot = scenes.snapshot(current=scenes.loading(eta_seconds=61.0))
    page = visit(clocked=True).page
    expect(page.locator(".big-eta")).to_have_text("About 1\u00a0min left")
    page.clock.run_for(6000)
    expect(page.locator(".big-eta")).to_have_text("About 55\u00a0s left")


def test_a_double_click_is_one_swap(stage: Any, scenes: Any, visit: Any) -> None:
    stage.snapshot = scenes.snapshot()
    stage.answers["POST"] = (202, scenes.swap("queued", {"queued": None}).model_dump(mode="json"))
    page = visit().page
    press_switch(page).get_by_role("button", name="Switch now").dblclick()
    expect(page.get_by_text("Switching to", exact=True)).to_be_visible()
    assert len(stage.commands) == 1
    assert re.fullmatch("ui-[0-9a-f]{24}", stage.commands[0][1])


def test_escape_and_the_safe_button_swap_nothing(stage: Any, scenes: Any, visit: Any) -> None:
    stage.snapshot = scenes.snapshot()
    page = visit().page
    dialog = press_switch(page)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(card(page, "gpt-oss-120b").get_by_role("button", name="Switch to this")).to_be_focused()
    press_switch(page)
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    assert stage.commands == []


def test_a_refusal_is_told_in_words_for_people(stage: Any, scenes: Any, visit: Any) -> None:
    stage.snapshot = scenes.snapshot()
    stage.answers["POST"] = (
        409,
        {
            "title": "Conflict",
            "detail": "wait for it, or queue.",
            "code": "swap_in_progress",
        },
    )
    opened = visit()
    opened.expected = ("status of 409",)
    press_switch(opened.page).get_by_role("button", name="Switch now").click()
    expect(opened.page.get_by_text("Another swap is running")).to_be_visible()
    expect(opened.page.get_by_text("Wait for it, or queue.", exact=True)).to_be_visible()


def test_a_reload_in_the_middle_picks_up_where_it_was(stage: Any, scenes: Any, visit: Any) -> None:
    stage.snapshot = scenes.snapshot(current=scenes.loading())
    stage.story = [
        ("swap.progress", scenes.progress(1, "preflight", lines=["first line"])),
        ("swap.progress", scenes.progress(6, "loading", percent=60.0, lines=["sixth line"])),
    ]
    page = visit().page
    for _ in range(2):
        expect(page.get_by_role("log")).to_contain_text("first line")
        expect(page.get_by_role("log")).to_contain_text("sixth line")
        expect(page.get_by_role("list", name="Steps of the swap")).to_contain_text("14\u00a0s")
        page.reload()


def test_while_a_swap_runs_another_is_queued_and_leaves_again(
    stage: Any, scenes: Any, visit: Any
) -> None:
    stage.snapshot = scenes.snapshot(current=scenes.loading())
    waiting = scenes.swap(
        "queued", {"queued": None}, id="swap-2", model="gemma-4-26b", model_name="Gemma 4 26B",
        requested_by="dashboard",
    )  # fmt: skip
    stage.answers["POST"] = (202, waiting.model_dump(mode="json"))
    page = visit().page
    card(page, "Gemma 4 26B").get_by_role("button", name="Queue a swap").click()
    page.get_by_role("dialog").get_by_role("button", name="Queue the swap").click()
    expect(card(page, "Gemma 4 26B")).to_contain_text("Queued by dashboard")
    assert stage.commands[0][2]["when_busy"] == "queue"

    gone = waiting.model_dump(mode="json") | {"phase": "cancelled"}
    stage.answers["DELETE"] = (202, gone)
    card(page, "Gemma 4 26B").get_by_role("button", name="Leave the queue").click()
    page.get_by_role("dialog").get_by_role("button", name="Leave the queue").click()
    expect(card(page, "Gemma 4 26B").get_by_role("button", name="Queue a swap")).to_be_visible()


def test_cancelling_says_what_is_gone_and_asks(stage: Any, scenes: Any, visit: Any) -> None:
    stage.snapshot = scenes.snapshot(current=scenes.loading())
    stage.answers["DELETE"] = (202, scenes.loading().model_dump(mode="json"))
    page = visit().page
    page.get_by_role("button", name="Cancel swap").click()
    dialog = page.get_by_role("dialog", name="Cancel the swap to gpt-oss-120b?")
    expect(dialog).to_contain_text("Qwen3.6 35B A3B is already stopped.")
    expect(dialog.get_by_role("button", name="Let it finish")).to_be_focused()
    dialog.get_by_role("button", name="Cancel the swap").click()
    expect(page.get_by_text("ends at its next step")).to_be_visible()
    stage.tell("swap.failed", scenes.failed("cancelled", None))
    expect(
        page.get_by_role("heading", name="The swap to gpt-oss-120b was cancelled")
    ).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_contain_text("No model is loaded")


def test_a_failure_says_the_cause_and_what_to_press(stage: Any, scenes: Any, visit: Any) -> None:
    stage.snapshot = scenes.snapshot(current=scenes.loading())
    page = visit().page
    expect(page.get_by_text("Switching to", exact=True)).to_be_visible()
    stage.tell("swap.failed", scenes.failed("rolled_back", "qwen3.6-35b-a3b"))
    failure = page.get_by_role("region", name="gpt-oss-120b did not start")
    expect(failure).to_contain_text("Not enough free memory")
    expect(failure).to_contain_text("ValueError: Free memory on device")
    expect(failure).to_contain_text("Qwen3.6 35B A3B was brought back")
    expect(overall(page)).to_contain_text("Swap rolled back")
    failure.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("dialog", name="Switch to gpt-oss-120b?")).to_be_visible()
    page.keyboard.press("Escape")
    failure.get_by_role("button", name="Dismiss").click()
    expect(failure).to_be_hidden()
    stage.snapshot = scenes.snapshot(recent=[scenes.ended("rolled_back")])
    page.reload()
    expect(overall(page)).to_contain_text("All well")


def test_the_full_log_of_a_failure_is_fetched(stage: Any, scenes: Any, visit: Any) -> None:
    swap = scenes.ended()
    stage.snapshot = scenes.snapshot(scenes.menu(None), recent=[swap])
    stage.logs["swap-1"] = [
        ("swap.progress", scenes.progress(1, "preflight", message="Checking")),
        ("swap.progress", scenes.progress(2, "loading", lines=["a line", swap.cause.evidence[0]])),
        ("swap.failed", scenes.failed("failed", None)),
    ]
    page = visit().page
    page.get_by_text("Full log").click()
    log = page.get_by_role("region", name="Log of the swap")
    expect(log).to_contain_text("a line")
    expect(log.locator("mark")).to_contain_text("ValueError")


def test_the_log_follows_only_while_the_reader_is_at_its_end(
    stage: Any, scenes: Any, visit: Any
) -> None:
    stage.snapshot = scenes.snapshot(current=scenes.loading())
    page = visit().page
    log = page.get_by_role("log")

    def tell(n: int) -> None:
        lines = [f"line {n}.{index}" for index in range(100)]
        stage.tell("swap.progress", scenes.progress(n, "loading", percent=61.0, lines=lines))
        expect(log).to_contain_text(f"line {n}.99")

    tell(7)
    at_end = "log => log.scrollHeight - log.scrollTop - log.clientHeight < 12"
    assert log.evaluate(at_end)
    log.evaluate("log => { log.scrollTop = 0; }")
    tell(8)
    assert log.evaluate("log => log.scrollTop") == 0
    for n in range(9, 32):
        tell(n)
    assert log.evaluate("log => log.childNodes.length") == 2000


def test_a_lost_server_greys_the_page_and_comes_back(stage: Any, scenes: Any, visit: Any) -> None:
    stage.snapshot = scenes.snapshot()
    opened = visit()
    opened.expected = ("status of 503", "ERR_")
    page = opened.page
    expect(overall(page)).to_contain_text("All well")
    page.clock.install()
    stage.hang_up(away=True)
    expect(overall(page)).to_contain_text("No connection")
    expect(page.get_by_text("spark-control does not answer")).to_be_visible()
    # From here on it does not come back by itself.
    page.clock.pause_at(page.evaluate("Date.now()") / 1000 + 20)
    switch = card(page, "gpt-oss-120b").get_by_role("button", name="Switch to this")
    expect(switch).to_be_disabled()
    expect(card(page, "gpt-oss-120b")).to_contain_text("No connection to spark-control")
    expect(page.get_by_text("Online")).to_have_count(0)
    stage.away = False
    page.get_by_role("button", name="Try now").click()
    page.clock.resume()
    expect(overall(page)).to_contain_text("All well")
    expect(switch).to_be_enabled()


def test_a_page_that_slept_shows_what_is_now(stage: Any, scenes: Any, visit: Any) -> None:
    stage.snapshot = scenes.snapshot()
    page = visit(clocked=True).page
    expect(overall(page)).to_contain_text("All well")
    stage.snapshot = scenes.snapshot(scenes.menu(None))  # nobody tells a page that sleeps
    page.clock.fast_forward("08:00:00")
    expect(page.get_by_role("heading", level=1)).to_contain_text("No model is loaded")
    expect(page.locator("main")).not_to_have_attribute("data-stale", "")


def test_a_newer_server_asks_to_load_the_page_again(stage: Any, scenes: Any, visit: Any) -> None:
    stage.snapshot = scenes.snapshot()
    page = visit().page
    expect(overall(page)).to_contain_text("All well")
    stage.snapshot = scenes.snapshot(version="0.2.0")
    stage.hang_up(away=False)
    expect(page.get_by_text("spark-control was updated")).to_be_visible()
    page.get_by_role("button", name="Load again").click()
    expect(overall(page)).to_contain_text("All well")
    expect(page.get_by_text("spark-control was updated")).to_be_hidden()


def test_a_bus_that_is_down_pauses_swaps(stage: Any, scenes: Any, visit: Any) -> None:
    stage.snapshot = scenes.snapshot()
    page = visit().page
    stage_button = card(page, "gpt-oss-120b").get_by_role("button", name="Switch to this")
    expect(stage_button).to_be_enabled()
    stage.tell("bus", {"connected": False, "detail": None})
    expect(page.get_by_text("Event bus is down, swaps are paused")).to_be_visible()
    expect(stage_button).to_be_disabled()
    stage.tell("bus", {"connected": True, "detail": None})
    expect(stage_button).to_be_enabled()


def test_models_are_found_by_words_and_by_state(stage: Any, scenes: Any, visit: Any) -> None:
    stage.snapshot = scenes.snapshot()
    page = visit().page
    cards = page.locator("model-card")
    expect(cards).to_have_count(6)
    page.get_by_role("searchbox", name="Find a model").fill("gemma google")
    expect(cards).to_have_count(1)
    page.get_by_role("searchbox").fill("")
    page.get_by_role("button", name="Needs setup").click()
    expect(cards).to_have_count(2)
    page.get_by_role("button", name="All", exact=True).click()
    page.get_by_text("Not on disk: 1 more").click()
    expect(page.get_by_role("cell", name="DeepSeek V4 Flash deepseek-ai")).to_be_visible()
    page.get_by_role("button", name="Look at the disks again").click()
    expect(page.get_by_text("The disks were looked at")).to_be_visible()
    assert stage.commands == [("GET", "", {"refresh": "true"})]


def test_values_are_copied(stage: Any, scenes: Any, visit: Any) -> None:
    stage.snapshot = scenes.snapshot()
    page = visit().page
    page.get_by_role("button", name=re.compile("127.0.0.1")).click()
    expect(page.get_by_text("Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == f"{stage.url}v1"


def test_hostile_words_stay_words(stage: Any, scenes: Any, visit: Any) -> None:
    hostile = {"name": HOSTILE, "repo": HOSTILE, "served_name": HOSTILE}
    models = [model.model_copy(update=hostile) for model in scenes.models()]
    hosts = [scenes.host(1, label=HOSTILE, detail=HOSTILE, name=HOSTILE)]
    swap = scenes.loading(model_name=HOSTILE, requested_by=HOSTILE, message=HOSTILE)
    menu = scenes.menu(models=models, hosts=hosts, problems=[HOSTILE])
    stage.snapshot = scenes.snapshot(
        menu, current=swap, bus={"connected": False, "detail": HOSTILE}
    )
    stage.story = [("swap.progress", scenes.progress(1, "loading", lines=[HOSTILE]))]
    page = visit(360).page
    expect(page.get_by_role("log")).to_contain_text("<img src=x")
    assert page.locator("img").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_two_hundred_models_stay_quick(stage: Any, scenes: Any, visit: Any) -> None:
    models = [
        scenes.model(f"model-{number}", f"Model {number}", f"org/model-{number}")
        for number in range(200)
    ]
    stage.snapshot = scenes.snapshot(scenes.menu(models=models))
    page = visit().page
    expect(page.locator("model-card")).to_have_count(200)
    took = page.evaluate(
        "() => Math.min(...['model-1', 'model-17', 'model-18', 'model-19'].map((word) => {"
        " const box = document.querySelector('[type=search]'); box.value = word;"
        " const start = performance.now(); box.dispatchEvent(new Event('input'));"
        " return performance.now() - start; }))"
    )
    expect(page.locator("model-card")).to_have_count(11)
    assert took < 500


def test_on_the_way_back_the_numbers_are_those_of_the_old_model(
    stage: Any, scenes: Any, visit: Any
) -> None:
    back = scenes.swap("rolling_back", {"loading": 9, "rolling_back": None}, percent=50.0)
    stage.snapshot = scenes.snapshot(current=back)
    panel = visit().page.locator("swap-panel")
    expect(panel).to_contain_text(re.compile(r"50.% of the weights"))
    expect(panel).to_contain_text(re.compile(r"11\.7.GB of 23\.4.GB"))
