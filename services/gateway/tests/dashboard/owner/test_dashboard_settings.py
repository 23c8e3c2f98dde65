"""The settings under the gear: seen by group, changed together, exported and imported."""

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror=alert(1)>"


def said(model: Any) -> Any:
    return model.model_dump(mode="json")


def saved(stage: Any) -> list[Any]:
    return [body for verb, path, body in stage.asked if (verb, path) == ("POST", "/api/settings")]


@pytest.fixture
def page(stage: Any, scenes: Any, owner: Any, visit: Any) -> Page:
    """The dashboard, on which settings can be read."""
    stage.snapshot = scenes.snapshot()
    stage.replies["GET", "/api/settings"] = (200, said(owner.settings()))
    stage.replies["POST", "/api/settings"] = (200, said(owner.settings(5)))
    opened = visit()
    opened.expected = ("status of 409", "status of 422", "status of 503")
    expect(opened.page.get_by_role("banner")).to_contain_text("All well")
    found: Page = opened.page
    return found


def opened(page: Page) -> Locator:
    page.get_by_role("button", name="Settings", exact=True).click()
    dialog = page.get_by_role("dialog", name="Settings")
    expect(dialog.get_by_label("Port")).to_be_visible()
    return dialog


def test_every_field_says_its_value_and_where_it_is_from(page: Page) -> None:
    dialog = opened(page)
    expect(dialog.get_by_label("Link of “Open chat”")).to_be_focused()
    expect(dialog.get_by_label("Port")).to_have_value("8888")
    expect(dialog.get_by_label("Hidden services")).to_have_value("magpie")
    expect(dialog.get_by_label("When a model is asked for")).to_have_value("ask")
    expect(dialog.get_by_label("Bring the old model back")).to_be_checked()
    drain = dialog.locator("[data-field=DRAIN_SECONDS]")
    expect(drain).to_contain_text("Yours")
    expect(drain.get_by_role("button", name="Use the environment's instead")).to_be_visible()
    expect(dialog.locator("[data-field=VLLM_PORT]")).to_contain_text("Default")
    expect(dialog.locator("[data-field=SPARK1_HOST]")).to_contain_text("Environment")
    expect(dialog.get_by_role("button", name="Save")).to_be_disabled()
    dialog.get_by_role("button", name="Keys").click()
    assert page.evaluate("document.activeElement.textContent") == "Keys"


def test_changes_of_every_kind_are_saved_together(page: Page, stage: Any) -> None:
    dialog = opened(page)
    dialog.get_by_label("Port").fill("9000")
    dialog.get_by_label("Hidden services").fill("magpie\nqdrant")
    dialog.get_by_label("When a model is asked for").select_option("always")
    dialog.get_by_label("Bring the old model back").uncheck()
    drain = dialog.locator("[data-field=DRAIN_SECONDS]")
    drain.get_by_role("button", name="Use the environment's instead").click()
    expect(drain).to_contain_text("When saved: the environment's value")
    expect(dialog).to_contain_text("5 changes not saved")
    dialog.get_by_label("Port").press("Enter")
    expect(dialog.get_by_role("status")).to_contain_text("Saved. It works already.")
    [body] = saved(stage)
    assert body["version"] == 4
    assert body["values"] == {
        "VLLM_PORT": 9000, "HIDDEN_SERVICES": ["magpie", "qdrant"], "SWAP_MODE": "always",
        "SWAP_ROLLBACK": False, "DRAIN_SECONDS": None,
    }  # fmt: skip
    assert body["secrets"] == {}


def test_secrets_are_written_and_never_shown(page: Page, stage: Any) -> None:
    dialog = opened(page)
    ngc = dialog.locator("[data-field=NGC_API_KEY]")
    expect(ngc).to_contain_text("Saved")
    ngc.get_by_role("button", name="Replace…").click()
    field = ngc.get_by_label("NVIDIA key (NGC)")
    expect(field).to_be_focused()
    expect(field).to_have_attribute("type", "password")
    expect(field).to_have_value("")
    field.fill("nvapi-of-tests")
    token = dialog.locator("[data-field=HF_TOKEN]")
    expect(token.get_by_role("button", name="Remove")).to_be_hidden()
    token.get_by_role("button", name="Set…").click()
    token.get_by_role("button", name="Leave it as it is").click()
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("status")).to_contain_text("Saved.")
    assert saved(stage)[0]["secrets"] == {"NGC_API_KEY": "nvapi-of-tests"}
    assert page.evaluate(
        "![...document.querySelectorAll('input')].some((each) => each.value.includes('nvapi'))"
    )
    ngc.get_by_role("button", name="Remove").click()
    expect(ngc).to_contain_text("Removed when saved.")
    dialog.get_by_role("button", name="Save").click()
    expect(ngc.get_by_role("button", name="Replace…")).to_be_visible()
    assert saved(stage)[1]["secrets"] == {"NGC_API_KEY": None}


def test_what_is_wrong_stands_beside_its_field(page: Page, stage: Any) -> None:
    dialog = opened(page)
    port = dialog.get_by_label("Port")
    port.fill("abc")
    dialog.get_by_role("button", name="Save").click()
    expect(port).to_be_focused()
    expect(dialog.locator("[data-field=VLLM_PORT]")).to_contain_text("Write a whole number.")
    assert saved(stage) == []
    refused = {
        "detail": "1 setting is refused", "code": "invalid_request",
        "details": {"problems": [{"name": "VLLM_PORT", "rule": "must be below 65536"}]},
    }  # fmt: skip
    stage.replies["POST", "/api/settings"] = (422, refused)
    port.fill("70000")
    dialog.get_by_role("button", name="Save").click()
    expect(port).to_have_attribute("aria-invalid", "true")
    expect(dialog.locator("[data-field=VLLM_PORT]")).to_contain_text("must be below 65536")
    expect(dialog.get_by_role("status")).to_have_text("Nothing was saved: see what is marked.")
    expect(port).to_be_focused()
    expect(port).to_have_value("70000")
    problems = [{"name": "NEW_ONE", "rule": "is new"}]
    elsewhere = {"detail": "NEW_ONE is new", "code": "invalid_request"}
    stage.replies["POST", "/api/settings"] = (422, elsewhere | {"details": {"problems": problems}})
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("status")).to_have_text("NEW_ONE is new")


def test_a_conflict_keeps_what_was_typed(page: Page, stage: Any, owner: Any) -> None:
    dialog = opened(page)
    dialog.get_by_label("Port").fill("9000")
    stage.replies["POST", "/api/settings"] = (
        409, {"detail": "the settings were changed meanwhile", "code": "conflict"},
    )  # fmt: skip
    dialog.get_by_role("button", name="Save").click()
    again = dialog.get_by_role("button", name="Read them again")
    expect(again).to_be_focused()
    newer = owner.settings(9)
    theirs = [
        each.model_copy(update={"value": "vllm_two"}) if each.name == "VLLM_CONTAINER" else each
        for each in newer.settings
    ]
    newer = newer.model_copy(update={"settings": theirs})
    stage.replies["GET", "/api/settings"] = (200, said(newer))
    again.click()
    expect(dialog.get_by_label("Container name")).to_have_value("vllm_two")
    expect(dialog.get_by_label("Port")).to_have_value("9000")
    stage.replies["POST", "/api/settings"] = (200, said(owner.settings(10)))
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("status")).to_contain_text("Saved.")
    assert [(body["version"], body["values"]) for body in saved(stage)] == [
        (4, {"VLLM_PORT": 9000}), (9, {"VLLM_PORT": 9000}),
    ]  # fmt: skip


def test_nobody_who_answers_and_hostile_warnings(page: Page, stage: Any, owner: Any) -> None:
    stage.replies["GET", "/api/settings"] = (
        503, {"detail": "nobody answers.", "code": "service_unavailable"},
    )  # fmt: skip
    page.get_by_role("button", name="Settings", exact=True).click()
    dialog = page.get_by_role("dialog", name="Settings")
    expect(dialog.get_by_role("status")).to_contain_text("Nobody answers.")
    warned = owner.settings(warnings=[f"DRAIN_SECONDS: {HOSTILE} is not a number"])
    stage.replies["GET", "/api/settings"] = (200, said(warned))
    dialog.get_by_role("button", name="Read them again").click()
    expect(dialog.get_by_text("Not as it should be")).to_be_visible()
    expect(dialog).to_contain_text(HOSTILE)
    assert page.locator("img").count() == 0


def test_an_answer_that_comes_late_is_not_that_of_the_next_visit(page: Page, stage: Any) -> None:
    dialog = opened(page)
    dialog.get_by_label("Port").fill("9000")
    waiting: list[Any] = []
    page.route(
        "**/api/settings",
        lambda route: (
            waiting.append(route) if route.request.method == "POST" else route.continue_()
        ),
    )
    with page.expect_request("**/api/settings"):
        dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("button", name="Save")).to_be_disabled()
    page.keyboard.press("Escape")
    opened(page)
    dialog.get_by_label("Container name").fill("other")
    waiting.pop().continue_()
    expect(page.get_by_text("The settings are saved")).to_be_visible()
    expect(dialog.get_by_label("Container name")).to_have_value("other")
    expect(dialog).to_contain_text("1 change not saved")


def test_what_is_typed_while_it_is_saved_stays(page: Page, stage: Any) -> None:
    dialog = opened(page)
    dialog.get_by_label("Port").fill("9000")
    waiting: list[Any] = []
    page.route(
        "**/api/settings",
        lambda route: (
            waiting.append(route) if route.request.method == "POST" else route.continue_()
        ),
    )
    with page.expect_request("**/api/settings"):
        dialog.get_by_role("button", name="Save").click()
    dialog.get_by_label("Container name").fill("other")
    waiting.pop().continue_()
    expect(dialog.get_by_role("status")).to_contain_text("Saved.")
    expect(dialog.get_by_label("Container name")).to_have_value("other")
    expect(dialog).to_contain_text("1 change not saved")
    expect(dialog.get_by_label("Port")).to_have_value("8888")


def test_everything_is_exported_to_a_file_and_imported_again(
    page: Page, stage: Any, owner: Any, tmp_path: Path
) -> None:
    dialog = opened(page)
    dialog.get_by_role("button", name="Export and import").click()
    transfer = page.get_by_role("dialog", name="Export and import")
    stage.replies["POST", "/api/state/export"] = (200, said(owner.document()))
    with page.expect_download() as download:
        transfer.get_by_role("button", name="Export to a file").click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    assert json.loads(path.read_text()) == said(owner.document())
    expect(transfer).to_contain_text("Not in it: NGC_API_KEY.")

    transfer.get_by_label("Passphrase", exact=True).fill("correct horse")
    with page.expect_download():
        transfer.get_by_role("button", name="Export to a file").click()
    bodies = [body for _, at, body in stage.asked if at == "/api/state/export"]
    assert bodies == [{}, {"passphrase": "correct horse"}]

    stage.replies["POST", "/api/state/import"] = (200, said(owner.imported()))
    transfer.get_by_role("button", name="Import…").click()
    expect(transfer.get_by_role("status")).to_contain_text("Choose the file first.")
    transfer.get_by_label("File", exact=True).set_input_files(path)
    transfer.get_by_label("Passphrase of the file").fill("correct horse")
    transfer.get_by_role("button", name="Import…").click()
    sure = page.get_by_role("dialog", name="Take in")
    expect(sure.get_by_role("columnheader")).to_have_text(["What", "Becomes"])
    expect(sure.get_by_role("row", name="Setting VLLM_PORT")).to_contain_text("8888 → 9000")
    expect(sure.get_by_role("row", name="Schedule <img src=x")).to_contain_text("added")
    expect(sure.get_by_role("button", name="Leave it as it is")).to_be_focused()
    sure.get_by_role("button", name="Take it in").click()
    expect(transfer.get_by_role("status")).to_contain_text(
        "Taken in: 3 settings, 1 schedule, your changes of recipes."
    )
    expect(transfer).to_contain_text("OLD_NAME is not known")
    asked, body = (body for _, at, body in stage.asked if at == "/api/state/import")
    assert body == {
        "document": said(owner.document()), "passphrase": "correct horse",
        "requested_by": "dashboard",
    }  # fmt: skip
    assert asked == body | {"dry_run": True}

    stage.replies["POST", "/api/state/import"] = (200, said(owner.imported(changes=[])))
    transfer.get_by_role("button", name="Import…").click()
    expect(transfer.get_by_role("status")).to_contain_text("Nothing to take in")
    assert stage.asked[-1][2]["dry_run"] is True


def test_a_file_that_is_none_of_ours_is_not_sent(page: Page, stage: Any, tmp_path: Path) -> None:
    dialog = opened(page)
    dialog.get_by_role("button", name="Export and import").click()
    transfer = page.get_by_role("dialog", name="Export and import")
    for name, text in {"a.json": "{nonsense", "b.json": '{"product": "other"}'}.items():
        (tmp_path / name).write_text(text)
        transfer.get_by_label("File", exact=True).set_input_files(tmp_path / name)
        transfer.get_by_role("button", name="Import…").click()
        expect(transfer.get_by_role("status")).to_contain_text("not a file that was exported here")
    assert not [each for each in stage.asked if each[1] == "/api/state/import"]
