"""The playground: a conversation, stopped and repaired; texts embedded; collections searched."""

import json
from typing import Any

import pytest
from gateway_stand.survey import assert_sound
from playwright.sync_api import Route, expect

pytestmark = pytest.mark.browser

NASTY = "<img src=x onerror=alert(1)>"
HITS = {
    "collection": "docs", "mode": "dense", "reranked": False, "embedding_model": "bge",
    "degraded": [{"code": "no_reranker", "sentence": "there is no reranker"}],
    "hits": [{"id": 7, "score": 0.71, "payload": {"text": NASTY, "page": 3}}],
    "seconds": {"embed": 0.01, "search": 0.02, "rerank": None},
}  # fmt: skip


def stream(*deltas: dict[str, Any], end: str = "[DONE]", tokens: int = 9) -> str:
    events = [{"choices": [{"delta": delta}]} for delta in deltas]
    events.append({"choices": [], "usage": {"completion_tokens": tokens}})
    lines = [": waiting", *(f"data: {json.dumps(each)}" for each in events), f"data: {end}"]
    return "\n\n".join(lines) + "\n\n"


class Models:
    """Plays what lies under /v1."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.answers: list[Any] = []

    def answer(self, route: Route) -> None:
        url = route.request.url
        if url.endswith("/models"):
            ready = {"id": "bge", "kind": "embedding", "status": {"value": "loaded"}}
            route.fulfill(json={"data": [{"id": "chatty", "kind": "chat"}, ready]})
            return
        self.asked.append(route.request.post_data_json)
        if url.endswith("/embeddings"):
            vectors = [[1.0, 0.0], [0.0, 1.0]]
            data = [{"index": n, "embedding": each} for n, each in enumerate(vectors)]
            route.fulfill(json={"model": "bge", "data": data[::-1]})
            return
        answer = self.answers.pop(0)
        if isinstance(answer, str):
            route.fulfill(body=answer, content_type="text/event-stream")
        elif answer is not None:  # None: nothing ever comes
            status, code, message = answer
            route.fulfill(status=status, json={"error": {"message": message, "code": code}})


def test_the_loaded_model_is_talked_to_and_texts_are_searched(visit, stage, scenes) -> None:
    stage.snapshot = scenes.snapshot()
    stage.replies["GET", "/api/search/collections"] = (
        200,
        {"collections": [{"name": "docs", "points": 12}, {"name": NASTY, "points": None}]},
    )
    stage.replies["POST", "/api/search"] = (200, HITS)
    visited, models = visit(reduced_motion="reduce"), Models()
    page, panel = visited.page, visited.page.locator("playground-panel")
    page.route("**/v1/**", models.answer)
    page.get_by_role("link", name="Playground").click()
    message, state = page.get_by_label("Message"), panel.get_by_role("status").first
    expect(message).to_be_visible()

    # By keyboard: Enter sends, what the model says is text, and how fast it said it is there.
    page.get_by_text("How it answers").click()
    page.get_by_label("System prompt").fill("Be brief.")
    page.get_by_label("Temperature").fill("warm")
    message.fill("Who <b>are</b> you?")
    message.press("Enter")
    expect(page.get_by_label("Temperature")).to_be_focused()
    expect(panel).to_contain_text("A number from 0 to 2, or nothing.")
    assert models.asked == []
    page.get_by_label("Temperature").fill("0,2")
    deltas = {"reasoning_content": "Hm."}, {"content": NASTY}, {"content": "!"}
    models.answers.append(stream(*deltas))
    message.press("Enter")
    talk = page.get_by_role("log", name="Conversation")
    expect(talk.locator(".said").last).to_have_text(f"{NASTY}!")
    expect(talk).to_contain_text("What it thought")
    expect(talk).to_contain_text("First token after")
    expect(state).to_contain_text("Answered. First token after")
    first = models.asked[0]
    assert (first["model"], first["stream"], first["temperature"]) == ("auto", True, 0.2)
    assert [each["content"] for each in first["messages"]] == ["Be brief.", "Who <b>are</b> you?"]

    # Stopped: what was said stays; the conversation goes on from there.
    models.answers.append(None)
    message.fill("And now?")
    page.get_by_role("button", name="Send").click()
    expect(panel).to_contain_text("so far.")
    page.get_by_role("button", name="Stop").click()
    expect(state).to_have_text("Stopped.")
    expect(message).to_be_focused()

    # Refused and broken: the cause, what to press, and the same question once more.
    visited.expected = ("503", "401")
    again = page.get_by_role("button", name="Ask again")
    models.answers.append((503, "no_model_loaded", "no model is loaded"))
    again.click()
    expect(state).to_have_text("No model is loaded. Pick a model on Home, then ask again.")
    error = json.dumps({"error": {"message": "it went away", "code": "model_load_failed"}})
    models.answers.append(stream({"content": "Well"}, end=error))
    again.click()
    expect(state).to_contain_text("It went away. Home says why")
    expect(talk.locator(".said").last).to_have_text("Well")
    models.answers.append((401, "missing_api_key", "this needs an API key"))
    message.fill("Third")
    message.press("Enter")
    expect(page.locator("#playground-key")).to_be_visible()
    said = [each["content"] for each in models.asked[-1]["messages"][1:]]
    assert said == ["Who <b>are</b> you?", f"{NASTY}!", "And now?", "Well", "Third"]

    page.get_by_role("button", name="Try an example").click()
    expect(panel).to_contain_text("2 vectors of 2 numbers")
    page.get_by_label("What you look for").fill("cats")
    page.get_by_role("button", name="Search").click()
    hits = page.get_by_role("list", name="What was found")
    expect(hits).to_contain_text(NASTY)
    expect(panel).to_contain_text("There is no reranker".lower())
    assert_sound(page)
    page.set_viewport_size({"width": 360, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360

    # While a swap runs it says what it waits for, and asks for the model that comes.
    stage.tell("snapshot", scenes.snapshot(scenes.menu(None), current=scenes.loading()))
    expect(panel).to_contain_text("A question that you send now waits for it.")
    models.answers.append(None)
    message.fill("Are you there?")
    message.press("Enter")
    expect(panel).to_contain_text("Waiting for gpt-oss-120b: loading weights")
    assert models.asked[-1]["model"] == "gpt-oss-120b"
    page.get_by_role("button", name="Clear").click()
    expect(talk).to_be_hidden()
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0
