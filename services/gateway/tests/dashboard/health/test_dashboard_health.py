"""Sparks as machines, services, up and down: what is shown is true, what is pressed is asked."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from spark_common.contracts.services import ContainerView
from spark_common.events import OverlayComplete, OverlayProgress

pytestmark = pytest.mark.browser

XSS = '<img src=x onerror="document.title=1">'


def said(model: Any) -> Any:
    return model.model_dump(mode="json")


def asked(stage: Any, method: str, path: str) -> list[Any]:
    return [body for verb, at, body in stage.asked if (verb, at) == (method, path)]


def card(page: Page, name: str) -> Locator:
    return page.get_by_role("article", name=name, exact=True)


@pytest.fixture
def page(watched: Any, visit: Any) -> Page:
    """The dashboard; a refusal is expected in its console."""
    opened = visit()
    opened.expected = ("status of 4", "status of 503")
    expect(opened.page.get_by_role("banner")).to_contain_text("All well")
    found: Page = opened.page
    return found


def services(page: Page) -> None:
    page.get_by_role("link", name="Services").click()
    expect(page.get_by_role("heading", name="Always-on services")).to_be_visible()
    expect(card(page, "Speech to text")).to_be_visible()


def test_a_spark_shows_its_numbers_and_what_is_known_to_make_trouble(page: Page) -> None:
    spark = card(page, "Spark 1")
    expect(spark).to_contain_text("92.0 of 120.0 GB memory used")
    expect(
        spark.get_by_role("img", name=re.compile("Memory in gigabytes: Model 84"))
    ).to_be_visible()
    expect(spark).to_contain_text("Embeddings: not said")
    expect(spark).to_contain_text("WireGuard 203.0.113.6")
    expect(spark.get_by_role("img", name=re.compile("^GPU load over the last hour: between 40")))
    advice = page.locator("advice-list")
    expect(advice).to_contain_text("1 thing is known to make trouble")
    advice.get_by_role("button", name=re.compile("What to do.*3 GB of disk left")).click()
    dialog = page.get_by_role("dialog", name="The disk is nearly full")
    expect(dialog).to_contain_text("Delete models that nobody uses")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Day", exact=True).click()
    expect(page.get_by_role("button", name="Day", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )


def test_a_spark_that_is_away_is_old_and_can_be_woken(stage: Any, watched: Any, visit: Any) -> None:
    away = watched.machine(
        2, answering="dead", stale=True, age_seconds=300.0, reason="Nothing of it answers.",
        steps=["Press its button."],
    )  # fmt: skip
    watched.say(stage, "hardware", watched.hardware(watched.machine(1), away))
    opened = visit()
    opened.expected = ("status of 409",)
    page = opened.page
    spark = card(page, "Spark 2")
    expect(spark).to_contain_text("Cannot be reached")
    expect(spark).to_contain_text("These numbers are old: read 5 min ago.")
    expect(spark).not_to_contain_text("Online")
    expect(spark).to_contain_text("Press its button.")
    detail = {"detail": "its hardware address was never seen", "code": "conflict"}
    stage.replies["POST", "/api/spark/spark2/wake"] = (409, detail)
    spark.get_by_role("button", name="Wake Spark 2").click()
    expect(page.get_by_role("status").filter(has_text="never seen")).to_be_visible()
    assert len(asked(stage, "POST", "/api/spark/spark2/wake")) == 1


def test_turning_a_spark_off_says_what_stops_and_repeats_its_name(
    stage: Any, watched: Any, visit: Any
) -> None:
    able = watched.machine(1, can_shut_down=True, can_reboot=True)
    watched.say(stage, "hardware", watched.hardware(able, watched.machine(2)))
    sent = {"name": "spark1", "action": "shutdown", "sentence": "Spark 1 goes off."}
    stage.replies["POST", "/api/spark/spark1/shutdown"] = (202, sent)
    page = visit().page
    card(page, "Spark 1").get_by_label("More for Spark 1").click()
    card(page, "Spark 1").get_by_role("button", name="Shut down").click()
    dialog = page.get_by_role("dialog", name="Shut Spark 1 down?")
    expect(dialog).to_contain_text("Qwen3.6 35B A3B stops: no chat for anybody.")
    expect(dialog).to_contain_text("Speech to text, Text to speech and Matrix bridge stop.")
    expect(dialog.get_by_role("button", name="Leave it on")).to_be_focused()
    dialog.get_by_role("button", name="Shut Spark 1 down").click()
    expect(page.get_by_text("Spark 1 goes off", exact=True)).to_be_visible()
    (body,) = asked(stage, "POST", "/api/spark/spark1/shutdown")
    assert body["confirm"] == "spark1"


def test_an_open_circuit_says_what_to_press_everywhere(
    page: Page, stage: Any, watched: Any
) -> None:
    watched.say(stage, "deep-health", watched.checks(watched.open_circuit()))
    services(page)
    tile = card(page, "Speech to text")
    expect(tile).to_contain_text("Needs you")
    expect(tile).to_contain_text("No more restarts by itself: waiting for you.")
    expect(page.get_by_role("link", name="Services 1 not well")).to_be_visible()
    expect(page.get_by_role("banner")).to_contain_text("Speech to text is not right")
    reset = {**said(watched.deep().remedy), "state": "quiet"}
    stage.replies["POST", "/api/deep-health/parakeet/remedy/reset"] = (200, reset)
    watched.say(stage, "deep-health", watched.checks())
    tile.get_by_role("button", name="Try again by itself").click()
    expect(tile).to_contain_text("Deep check passed")
    expect(tile).not_to_contain_text("Needs you")
    assert len(asked(stage, "POST", "/api/deep-health/parakeet/remedy/reset")) == 1


def test_a_restart_over_a_reservation_is_a_decision_of_its_own(
    page: Page, stage: Any, scenes: Any
) -> None:
    services(page)
    stage.tell("lease", said(scenes.lease()))
    expect(page.get_by_text("Reserved by crm-sync")).to_be_visible()
    done = {
        "name": "parakeet", "action": "restart", "container": "parakeet", "state": "running",
        "message": "Speech to text was restarted on Spark 1.", "at": scenes.now.isoformat(),
    }  # fmt: skip
    for name in ("parakeet", "kokoro"):
        stage.replies["POST", f"/api/services/{name}/restart"] = (200, done)
    page.get_by_role("button", name="Restart… Text to speech").click()
    dialog = page.get_by_role("dialog", name="Restart Text to speech?")
    expect(dialog).to_contain_text("crm-sync has reserved the Sparks")
    dialog.get_by_role("button", name="Restart", exact=True).click()
    expect(page.get_by_text("Speech to text was restarted on Spark 1.").first).to_be_visible()
    page.get_by_role("button", name="Restart… Speech to text").click()
    dialog = page.get_by_role("dialog", name="Restart Speech to text though crm-sync has")
    expect(dialog).to_contain_text("counts on what is on the GPU")
    dialog.get_by_role("button", name="Restart anyway").click()
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("button", name="Restart… Speech to text")).to_be_enabled()
    (beside,) = asked(stage, "POST", "/api/services/kokoro/restart")
    (over,) = asked(stage, "POST", "/api/services/parakeet/restart")
    assert "force" not in beside
    assert over["force"] is True
    page.get_by_role("button", name="Restart… Speech to text").click()
    stage.tell("lease", said(scenes.lease("eval-run", epoch=8)))
    dialog = page.get_by_role("dialog", name="Restart Speech to text though eval-run has")
    dialog.get_by_role("button", name="Restart anyway").click()
    expect(page.get_by_text("eval-run has reserved the Sparks meanwhile")).to_be_visible()
    assert len(asked(stage, "POST", "/api/services/parakeet/restart")) == 1


def test_when_health_is_away_nothing_is_green_and_everything_has_its_age(
    stage: Any, watched: Any, visit: Any
) -> None:
    opened = visit(clocked=True)
    opened.expected = ("status of 503",)
    page = opened.page
    page.clock.run_for(1500)
    page.get_by_role("link", name="Services").click()
    expect(card(page, "Speech to text")).to_contain_text("Healthy")
    silent = {
        "detail": "no answer",
        "code": "service_unavailable",
        "details": {"service": "health"},
    }
    for path in ("services", "deep-health", "hardware", "advice", "speech-models", "nim/catalog"):
        stage.replies["GET", f"/api/{path}"] = (503, silent)
    for _ in range(9):
        page.clock.run_for(6000)
        stage.tell("bus", {"connected": True, "detail": None})
    tile = card(page, "Speech to text")
    expect(tile).to_contain_text("Not known")
    expect(tile).not_to_contain_text("Healthy")
    expect(page.locator("services-panel")).to_contain_text(
        re.compile(r"The health checks do not answer\s*What is shown is from (\d+\ss|1\smin)")
    )
    expect(tile.get_by_role("button", name=re.compile("^Restart…"))).to_be_disabled()
    assert page.locator("services-panel :is(header, h2) .pill.ok").count() == 0


def test_what_services_say_of_themselves_is_text(page: Page, stage: Any, watched: Any) -> None:
    odd = watched.service(
        "kokoro", label=XSS, reason=XSS, state="degraded", version=XSS,
        container=ContainerView(name="kokoro", state="running", image=XSS, problem=XSS),
    )  # fmt: skip
    watched.say(stage, "services", watched.services(watched.service(), odd))
    watched.say(
        stage, "deep-health", watched.checks(watched.deep("kokoro", last={"sentence": XSS}))
    )
    services(page)
    expect(card(page, XSS)).to_contain_text("<img src=x")
    assert page.locator("services-panel img").count() == 0


def test_a_log_is_followed_and_its_end_is_told(page: Page, stage: Any) -> None:
    stage.replies["GET", "/api/services/parakeet/logs/stream"] = (200, (
        'event: lines\ndata: {"lines": ["first", "<b>second</b>"], "skipped": true}\n\n'
        'event: end\ndata: {"message": "followed for 15 minutes; ask again to go on"}\n\n'
    ))  # fmt: skip
    services(page)
    card(page, "Speech to text").get_by_role("button", name="Logs").click()
    dialog = page.get_by_role("dialog", name="Log of Speech to text")
    expect(dialog.get_by_role("log")).to_have_text(
        re.compile(r"more was written.*first.*<b>second", re.S)
    )
    expect(dialog).to_contain_text("followed for 15 minutes")
    expect(dialog.get_by_role("button", name="Follow again")).to_be_visible()


def test_our_files_are_put_back_step_by_step(page: Page, stage: Any, watched: Any) -> None:
    services(page)
    panel = page.get_by_role("region", name="Speech model files")
    expect(panel).to_contain_text("1 of 2 differs")
    stage.replies["POST", "/api/speech-models/reapply"] = (202, said(watched.speech_job()))
    watched.say(stage, "speech-models", watched.speech(job=watched.speech_job()))
    panel.get_by_role("button", name="Put our files back").click()
    page.get_by_role("dialog").get_by_role("button", name="Put back and restart").click()
    expect(panel).to_contain_text("Putting our speech files in place")
    expect(panel.get_by_role("button", name="Put our files back")).to_be_disabled()
    step: dict[str, Any] = {"job_id": "ours", "action": "reapply", "host": "spark1"}
    at = watched.now
    for n, word in enumerate(("copying", "checking"), 1):
        progress = OverlayProgress(**step, n=n, step=word, previous_step="accepted", at=at,
                                   message=f"now {word}", lines=["main.py: read"])  # fmt: skip
        stage.tell("overlay.progress", said(progress))
    now = panel.locator("[aria-current=step]")
    expect(now).to_contain_text("Check syntax")
    expect(panel).to_contain_text("Now checking.")
    watched.say(stage, "speech-models", watched.speech(state="in_sync", files=[]))
    end = OverlayComplete(**step, requested_by="Alice", outcome="complete", message="It runs.",
                          total_seconds=9.0, finished_at=at)  # fmt: skip
    stage.tell("overlay.complete", said(end))
    expect(panel.get_by_role("button", name="Put our files back")).to_be_enabled()


def test_an_installation_asks_for_a_key_and_forgets_it(
    page: Page, stage: Any, watched: Any
) -> None:
    services(page)
    page.get_by_role("button", name="Install a service").click()
    dialog = page.get_by_role("dialog", name="Install a service")
    expect(dialog.get_by_role("radio", name=re.compile("Llama 3.1 8B"))).to_be_checked()
    dialog.get_by_role("button", name="Install", exact=True).click()
    expect(dialog.get_by_label("NVIDIA key (NGC)")).to_be_focused()
    assert asked(stage, "POST", "/api/nim/install") == []
    stage.replies["POST", "/api/nim/install"] = (202, said(watched.installing()))
    watched.say(stage, "nim/catalog", watched.catalog(job=watched.installing()))
    dialog.get_by_label("NVIDIA key (NGC)").fill("nvapi-secret")
    dialog.get_by_role("button", name="Install", exact=True).click()
    expect(dialog).to_be_hidden()
    job = page.locator("care-job").filter(has_text="Installing llama-3-1-8b on Spark 2")
    expect(job).to_contain_text("4.0 GB of 10.0 GB")
    (body,) = asked(stage, "POST", "/api/nim/install")
    assert (body["entry"], body["ngc_api_key"]) == ("llama-3-1-8b", "nvapi-secret")
    assert page.evaluate("document.querySelector('#nim-key').value") == ""


def test_a_switch_changes_one_setting_and_shows_what_the_server_says(
    page: Page, stage: Any, watched: Any
) -> None:
    services(page)
    setting = {
        "name": "RESTARTS_SUGGESTED", "label": "x", "help": "", "group": "g", "kind": "list",
        "choices": [], "default": [], "value": ["kokoro"], "source": "owner", "is_set": False,
    }  # fmt: skip
    stage.replies["GET", "/api/settings"] = (
        200,
        {"version": 4, "settings": [setting], "warnings": []},
    )
    stage.replies["POST", "/api/settings"] = (200, {"version": 5, "settings": [], "warnings": []})
    switch = page.get_by_role("switch", name="Restart Speech to text by itself when it is stuck")
    expect(switch).to_be_checked()
    suggest = watched.deep(remedy={"mode": "suggest"})
    watched.say(stage, "deep-health", watched.checks(suggest))
    switch.press("Space")
    expect(switch).not_to_be_checked()
    (body,) = asked(stage, "POST", "/api/settings")
    assert body["values"] == {"RESTARTS_SUGGESTED": ["kokoro", "parakeet"]}
    assert body["version"] == 4


def test_up_and_down_is_a_strip_a_log_and_maintenance(page: Page, stage: Any, watched: Any) -> None:
    for path in ("webhooks", "webhooks/deliveries", "accountability", "dead-letters"):
        stage.replies["GET", f"/api/{path}"] = (404, {"detail": "none", "code": "not_found"})
    page.get_by_role("link", name="Activity").click()
    panel = page.get_by_role("region", name="Up and down, last 24 hours")
    strip = panel.get_by_role("img", name=re.compile("Spark 2: Once down for 21 min.*98.5 %"))
    expect(strip).to_be_visible()
    assert strip.locator(".down").count() == 1
    expect(panel).to_contain_text("not watched")
    stuck = panel.get_by_role("img", name=re.compile("Text to speech: No change; stuck for 2 min"))
    assert stuck.locator(".slow").count() == 1
    expect(panel).to_contain_text(
        re.compile(r"under maintenance, stuck for 2\smin, .*until a restart")
    )
    expect(panel).to_contain_text("announced by Bob: a new voice.")
    panel.get_by_role("button", name="Log…").click()
    log = page.get_by_role("dialog", name="Connectivity log")
    expect(log).to_contain_text("It does not answer over SSH. It lasted 21 min.")
    expect(log.get_by_role("row").filter(has_text="Stuck")).to_contain_text(
        "Two jobs in a row failed. It lasted 2 min, until a restart."
    )
    log.get_by_role("button", name="Down only").click()
    expect(log).to_contain_text("1 entry")
    page.keyboard.press("Escape")
    panel.get_by_role("button", name="Announce maintenance").click()
    form = page.get_by_role("dialog", name="Announce maintenance")
    form.get_by_label("Minutes").fill("0")
    form.get_by_role("button", name="Announce it").click()
    expect(form).to_contain_text("must be from 1 minute to a week")
    begun = said(watched.log().maintenance[0])
    stage.replies["POST", "/api/maintenance"] = (200, begun)
    form.get_by_label("Minutes").fill("30")
    form.get_by_label("Of what").select_option("kokoro")
    form.get_by_role("button", name="Announce it").click()
    expect(form).to_be_hidden()
    (body,) = asked(stage, "POST", "/api/maintenance")
    assert (body["target"], body["minutes"]) == ("kokoro", 30)
    stage.replies["DELETE", "/api/maintenance/w1"] = (200, {"windows": []})
    panel.get_by_role("button", name=re.compile("^End the maintenance of Text to speech")).click()
    expect(page.get_by_text("Maintenance is over")).to_be_visible()
