"""Setting up, changing, testing and deleting models, as a person does it."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from spark_common.contracts.disk import Deleted, DeletedPlace

pytestmark = pytest.mark.browser


def said(model: Any) -> Any:
    return model.model_dump(mode="json")


def refusal(detail: str, code: str = "service_unavailable") -> dict[str, str]:
    return {"title": "x", "detail": detail, "code": code}


def card(page: Page, name: str) -> Locator:
    return page.get_by_role("article", name=name, exact=True)


def choose(page: Page, name: str, button: str) -> None:
    card(page, name).locator(".more > summary").click()
    card(page, name).get_by_role("button", name=button).click()


def bodies(stage: Any, method: str, path: str) -> list[Any]:
    return [body for verb, at, body in stage.asked if (verb, at) == (method, path)]


@pytest.fixture
def page(stage: Any, control: Any, visit: Any) -> Page:
    """The dashboard with a card in every state; a refusal is expected in its console."""
    stage.snapshot = control.snapshot()
    opened = visit()
    opened.expected = ("status of 4", "status of 503")
    expect(opened.page.get_by_role("banner")).to_contain_text("All well")
    found: Page = opened.page
    return found


def open_advanced(page: Page, stage: Any, control: Any, **changes: Any) -> Locator:
    path = "/api/models/gpt-oss-120b/recipe"
    stage.replies["GET", path] = (200, said(control.detail(**changes)))
    stage.replies["GET", "/api/recipes/flags"] = (200, said(control.flags()))
    stage.replies["POST", "/api/recipes/preview"] = (200, said(control.preview(utilization=0.85)))
    card(page, "gpt-oss-120b").get_by_role("button", name="Advanced").click()
    dialog = page.get_by_role("dialog", name="Advanced: gpt-oss-120b")
    expect(dialog.get_by_label(re.compile("Longest context"))).to_be_focused()
    return dialog


def test_knobs_have_live_numbers_and_are_saved(page: Page, stage: Any, control: Any) -> None:
    dialog = open_advanced(page, stage, control)
    save = dialog.get_by_role("button", name="Save")
    expect(save).to_be_disabled()
    slider = dialog.get_by_role("slider")
    slider.focus()
    with page.expect_response("**/api/recipes/preview"):
        for _ in range(5):
            page.keyboard.press("ArrowRight")
    expect(dialog).to_contain_text("85\u00a0%: about 101.7\u00a0GB for the model")
    dialog.get_by_label("Compress conversations").check()
    dialog.get_by_role("button", name="Remove this flag").first.click()
    expect(dialog).to_contain_text("3 changes not saved")
    stage.replies["PUT", "/api/models/gpt-oss-120b/knobs"] = (200, said(control.detail()))
    save.click()
    expect(dialog).to_be_hidden()
    [body] = bodies(stage, "PUT", "/api/models/gpt-oss-120b/knobs")
    assert body["knobs"]["gpu_memory_utilization"] == 0.85
    assert body["knobs"]["fp8_kv_cache"] is True
    assert body["knobs"]["max_model_len"] == 131_072
    assert body["flags"] == ["--tool-call-parser=openai"]
    assert bodies(stage, "POST", "/api/recipes/preview")[-1]["model"] == "gpt-oss-120b"


def test_a_flag_nobody_knows_is_pointed_at_and_corrected(
    page: Page, stage: Any, control: Any
) -> None:
    dialog = open_advanced(page, stage, control)
    wrong = control.preview(control.unknown_flag())
    stage.replies["POST", "/api/recipes/preview"] = (200, said(wrong))
    dialog.get_by_role("button", name="Add a flag").click()
    row = dialog.get_by_role("listitem").last
    row.get_by_label("Flag", exact=True).fill("--max-num-seq")
    expect(row).to_contain_text("--max-num-seq is not a flag of vLLM 0.12; did you mean")
    expect(dialog.get_by_role("button", name="Save")).to_be_disabled()
    stage.replies["POST", "/api/recipes/preview"] = (200, said(control.preview()))
    row.get_by_role("button", name="Use --max-num-seqs").click()
    expect(row).to_contain_text("Answers at the same time.")
    row.get_by_label("Value").fill("8")
    expect(dialog.get_by_role("button", name="Save")).to_be_enabled()
    expect(row).not_to_contain_text("is not a flag")


def test_no_number_is_said_at_once_and_asked_nobody(page: Page, stage: Any, control: Any) -> None:
    dialog = open_advanced(page, stage, control)
    box = dialog.get_by_label(re.compile("Longest context"))
    box.fill("very long")
    expect(dialog).to_contain_text("Write a number of tokens")
    expect(box).to_have_attribute("aria-invalid", "true")
    expect(dialog.get_by_role("button", name="Save")).to_be_disabled()
    with page.expect_request("**/api/recipes/preview") as asked:
        box.fill("64k")
    expect(dialog.get_by_role("button", name="Save")).to_be_enabled()
    assert asked.value.post_data_json["knobs"]["max_model_len"] == 65_536


def test_back_to_the_recipes_values(page: Page, stage: Any, control: Any) -> None:
    dialog = open_advanced(page, stage, control)
    dialog.get_by_role("button", name="Back to the recipe's values").click()
    expect(dialog.get_by_label("Load from disk faster")).not_to_be_checked()
    stage.replies["PUT", "/api/models/gpt-oss-120b/knobs"] = (200, said(control.detail()))
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    [body] = bodies(stage, "PUT", "/api/models/gpt-oss-120b/knobs")
    assert body == {"reset": True, "requested_by": "dashboard"}


def test_a_test_of_unsaved_changes_says_how_it_went(page: Page, stage: Any, control: Any) -> None:
    dialog = open_advanced(page, stage, control)
    stage.replies["POST", "/api/swap/gpt-oss-120b/validate"] = (200, said(control.validation()))
    dialog.get_by_role("button", name="Test").click()
    expect(dialog.get_by_role("status")).to_contain_text("A real load can still fail")
    bad = said(control.validation("bad"))
    stage.replies["POST", "/api/swap/gpt-oss-120b/validate"] = (200, bad)
    dialog.get_by_role("button", name="Test").click()
    expect(dialog.get_by_role("status")).to_contain_text("does not know the flag --swap-space")
    [first, _] = bodies(stage, "POST", "/api/swap/gpt-oss-120b/validate")
    assert first["flags"] == control.detail().flags


def test_what_saving_finds_wrong_stands_at_its_field(page: Page, stage: Any, control: Any) -> None:
    dialog = open_setup(page, stage, control)
    problem = {"field": "--tool-call-parser", "message": "is not known", "severity": "error",
               "near": []}  # fmt: skip
    wrong = refusal("the recipe is not right.", "invalid_request") | {
        "details": {"problems": [problem]}
    }
    stage.replies["POST", "/api/models"] = (422, wrong)
    dialog.get_by_role("button", name="Test and save").click()
    expect(dialog).to_contain_text("--tool-call-parser is not known.")
    expect(dialog.get_by_label(re.compile("Tool calls"))).to_have_attribute("aria-invalid", "true")
    expect(dialog.get_by_role("status")).to_contain_text("The recipe is not right.")


def test_what_is_refused_stays_in_the_form(page: Page, stage: Any, control: Any) -> None:
    dialog = open_advanced(page, stage, control)
    dialog.get_by_label("Compress conversations").check()
    path = "/api/models/gpt-oss-120b/knobs"
    stage.replies["PUT", path] = (503, refusal("the swapper does not answer; try again."))
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("status")).to_contain_text("The swapper does not answer; try again.")
    expect(dialog.get_by_label("Compress conversations")).to_be_checked()


@pytest.mark.parametrize(
    ("name", "button"),
    [("gpt-oss-120b", "Advanced"), ("Nemotron-3-Nano-30B-A3B", "Set it up")],
)
def test_a_part_that_is_away_is_said_in_a_toast(name: str, button: str, page: Page) -> None:
    card(page, name).get_by_role("button", name=button).click()
    expect(page.get_by_text("No such path")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)


def open_setup(page: Page, stage: Any, control: Any) -> Locator:
    stage.replies["GET", "/api/models/suggest"] = (200, said(control.suggestion()))
    stage.replies["POST", "/api/recipes/preview"] = (200, said(control.preview()))
    card(page, "Nemotron-3-Nano-30B-A3B").get_by_role("button", name="Set it up").click()
    dialog = page.get_by_role("dialog", name="Set up Nemotron 3 Nano 30B")
    expect(dialog.get_by_label("Name on the card")).to_be_focused()
    # It comes after a while, and moves what is below it.
    expect(dialog).to_contain_text("./launch-cluster.sh")
    return dialog


def test_a_model_is_set_up_once_and_tested(page: Page, stage: Any, control: Any) -> None:
    dialog = open_setup(page, stage, control)
    expect(dialog).to_contain_text("Read config.json: max_position_embeddings.")
    expect(dialog).to_contain_text("Please check.")
    expect(dialog).to_contain_text("It mixes Mamba and attention")
    expect(dialog.get_by_text("Launch command")).to_be_visible()
    dialog.get_by_label(re.compile("^Context")).fill("64k")
    stage.replies["POST", "/api/models"] = (201, said(control.detail()))
    stage.replies["POST", "/api/swap/gpt-oss-120b/validate"] = (200, said(control.validation()))
    dialog.get_by_role("button", name="Test and save").click()
    expect(dialog).to_be_hidden()
    expect(page.get_by_text("A real load can still fail").last).to_be_visible()
    [body] = bodies(stage, "POST", "/api/models")
    assert body["args"][0] == "--max-model-len=65536"
    assert body["context_length"] == 65_536
    assert "--max-num-batched-tokens=16384" in body["args"]
    assert body["replace"] is False
    assert body["requested_by"] == "dashboard"


def test_a_failed_test_can_be_saved_anyway(page: Page, stage: Any, control: Any) -> None:
    dialog = open_setup(page, stage, control)
    stage.replies["POST", "/api/models"] = (201, said(control.detail()))
    bad = said(control.validation("bad"))
    stage.replies["POST", "/api/swap/gpt-oss-120b/validate"] = (200, bad)
    dialog.get_by_role("button", name="Test and save").click()
    expect(dialog.get_by_role("status")).to_contain_text("Test failed: vLLM does not know")
    dialog.get_by_role("button", name="Save anyway").click()
    expect(dialog).to_be_hidden()
    assert [body["replace"] for body in bodies(stage, "POST", "/api/models")] == [False, True]


def test_what_the_swapper_finds_wrong_stands_at_its_field(
    page: Page, stage: Any, control: Any
) -> None:
    dialog = open_setup(page, stage, control)
    wrong = control.unknown_flag().model_copy(update={"field": "args[3]", "near": []})
    stage.replies["POST", "/api/recipes/preview"] = (200, said(control.preview(wrong)))
    dialog.get_by_label("Name on the card").fill("Nano")
    arguments = dialog.get_by_label("Arguments, one a line")
    expect(arguments).to_have_attribute("aria-invalid", "true")
    expect(arguments).to_be_visible()
    expect(dialog.get_by_role("button", name="Test and save")).to_be_disabled()


def test_a_model_of_ones_own(page: Page, stage: Any, control: Any) -> None:
    stage.replies["POST", "/api/recipes/preview"] = (200, said(control.preview()))
    page.locator(".section-head .more > summary").click()
    page.get_by_role("button", name="Add a local model").click()
    dialog = page.get_by_role("dialog", name="Add a local model")
    go = dialog.get_by_role("button", name="Test and save")
    expect(go).to_be_disabled()
    path = dialog.get_by_label("Directory on the Sparks")
    path.fill("models/x")
    expect(dialog).to_contain_text("it begins with a slash")
    path.fill("/home/spark/models/x")
    expect(go).to_be_enabled()
    conflict = refusal("own-x is one of your models already.", "conflict")
    stage.replies["POST", "/api/models"] = (409, conflict)
    go.click()
    expect(dialog.get_by_role("status")).to_contain_text("Press again to replace it.")
    stage.replies["POST", "/api/models"] = (201, said(control.detail()))
    stage.replies["POST", "/api/swap/gpt-oss-120b/validate"] = (200, said(control.validation()))
    go.click()
    expect(dialog).to_be_hidden()
    [first, second] = bodies(stage, "POST", "/api/models")
    assert first["local_path"] == "/home/spark/models/x"
    assert "repo" not in first
    assert (first["replace"], second["replace"]) == (False, True)


def test_a_preview_that_comes_late_does_not_talk_over_what_saving_said(
    page: Page, stage: Any, control: Any
) -> None:
    asked: list[Route] = []
    page.route("**/api/recipes/preview", lambda route: asked.append(route))
    page.locator(".section-head .more > summary").click()
    page.get_by_role("button", name="Add a local model").click()
    dialog = page.get_by_role("dialog", name="Add a local model")
    with page.expect_request("**/api/recipes/preview"):
        dialog.get_by_label("Directory on the Sparks").fill("/home/spark/models/x")
    stage.replies["POST", "/api/models"] = (409, refusal("own-x is one of yours.", "conflict"))
    dialog.get_by_role("button", name="Test and save").click()
    status = dialog.get_by_role("status")
    expect(status).to_contain_text("Press again to replace it.")
    warned = {"field": "--seed", "severity": "warning", "message": "It is a tight fit."}
    preview = said(control.preview()) | {"problems": [warned], "launch_cmd": "vllm serve late"}
    asked[0].fulfill(json=preview)
    expect(dialog).to_contain_text("vllm serve late")
    expect(status).to_contain_text("Press again to replace it.")


def test_a_recipe_of_the_launcher_is_imported(page: Page, stage: Any, control: Any) -> None:
    stage.replies["GET", "/api/recipes/templates"] = (200, said(control.templates()))
    stage.replies["POST", "/api/recipes/templates/import"] = (200, said(control.detail()))
    page.locator(".section-head .more > summary").click()
    page.get_by_role("button", name="Import a recipe").click()
    dialog = page.get_by_role("dialog", name="Import a recipe of the launcher")
    expect(dialog.get_by_role("listitem")).to_have_count(3)
    broken = dialog.get_by_role("listitem").last
    expect(broken).to_contain_text("line 3 has a tab")
    expect(broken.get_by_role("button")).to_have_count(0)
    dialog.get_by_role("button", name="Import GLM 4.7 Air AWQ").click()
    expect(dialog.get_by_role("status")).to_contain_text("is imported")
    dialog.get_by_role("button", name="Use instead… gpt-oss-120b").click()
    question = page.get_by_role("dialog", name="Use the launcher's recipe for gpt-oss-120b?")
    question.get_by_role("button", name="Keep ours").click()
    dialog.get_by_role("button", name="Use instead… gpt-oss-120b").click()
    question.get_by_role("button", name="Use the launcher's").click()
    expect(question).to_be_hidden()
    expect(dialog.get_by_role("status")).to_contain_text("is imported")
    [first, second] = bodies(stage, "POST", "/api/recipes/templates/import")
    assert (first["name"], first["replace"]) == ("glm-4.7-air-awq", False)
    assert (second["name"], second["replace"]) == ("gpt-oss-120b", True)


def test_a_test_from_the_card(page: Page, stage: Any, control: Any) -> None:
    bad = said(control.validation("bad"))
    stage.replies["POST", "/api/swap/gemma-4-26b/validate"] = (200, bad)
    card(page, "Gemma 4 26B").get_by_role("button", name="Test").click()
    expect(page.get_by_text("Gemma 4 26B: test failed")).to_be_visible()
    expect(page.get_by_text("Remove it under Advanced.").last).to_be_visible()


def test_deleting_shows_the_bytes_and_says_what_is_left(
    page: Page, stage: Any, control: Any
) -> None:
    path = "/api/models/gpt-oss-120b/disk"
    stage.replies["GET", path] = (200, said(control.delete_plan()))
    choose(page, "gpt-oss-120b", "Delete")
    dialog = page.get_by_role("dialog", name="Delete gpt-oss-120b from disk?")
    expect(dialog.get_by_role("row", name="Spark 1")).to_contain_text("63.4\u00a0GB freed")
    expect(dialog.get_by_role("button", name="Keep it")).to_be_focused()
    left = DeletedPlace(host="spark1", label="Spark 1", problem="The disk is read-only.")
    gone = Deleted(
        model="gpt-oss-120b", repo="openai/gpt-oss-120b", complete=False, freed_bytes=0,
        places=[left],
    )  # fmt: skip
    stage.replies["DELETE", path] = (200, said(gone))
    dialog.get_by_role("button", name="Delete 63.4").click()
    expect(page.get_by_text("Spark 1: The disk is read-only.")).to_be_visible()


def test_only_the_broken_copy_is_deleted(page: Page, stage: Any, control: Any) -> None:
    place = control.delete_plan().places[0].model_copy(update={"frees_bytes": 12_000_000_000})
    other = place.model_copy(update={"host": "spark2", "label": "Spark 2"})
    plan = control.delete_plan(model="phi", places=[place, other], frees_bytes=24_000_000_000)
    path = "/api/models/phi/disk"
    stage.replies["GET", path] = (200, said(plan))
    gone = DeletedPlace(host="spark1", label="Spark 1", freed_bytes=12_000_000_000)
    deleted = Deleted(
        model="phi", repo="x/y", complete=True, freed_bytes=12_000_000_000, places=[gone]
    )
    stage.replies["DELETE", path] = (200, said(deleted))
    card(page, "Phi 5 mini").get_by_role("button", name="Delete 12.0").click()
    dialog = page.get_by_role("dialog", name="Delete Phi 5 mini from disk?")
    expect(dialog.get_by_role("row", name="Spark 1")).to_contain_text("12.0\u00a0GB freed")
    expect(dialog.get_by_role("row", name="Spark 2")).to_contain_text("stays")
    with page.expect_request(lambda asked: asked.method == "DELETE") as request:
        dialog.get_by_role("button", name="Delete 12.0").click()
    assert request.value.url.endswith(f"{path}?requested_by=dashboard&host=spark1")
    expect(page.get_by_text("Phi 5 mini is deleted from Spark 1")).to_be_visible()


def test_what_must_not_be_deleted_is_not(page: Page, stage: Any, control: Any) -> None:
    held = control.delete_plan(blockers=["A swap to it is queued."])
    stage.replies["GET", "/api/models/gpt-oss-120b/disk"] = (200, said(held))
    choose(page, "gpt-oss-120b", "Delete")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("A swap to it is queued.")
    expect(dialog.get_by_role("button", name="Delete 63.4")).to_be_disabled()
    page.keyboard.press("Escape")
    expect(card(page, "gpt-oss-120b").locator(".more > summary")).to_be_focused()
    assert bodies(stage, "DELETE", "/api/models/gpt-oss-120b/disk") == []
    expect(card(page, "Support assistant v2").get_by_role("button", name="Delete")).to_have_count(0)


def test_a_model_that_took_a_spark_down_is_let_go_by_a_person(
    page: Page, stage: Any, control: Any
) -> None:
    path = "/api/models/kimi/quarantine"
    stage.replies["DELETE", path] = (200, {"model": "kimi", "was": None})
    card(page, "Kimi Linear 48B").get_by_role("button", name="Let it load again").click()
    dialog = page.get_by_role("dialog", name="Let Kimi Linear 48B load again?")
    expect(dialog).to_contain_text("did not answer for 9 min")
    dialog.get_by_role("button", name="Let it load again").click()
    expect(page.get_by_text("Kimi Linear 48B may load again")).to_be_visible()
    assert len(bodies(stage, "DELETE", path)) == 1


def test_the_menu_of_a_card_by_keyboard(page: Page, stage: Any, control: Any) -> None:
    summary = card(page, "gpt-oss-120b").locator(".more > summary")
    summary.focus()
    page.keyboard.press("Enter")
    delete = card(page, "gpt-oss-120b").get_by_role("button", name="Delete")
    expect(delete).to_be_visible()
    page.keyboard.press("Tab")
    expect(delete).to_be_focused()
    page.keyboard.press("Escape")
    expect(delete).to_be_hidden()
    expect(summary).to_be_focused()
