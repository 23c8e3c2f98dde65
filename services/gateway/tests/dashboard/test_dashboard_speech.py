"""Speech, tried in the page: a recording in, who said what out; a text in, a voice out."""

import json
import struct
from typing import Any

import pytest
from playwright.sync_api import Route, expect

pytestmark = pytest.mark.browser

SAMPLES = bytes(16_000)
WAV = struct.pack(
    "<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(SAMPLES), b"WAVE", b"fmt ", 16, 1, 1, 8_000, 16_000,
    2, 16, b"data", len(SAMPLES),
) + SAMPLES  # fmt: skip
STATUS = {
    "state": "busy",
    "queue": {
        "in_use": 2, "draining": 0, "waiting": {"interactive": 1}, "waiting_elsewhere": 0,
        "ceiling": 3, "expected_wait_seconds": 4.2,
    },
}  # fmt: skip
HEARD = {
    "duration": 12.0,
    "speakers_detected": ["Speaker_0", "Alice"],
    "segments": [
        {"start_ms": 0, "end_ms": 900, "speaker": "Speaker_0", "text": "Good <b>morning</b>.",
         "confidence": 0.93},
        {"start_ms": 400, "end_ms": 900, "speaker": "Alice", "text": "Hello.", "confidence": 0.4},
        {"start_ms": 800, "end_ms": 900, "speaker": None, "text": "Hm.", "confidence": None},
    ],
}  # fmt: skip


class Service:
    """Plays the speech service."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, bytes]] = []
        self.status: dict[str, Any] | None = STATUS
        self.key = ""

    def answer(self, route: Route) -> None:
        path = route.request.url.partition("/")[2].partition("/")[2].partition("/")[2]
        self.asked.append((path, route.request.post_data_buffer or b""))
        if self.key and self.key not in route.request.headers.get("authorization", ""):
            said = {"error": {"message": "this needs an API key", "code": "missing_key"}}
            route.fulfill(status=401, json=said)
        elif path == "v1/audio/voices":
            voice = {"id": "af_sky", "name": "Sky", "language": "en-US", "engine": "kokoro"}
            route.fulfill(json={"voices": [voice]})
        elif path == "v1/audio/speech":
            route.fulfill(body=WAV, content_type="audio/wav")
        elif path == "api/audio/transcribe-with-speakers":
            route.fulfill(json=HEARD)
        elif self.status is None:
            said = {"error": {"message": "the speech service does not answer", "code": "x"}}
            route.fulfill(status=503, json=said)
        else:
            route.fulfill(json=self.status)


def test_a_recording_comes_back_in_words_and_a_text_as_a_voice(visit, stage, scenes) -> None:
    stage.snapshot = scenes.snapshot()
    service, visited = Service(), visit()
    page = visited.page
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    for pattern in ("**/api/audio/**", "**/v1/audio/**"):
        page.route(pattern, service.answer)
    expect(page.get_by_role("link", name="Speech")).to_be_visible()
    assert not any("/late/speech/" in url for url in fetched)
    page.get_by_role("link", name="Speech").click()
    expect(page.get_by_role("heading", name="Speech", exact=True)).to_be_visible()
    expect(page.get_by_text("2 of 3 at work, 1 waits, about 5 s.")).to_be_visible()

    talk = {"name": "a talk.wav", "mimeType": "audio/wav", "buffer": WAV}
    page.locator("#speech-file").set_input_files(talk)
    blocks = page.locator(".transcript > li")
    expect(blocks).to_have_count(3)
    # What was said is text, whatever it looks like.
    expect(blocks.nth(0)).to_contain_text("Speaker 1")
    expect(blocks.nth(0)).to_contain_text("Good <b>morning</b>.")
    expect(blocks.nth(1)).to_contain_text("40 % sure, perhaps somebody else")
    expect(blocks.nth(2)).to_contain_text("Somebody")
    colours = {
        blocks.nth(number).evaluate("item => getComputedStyle(item).borderInlineStartColor")
        for number in range(3)
    }
    assert len(colours) == 3
    assert WAV in next(body for path, body in service.asked if path.startswith("api/audio/tr"))

    page.get_by_label("Voice", exact=True).select_option("af_sky")
    page.get_by_label("Text", exact=True).fill("Hello there.")
    page.get_by_role("button", name="Say it").click()
    expect(page.get_by_text("It took")).to_be_visible()
    wish = json.loads(next(body for path, body in service.asked if path == "v1/audio/speech"))
    assert (wish["input"], wish["voice"], wish["speed"]) == ("Hello there.", "af_sky", 1)

    # Where keys are asked for, one is asked for here, and shown with what follows.
    visited.expected = ("401", "503")
    service.key = "sk-spark-x"
    expect(page.locator("#speech-key")).to_be_visible()
    page.locator("#speech-key").fill(service.key)
    page.get_by_role("button", name="Say it").click()
    expect(page.get_by_text("It took")).to_be_visible()

    service.status = None
    expect(page.get_by_text("The speech service does not answer.")).to_be_visible()
    page.set_viewport_size({"width": 360, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
