"""Redaction, tried in the page: a text hidden and put back; what is kept, listed and forgotten."""

import re
from datetime import timedelta
from typing import Any

import pytest
from gateway_stand.survey import assert_sound
from playwright.sync_api import Route, expect

pytestmark = pytest.mark.browser

VALUES = {"[[PERSON_1]]": "Alice <b>Smith</b>", "[[PHONE_1]]": "415-555-0132"}
TEXT = "Alice <b>Smith</b>: 415-555-0132. [[PHONE_7]] was here."
HIDDEN = "[[PERSON_1]]: [[PHONE_1]]. [[PHONE_7]] was here."


class Service:
    """Plays the redaction service."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.gone: set[str] = set()
        self.key = ""
        self.made = 0

    def answer(self, route: Route) -> None:
        asked = route.request.post_data_json
        self.asked.append(asked)
        if self.key and self.key not in route.request.headers.get("authorization", ""):
            said = {"error": {"message": "this needs an API key", "code": "missing_key"}}
            route.fulfill(status=401, json=said)
        elif asked.get("session_id") in self.gone:
            said = {"error": {"message": "this session was deleted", "code": "gone"}}
            route.fulfill(status=410, json=said)
        elif route.request.url.endswith("/scrub"):
            self.made += "session_id" not in asked
            found = [{"token": each, "type": each[2:].split("_")[0], "occurrences": 2}
                     for each in VALUES]  # fmt: skip
            route.fulfill(json={
                "text": HIDDEN, "session_id": asked.get("session_id", f"s_{self.made}"),
                "placeholders": found, "coverage": {"entities": 1, "ner": "unavailable"},
                "prompt_hint": "Keep them.", "expires_at": "2026-11-27T00:00:00Z",
            })  # fmt: skip
        elif "json" in asked:
            route.fulfill(json={"json": [VALUES[each] for each in asked["json"]]})
        else:
            back = {"restored": {"[[PERSON_1]]": 1}, "normalised": [], "blocked": []}
            text = asked["text"].replace("[[PERSON_1]]", VALUES["[[PERSON_1]]"])
            route.fulfill(json={"text": text, "unresolved": ["[[PHONE_9]]"], **back})


def scope(scenes: Any, session: str, tenant: str = "default", **counts: int) -> dict[str, Any]:
    end = (scenes.now + timedelta(hours=2)).isoformat()
    return {
        "tenant": tenant, "session_id": session, "profile": "crm",
        "created_at": scenes.ago(60).isoformat(), "expires_at": end, "tasks": 1, "counts": counts,
    }  # fmt: skip


def test_a_text_is_hidden_and_put_back_and_nothing_of_it_stays(visit, stage, scenes) -> None:
    place = ("GET", "/api/redaction/scopes")
    rest = [scope(scenes, "chat", "crm", EMAIL=2)]
    stage.snapshot = scenes.snapshot()
    stage.replies[place] = (200, {"scopes": [scope(scenes, "s_1", PERSON=1, PHONE=1), *rest]})
    stage.replies["DELETE", "/api/redaction/scopes/default/s_1"] = (200, {"scopes": rest})
    service, visited = Service(), visit(bypass_csp=True, reduced_motion="reduce")
    page, panel = visited.page, visited.page.locator("redact-panel")
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    for place_of in ("scrub", "rehydrate"):
        page.route(re.compile(rf"^http://[^/]+/{place_of}$"), service.answer)
    tab = page.get_by_role("link", name="Redact")
    expect(tab).to_be_visible()
    assert not any("/late/redact/" in url for url in fetched)
    tab.click()
    back = page.get_by_role("button", name="Put the values back")
    expect(back).to_be_disabled()
    expect(panel).to_contain_text("Hide a text first")

    # By keyboard: the field, the names, the two choices, the button.
    page.get_by_label("Text", exact=True).fill(TEXT)
    page.keyboard.press("Tab")
    page.keyboard.type("Alice Smith")
    for _ in range(3):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    out = page.get_by_role("group", name="What leaves the house")
    expect(out).to_have_text(HIDDEN)
    # What stood in the text already is none of ours.
    expect(out.locator("mark")).to_have_text(["[[PERSON_1]]", "[[PHONE_1]]"])
    kinds = page.get_by_role("list", name="What is hidden, and why")
    expect(kinds.get_by_role("heading")).to_have_text(["Person", "Phone number"])
    expect(kinds).to_contain_text("Alice <b>Smith</b>")
    expect(panel.get_by_role("status").first).to_have_text("2 values of 2 types hidden.")
    expect(panel).to_contain_text("Other names were not looked for, and pass through.")
    sent = service.asked[0]
    assert (sent["text"], sent["profile"], sent["ttl_s"]) == (TEXT, "transcript", 3600)
    assert sent["entities"] == [{"type": "PERSON", "value": "Alice Smith"}]

    page.get_by_label("Answer of the model").fill("Dear [[PERSON_1]], [[PHONE_9]]")
    back.click()
    home = page.get_by_role("group", name="For this house only")
    expect(home).to_have_text("Dear Alice <b>Smith</b>, [[PHONE_9]]")
    expect(panel.get_by_role("status").nth(1)).to_contain_text("left as written: [[PHONE_9]]")

    rows = panel.locator("tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_contain_text("open above")
    expect(rows.nth(1)).to_contain_text("of crm")
    expect(rows.nth(1)).to_contain_text(re.compile("E-mail address.2"))
    # Another tenant's is opened by whoever runs the cluster, on a route of theirs.
    stage.replies["POST", "/api/redaction/scopes/crm/chat/rehydrate"] = (200, {
        "text": "To bob@corp.internal", "restored": {"[[EMAIL_1]]": 1}, "normalised": [],
        "unresolved": [], "blocked": [],
    })  # fmt: skip
    page.get_by_role("button", name="Put an answer back with chat of crm").click()
    expect(panel).to_contain_text("With the values of chat of crm.")
    expect(rows.nth(1)).to_contain_text("open above")
    expect(home).to_be_hidden()
    page.get_by_label("Answer of the model").fill("To [[EMAIL_1]]")
    back.click()
    expect(home).to_have_text("To bob@corp.internal")
    assert stage.asked[-1] == (
        "POST", "/api/redaction/scopes/crm/chat/rehydrate", {"text": "To [[EMAIL_1]]"}
    )  # fmt: skip
    page.get_by_role("button", name="Put an answer back with s_1 of default").click()
    expect(rows.nth(0)).to_contain_text("open above")
    assert_sound(page)
    width = page.viewport_size["width"]
    page.set_viewport_size({"width": 360, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.set_viewport_size({"width": width, "height": 800})

    # Forgotten: its row goes, and the next text begins a new session.
    stage.replies[place] = (200, {"scopes": rest})
    service.gone.add("s_1")
    page.get_by_role("button", name="Forget s_1 of default…").click()
    expect(page.get_by_role("button", name="Keep it")).to_be_focused()
    page.get_by_role("button", name="Forget it").click()
    expect(rows).to_have_count(1)
    expect(back).to_be_disabled()
    assert ("DELETE", "/api/redaction/scopes/default/s_1") in [each[:2] for each in stage.asked]
    hide = page.get_by_role("button", name="Hide what is personal")
    hide.click()
    expect(panel).to_contain_text("With the values of s_2.")

    # Forgotten elsewhere: the same, and the reader need not know.
    visited.expected = ("410", "401")
    service.gone.add("s_2")
    hide.click()
    expect(panel).to_contain_text("With the values of s_3.")

    # Where keys are asked for, one is asked for here, and shown with what follows.
    service.key = "sk-spark-x"
    hide.click()
    expect(panel.get_by_role("status").first).to_have_text("This needs an API key.")
    expect(out).to_be_hidden()
    page.locator("#redact-key").fill(service.key)
    hide.click()
    expect(out).to_be_visible()

    # Left: nothing stays, here or anywhere, and no address ever held any of it.
    page.get_by_role("link", name="Home").click()
    tab.click()
    expect(page.get_by_label("Text", exact=True)).to_have_value("")
    expect(page.get_by_label("Answer of the model")).to_have_value("")
    assert not any(word in page.content() for word in ("Smith", "415-555", "PHONE_7", "PHONE_9"))
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0
    assert not any("Smith" in url or "415-555" in url for url in fetched)
