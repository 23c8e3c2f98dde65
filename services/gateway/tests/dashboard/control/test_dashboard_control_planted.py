"""Whatever a recipe, a download, an update or a log line says stays text."""

from typing import Any

import pytest
from gateway_stand.planting import marked, planted, unseen
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

KEPT = frozenset({"id", "key", "name", "host", "repo", "loaded", "model", "step", "field"})
"""What parts of the page find each other by, or ask for."""
NOT_SHOWN = {
    "Cause.code", "CheckoutState.directory", "CheckoutState.label", "DownloadView.requested_by",
    "FlagHelp.flag", "FlagHelp.help", "Flags.vllm_version", "MemoryHelp.sentences",
    "PendingCommit.sha", "Quarantine.since", "RecipeForm.capabilities",
    "Suggested[Union[str, NoneType]].value", "Suggested[int].source", "Suggested[list[str]].source",
    "Suggested[list[str]].value", "Suggestion.hosts", "Suggestion.read_from",
    "UpdateView.message", "UpdateView.requested_by",
}  # fmt: skip
"""What these places do not show."""


def test_no_text_of_others_becomes_markup(
    stage: Any, scenes: Any, control: Any, visit: Any
) -> None:
    fields = {"line"}

    def say(path: str, view: Any, method: str = "GET") -> None:
        found = planted(view, fields, KEPT).model_dump(mode="json", warnings=False)
        stage.replies[method, f"/api/{path}"] = (200, found)

    def sown(view: Any) -> Any:
        return planted(view, fields, KEPT)

    say("recipes/templates", control.templates())
    wrong = control.preview(control.unknown_flag())
    say("models/gemma-4-26b/recipe", control.detail(flags=["--max-num-seq=3"]))
    say("recipes/flags", control.flags())
    say("recipes/preview", wrong, "POST")
    say("models/suggest", control.suggestion())
    say("models/gemma-4-26b/disk", control.delete_plan())
    stage.snapshot = control.snapshot(
        sown(control.menu()),
        current=sown(scenes.loading()),
        downloads=sown(control.downloads()),
        updates=sown(control.updates(control.failed_update())),
    )
    line = scenes.progress(6, "loading", lines=[marked("line")])
    stage.story = [("swap.progress", line)]
    page = visit().page
    expect(page.get_by_role("log")).to_contain_text("</script>line")
    dialog = page.get_by_role("dialog")

    def look() -> None:
        expect(page.locator("update-banner")).to_contain_text("PendingCommit.subject")

    def templates() -> None:
        page.locator(".section-head .more > summary").click()
        page.get_by_role("button", name="Import a recipe").click()
        expect(dialog).to_contain_text("Template.title")

    def opened(model: str, press: str, word: str) -> None:
        card = page.locator(f"[data-model='{model}']")
        button = card.get_by_role("button", name=press)
        if not button.is_visible():
            card.locator(".more > summary").click()
        button.click()
        expect(dialog).to_contain_text(word)

    def advanced() -> None:
        opened("gemma-4-26b", "Advanced", "Preview.launch_cmd")
        dialog.get_by_label("Remember repeated beginnings").click()
        expect(dialog).to_contain_text("FieldProblem.message")

    places = [
        look,
        templates,
        advanced,
        lambda: opened("nemotron", "Set it up", "Suggestion.warnings"),
        lambda: opened("gemma-4-26b", "Delete", "DeletePlan.notes"),
    ]
    places = [each for go in places for each in (go, lambda: page.keyboard.press("Escape"))]
    assert unseen(page, fields, places, NOT_SHOWN) == NOT_SHOWN
