"""The first steps: from a key to a tested connection, by itself and when asked for."""

import pytest
from gateway_stand.survey import SURVEY, assert_sound
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

HOSTS = [
    {"name": f"spark{n}", "label": f"Spark {n}", "address": f"192.0.2.{n}", "user": "alice",
     "ssh_port": 22}
    for n in (1, 2)
]  # fmt: skip
ACCESS = {
    "public_key": "ssh-ed25519 AAAAC3Nz spark-control", "fingerprint": "SHA256:abc",
    "command": "umask 077; mkdir -p ~/.ssh", "problem": "", "hosts": HOSTS,
}  # fmt: skip


def tried(number: int, ok: bool) -> tuple[int, dict[str, object]]:
    login = {"step": "login", "ok": ok, "sentence": "It says <b>no</b>.", "action": "Paste it."}
    said = {"name": f"spark{number}", "label": f"Spark {number}", "ok": ok, "steps": [login]}
    return 200, {**said, "seconds": 0.2, "at": "2026-11-02T08:00:00Z"}


def test_the_guide_ends_with_a_tested_connection(visit, stage, scenes) -> None:
    never = [
        scenes.host(n, state="unreachable", seen_at=None, detail="It does not know our key.")
        for n in (1, 2)
    ]
    stage.snapshot = scenes.snapshot(scenes.menu(None, hosts=never))
    stage.replies["GET", "/api/access"] = (200, ACCESS)
    stage.replies["POST", "/api/access/spark1/test"] = tried(1, ok=False)
    stage.replies["POST", "/api/access/spark2/test"] = tried(2, ok=True)
    page = visit(bypass_csp=True, reduced_motion="reduce").page
    guide = page.locator("setup-guide")
    expect(guide.get_by_role("heading", name="Connect your Sparks")).to_be_visible()
    expect(guide).to_contain_text("SHA256:abc")
    guide.get_by_role("button", name="Copy ssh-ed25519").click()
    assert page.evaluate("navigator.clipboard.readText()") == ACCESS["public_key"]
    first = guide.get_by_role("button", name="Test the connection to Spark 1")
    first.focus()
    page.keyboard.press("Enter")
    expect(guide).to_contain_text("Spark 1 cannot be used yet")
    expect(guide).to_contain_text("It says <b>no</b>. Paste it.")
    expect(first).to_be_focused()
    assert_sound(page)
    stage.replies["POST", "/api/access/spark1/test"] = tried(1, ok=True)
    first.click()
    expect(guide).to_contain_text("Test Spark 2 too.")
    # The Sparks are seen meanwhile: the guide stays until the other one was tested.
    stage.tell("snapshot", scenes.snapshot(scenes.menu(None)))
    guide.get_by_role("button", name="Test the connection to Spark 2").click()
    expect(guide).to_contain_text("Both Sparks are connected")
    page.set_viewport_size({"width": 360, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    guide.get_by_role("link", name="Pick a model").click()
    expect(guide).to_be_hidden()
    page.goto(f"{stage.url}#setup")
    expect(page.locator("#guide-title")).to_be_focused()


def settings(**values: object) -> tuple[int, dict[str, object]]:
    listed = [{"name": name, "value": value} for name, value in values.items()]
    return 200, {"version": 1, "settings": listed, "warnings": []}


def test_an_app_is_told_this_address_and_the_loaded_model(visit, stage, scenes) -> None:
    stage.snapshot = scenes.snapshot()
    place = ("GET", "/api/settings")
    stage.replies[place] = settings(API_KEYS=True, OPEN_WEBUI_URL="https://chat.example/")
    listed = {"data": [{"id": "org/embedder", "kind": "embedding", "status": {"value": "loaded"}}]}
    page = visit(bypass_csp=True, reduced_motion="reduce").page
    page.route("**/v1/models", lambda route: route.fulfill(json=listed))
    chat = page.get_by_role("link", name="Open chat")
    expect(chat).to_have_attribute("href", "https://chat.example/")
    expect(chat).to_have_attribute("rel", "noopener noreferrer")
    guide = page.locator("client-guide")
    guide.get_by_text("Examples for your app").click()
    code = guide.get_by_role("region", name="Example for")
    guide.get_by_label("App", exact=True).select_option("langchain")
    expect(code).to_contain_text('model="org/embedder"')
    expect(code).to_contain_text(f'"base_url": "{stage.url}v1"')
    expect(code).to_contain_text("sk-spark-YOUR-KEY")
    expect(guide).to_contain_text("make one under Activity, API keys")
    guide.get_by_label("App", exact=True).select_option("curl")
    loaded = scenes.menu().runtime.served_name
    expect(code).to_contain_text(f'"model":"{loaded}"')
    guide.get_by_text("Say “auto” instead of the name").click()
    guide.get_by_role("button", name="Copy the example").click()
    expect(page.get_by_text("Copied")).to_be_visible()
    assert '"model":"auto"' in page.evaluate("navigator.clipboard.readText()")
    guide.get_by_text("All addresses").click()
    hero, connect = (
        page.locator("hero-card > .hero").bounding_box(),
        page.locator(".connect").bounding_box(),
    )
    assert hero["height"] < connect["height"], "an empty card as high as the list beside it"
    expect(guide.get_by_role("button", name=f"Copy {stage.url}v1/audio/speech")).to_be_visible()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate(SURVEY)["pale"] == []
        assert page.evaluate(SURVEY)["dangling"] == []
    page.set_viewport_size({"width": 360, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    # Nothing but a page is linked, whatever stands in the settings.
    stage.replies[place] = settings(API_KEYS=False, OPEN_WEBUI_URL="javascript:alert(1)")
    page.reload()
    expect(page.locator("client-guide")).to_contain_text("any word does")
    expect(page.get_by_role("link", name="Open chat")).to_have_count(0)
