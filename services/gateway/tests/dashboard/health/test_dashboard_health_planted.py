"""Whatever a host, a container or a check says stays text."""

from typing import Any

import pytest
from gateway_stand.planting import planted, unseen
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

NOT_SHOWN = {
    "Badge.interface", "ContainerView.image", "Finding.check", "Finding.label",
    "Finding.runbook", "HostHardware.label", "NimChoice.about", "NimChoice.health_path",
    "NimChoice.image", "NimChoice.label", "OverlayFile.container_sha256",
    "OverlayFile.shipped_sha256", "RemedyView.label", "Route.interface", "ServiceView.address",
    "SpeechHealth.diarizer", "SpeechModels.address", "SpeechModels.container",
    "SpeechModels.container_state", "Transition.label", "Transition.reason",
    "WakeAddress.interface", "WorkFailure.sentence",
}  # fmt: skip
"""What these places do not show."""


def test_no_text_of_others_becomes_markup(
    stage: Any, scenes: Any, watched: Any, visit: Any
) -> None:
    fields: set[str] = set()
    parts = {
        "hardware": watched.hardware(), "advice": watched.advice(), "connectivity": watched.log(),
        "services": watched.services(watched.service(reason="Odd.", state="degraded")),
        "deep-health": watched.checks(watched.open_circuit()), "speech-models": watched.speech(),
        "nim/catalog": watched.catalog(),
    }  # fmt: skip
    for path, view in parts.items():
        watched.say(stage, path, planted(view, fields))
    menu = scenes.menu(hosts=[scenes.host(1), scenes.host(2)])
    stage.snapshot = scenes.snapshot(planted(menu, fields))
    opened = visit()
    opened.expected = ("404",)  # what Activity shows of other parts
    page = opened.page
    expect(page.locator("spark-list")).to_contain_text("HostView.label")

    def go(tab: str, part: str, word: str) -> None:
        page.locator("tab-bar").get_by_role("link", name=tab).click()
        expect(page.locator(part)).to_contain_text(word)

    places = [
        lambda: go("Services", "services-panel", "ServiceView.label"),
        lambda: go("Activity", "uptime-list", "TargetUptime.label"),
        lambda: go("Home", "spark-list", "HostView.label"),
    ]
    assert unseen(page, fields, places, NOT_SHOWN) == NOT_SHOWN
