"""The reservation, settings and microphone in a real browser, before the whole product."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from gateway_stand.axe import Axe
from gateway_stand.planting import marked, unseen
from gateway_stand.sowing import Sower
from gateway_stand.strange_qdrant import strange_qdrant
from places import PLACES, press_wherever
from playwright.sync_api import Browser, Page, expect

from spark_sim.speakclock.mixing import in_a_row, mixed
from spark_sim.speakclock.sound_files import Kind, encoded

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.timeout(240)]

ARTIFACTS = Path(__file__).parents[2] / "artifacts"
STILL, SPEED = 2.0, 90.0
"""How many times faster the Sparks' seconds pass: while something is looked at, and else."""


def opened(browser: Browser, product) -> Page:
    """One reader of their own: nothing is shared with the next one."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.set_default_timeout(60_000)
    page.goto(product.url)
    expect(page.get_by_role("button", name="Reserve…")).to_be_visible(timeout=60_000)
    return page


def ask_for_it(page: Page, press: str, who: str, minutes: str = "5") -> None:
    page.get_by_role("button", name=press).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Who reserves").fill(who)
    dialog.get_by_label("For how many minutes").fill(minutes)
    dialog.get_by_role("button", name=press.rstrip("…"), exact=True).click()
    expect(dialog).to_be_hidden()


def test_two_readers_share_the_sparks(browser: Browser, product) -> None:
    product.behave("ok")
    if product.loaded() == "qwen3.6-35b-a3b":
        product.ended(product.swap("gpt-oss-120b")["id"])
    alice, bob = opened(browser, product), opened(browser, product)
    theirs, ours = bob.locator("lock-banner"), alice.locator("lock-banner")
    ask_for_it(alice, "Reserve…", "Alice")
    expect(ours).to_contain_text("Reserved by you until")
    expect(theirs).to_contain_text("Reserved by Alice until")
    card = bob.get_by_role("article").filter(has_text="Qwen3.6 35B A3B")
    expect(card.get_by_role("button", name="Switch to this")).to_be_disabled()
    expect(card).to_contain_text(re.compile(r"Reserved until (\d+ \w+ )?\d\d:\d\d"))

    theirs.get_by_role("button", name="Ask to release by").click()
    polite = bob.get_by_role("dialog")
    polite.get_by_label("Who asks").fill("Bob")
    polite.get_by_label("A word with it").fill("for a demo")
    polite.get_by_role("button", name="Ask", exact=True).click()
    expect(ours).to_contain_text("Bob asks to release it")

    ask_for_it(bob, "Stand in line…", "Bob")
    expect(theirs).to_contain_text("1. Bob (this page)")
    expect(ours).to_contain_text("1. Bob")
    alice.reload()
    expect(ours).to_contain_text("Reserved by you until")
    alice.screenshot(path=ARTIFACTS / "reserved.png")
    ours.get_by_role("button", name="Release…").click()
    alice.get_by_role("dialog").get_by_role("button", name="Release it").click()
    expect(theirs).to_contain_text("Reserved by you until", timeout=60_000)
    expect(ours).to_contain_text("Reserved by Bob until")

    bob.get_by_role("article").filter(has_text="Qwen3.6 35B A3B").get_by_role(
        "button", name="Switch to this"
    ).click()
    bob.get_by_role("dialog").get_by_role("button", name="Load it now").click()
    expect(card).to_contain_text("Serving now", timeout=90_000)
    ours.get_by_role("button", name="Release…").click()
    alice.get_by_role("dialog").get_by_role("button", name="End it now").click()
    expect(bob.get_by_text("decided over your reservation")).to_be_visible()
    expect(ours).to_be_hidden(timeout=60_000)
    expect(bob.get_by_role("button", name="Reserve…")).to_be_visible()


def test_a_schedule_is_added_runs_and_is_taken_off(browser: Browser, product) -> None:
    product.behave("ok")
    page = opened(browser, product)
    page.get_by_role("link", name="Schedule").click()
    expect(page.get_by_text("Nothing is planned yet")).to_be_visible()
    page.get_by_role("button", name="Add…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Id").fill("often")
    dialog.get_by_label("Name").fill("Load it often")
    dialog.get_by_label("What happens").select_option("swap")
    dialog.get_by_label("Model").select_option(label="gpt-oss 120B")
    dialog.get_by_label("Cron expression").fill("every day")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("status")).to_contain_text("five fields")
    dialog.get_by_label("Cron expression").fill("* * * * *")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("status")).to_contain_text(
        re.compile(r"Saved\. Next: (to(day|morrow) \d\d:\d\d(, |\.)){3}")
    )
    page.screenshot(path=ARTIFACTS / "scheduled.png")
    dialog.get_by_role("button", name="Done").click()
    row = page.get_by_role("row").filter(has_text="Load it often")
    expect(row).to_contain_text("spark-control")
    expect(row).to_contain_text("* * * * *")
    # What is due in seconds instead of a minute; an open page hears of the change.
    [entry] = product.http.get("/api/schedule").json()["schedules"]
    soon = (datetime.now(UTC) + timedelta(seconds=3)).isoformat()
    once = {**entry["schedule"], "cron": None, "at": soon}
    product.http.post("/api/schedule", json=once).raise_for_status()
    expect(row).to_contain_text("once")
    expect(row).to_contain_text("Done", timeout=60_000)
    row.get_by_role("button", name="Edit").click()
    dialog.get_by_text("How it went").click()
    expect(dialog.get_by_role("listitem").first).to_contain_text("Done")
    page.screenshot(path=ARTIFACTS / "ran.png")
    page.keyboard.press("Escape")
    page.screenshot(path=ARTIFACTS / "schedule.png", full_page=True)
    row.get_by_role("button", name="Remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Take it off").click()
    expect(row).to_be_hidden()
    assert product.http.get("/api/schedule").json() == {"schedules": []}


def test_settings_are_changed_exported_and_taken_in_again(
    browser: Browser, product, tmp_path: Path
) -> None:
    page = opened(browser, product)
    page.get_by_role("button", name="Settings", exact=True).click()
    dialog = page.get_by_role("dialog", name="Settings")
    port = dialog.locator("[data-field=VLLM_CONTAINER]")
    expect(port).to_be_visible()
    page.screenshot(path=ARTIFACTS / "settings.png")
    port.get_by_role("textbox").fill("another_name")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("status")).to_contain_text("Saved.")
    expect(port).to_contain_text("Yours")
    secret = dialog.locator("[data-field=NGC_API_KEY]")
    secret.get_by_role("button", name="Set…").click()
    secret.get_by_label("NGC").fill("nvapi-of-tests")
    dialog.get_by_role("button", name="Save").click()
    expect(secret).to_contain_text("Saved")
    dialog.get_by_role("button", name="Export and import").click()
    transfer = page.get_by_role("dialog", name="Export and import")
    transfer.get_by_label("Passphrase", exact=True).fill("correct horse battery")
    with page.expect_download() as download:
        transfer.get_by_role("button", name="Export to a file").click()
    path = tmp_path / "state.json"
    download.value.save_as(path)
    assert "nvapi-of-tests" not in path.read_text()
    product.http.post("/api/settings", json={"values": {"VLLM_CONTAINER": None}}).raise_for_status()
    transfer.get_by_label("File", exact=True).set_input_files(path)
    transfer.get_by_label("Passphrase of the file").fill("correct horse battery")
    transfer.get_by_role("button", name="Import…").click()
    sure = page.get_by_role("dialog", name="Take in")
    change = sure.get_by_role("row").filter(has_text="VLLM_CONTAINER")
    expect(change).to_contain_text("not set → another_name")
    page.screenshot(path=ARTIFACTS / "restore.png")
    sure.get_by_role("button", name="Take it in").click()
    expect(transfer.get_by_role("status")).to_contain_text("Taken in: 1 setting", timeout=60_000)
    transfer.get_by_role("button", name="Close", exact=True).last.click()
    port.get_by_role("button", name="Use the environment's instead").click()
    dialog.get_by_role("button", name="Save").click()
    expect(port).not_to_contain_text("Yours")
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Activity").click()
    expect(page.get_by_role("heading", name="Who had the Sparks")).to_be_visible()
    page.screenshot(path=ARTIFACTS / "activity.png")


@pytest.mark.timeout(600)
def test_nobody_is_shut_out_anywhere(browser: Browser, product) -> None:
    product.behave("ok")
    page = browser.new_context(bypass_csp=True, reduced_motion="reduce").new_page()
    page.set_default_timeout(60_000)
    axe = Axe(page)
    dialog = page.locator("dialog[open]")
    found: list[str] = []
    page.goto(product.url)
    few, filtered = page.get_by_label("Find a model"), "Qwen3"
    few.fill(filtered)
    product.http.post("/api/swap/lock", json={"holder": "Alice"}).raise_for_status()
    for place, openers in PLACES.items():
        page.goto(f"{product.url}/{place}")  # what follows a # loads nothing again
        expect(page.get_by_role("heading", level=1).first).to_be_visible()
        if place == "#home":
            few.fill("")  # every card, and what stays around everything
            expect(page.get_by_role("article", name="SmolLM3-3B")).to_be_visible()
            found += axe.in_both_themes("html")
            few.fill(filtered)
        else:
            found += axe.in_both_themes("main" if place.startswith("#") else "html")
        for opener, inner in openers:
            press_wherever(page, opener)
            expect(dialog).to_have_count(1)
            found += axe.of_dialog()
            for press in inner:
                page.get_by_role("dialog").get_by_role("button", name=press).click()
                expect(dialog).to_have_count(2)
                found += axe.of_dialog()
            for left in reversed(range(1 + len(inner))):
                page.keyboard.press("Escape")
                expect(dialog).to_have_count(left)
        if place == "#schedule":
            product.http.delete("/api/swap/lock?force=true").raise_for_status()
    assert found == []


def test_an_owner_meets_what_can_go_wrong(browser: Browser, product) -> None:
    product.behave("ok")
    if product.loaded() != "gpt-oss-120b":
        assert product.ended(product.swap("gpt-oss-120b")["id"])["phase"] == "ready"
    page = opened(browser, product)
    main = page.locator("main")

    card = page.get_by_role("article").filter(has_text="Qwen3.6 35B A3B")
    with product.unhurried():
        product.behave("oom_on_load")
        card.get_by_role("button", name="Switch to this").click()
        sure = page.get_by_role("dialog")
        expect(sure.get_by_label("Bring gpt-oss 120B back if it fails")).to_be_checked()
        sure.get_by_role("button", name="Switch now").click()
        swap = product.until("the swap", lambda: product.http.get("/api/swap").json()["current"])
        product.in_phase(swap["id"], "rolling_back", 90)
        product.behave("ok")
        expect(page.locator("swap-panel")).to_contain_text("gpt-oss 120B is being loaded again")
    failure = page.get_by_role("region", name="Qwen3.6 35B A3B did not start")
    expect(failure).to_contain_text(re.compile("memory", re.IGNORECASE), timeout=90_000)
    expect(failure).to_contain_text("gpt-oss 120B was brought back")
    expect(failure.get_by_label("Decisive log lines")).to_contain_text("{}")
    expect(page.get_by_role("heading", level=1)).to_contain_text("gpt-oss 120B")
    failure.get_by_text("Full log").click()
    expect(failure.get_by_role("region", name="Log of the swap")).to_contain_text("safetensors")
    page.screenshot(path=ARTIFACTS / "rolled-back.png")
    failure.get_by_role("button", name="Try again").click()
    page.get_by_role("dialog").get_by_role("button", name=re.compile("Load it|Switch")).click()
    expect(card).to_contain_text("Serving now", timeout=90_000)

    unused = page.get_by_role("article").filter(has_text="SmolLM3-3B")
    unused.get_by_text(re.compile("More for")).or_(unused.locator("summary")).first.click()
    unused.get_by_role("button", name=re.compile("Delete")).click()
    page.get_by_role("dialog").get_by_role("button", name=re.compile(r"Delete \d")).click()
    expect(unused).to_be_hidden(timeout=60_000)

    product.behave("unreachable", "spark2")
    spark = page.get_by_role("article", name="Spark 2")
    expect(spark).to_contain_text("Cannot be reached", timeout=90_000)
    expect(page.get_by_role("banner").get_by_role("status")).not_to_contain_text("All well")
    product.behave("ok", "spark2")
    expect(spark).to_contain_text("Online", timeout=90_000)
    expect(main).to_contain_text("Now serving")


def test_two_people_are_recorded_and_told_apart(
    browser: Browser, product, microphone: Path
) -> None:
    alice = in_a_row("Good morning Bob, is the kettle on?", 0)
    bob = in_a_row("It sings already.", 3, start=alice[-1].end + 0.4)
    microphone.write_bytes(encoded(Kind.WAV, mixed([*alice, *bob], bob[-1].end + 1.0)))
    page = opened(browser, product)
    page.get_by_role("link", name="Speech").click()
    page.get_by_role("button", name="Record", exact=True).click()
    expect(page.get_by_text("Recording, 0:08.")).to_be_visible()
    page.get_by_role("button", name="Stop and transcribe").click()
    blocks = page.locator(".transcript > li")
    for words in ("the kettle on?", "sings already."):
        expect(blocks.filter(has_text=words).first).to_be_visible(timeout=60_000)
    voices = [
        blocks.filter(has_text=words).first.evaluate(
            "item => [item.dataset.voice, getComputedStyle(item).borderInlineStartColor]"
        )
        for words in ("the kettle on?", "sings already.")
    ]
    assert [voice for voice, _ in voices] == ["1", "2"]
    assert voices[0][1] != voices[1][1]


def test_a_download_is_left_found_again_cancelled_and_finished(browser: Browser, product) -> None:
    product.behave("ok")
    page = opened(browser, product)
    product.pace(STILL)
    page.get_by_role("button", name="Download a model…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name on Hugging Face").fill("Qwen/Qwen3-4B-Instruct-2507")
    dialog.get_by_label("Spark 2").check()
    expect(dialog).to_contain_text("You can cancel and go on later")
    dialog.get_by_role("button", name="Download").click()
    box = page.locator("download-list")
    expect(box).to_contain_text(re.compile(r"GB of 8\.1.GB · .+/s · about .+ left"))
    page.close()
    page = opened(browser, product)
    expect(box := page.locator("download-list")).to_contain_text(
        "Qwen3-4B-Instruct-2507 to Spark 2"
    )
    expect(box.get_by_role("progressbar")).to_have_attribute("value", re.compile(r"\d"))
    box.get_by_role("button", name="Cancel…").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel the download").click()
    expect(box).to_be_hidden()
    card = page.get_by_role("article", name="Qwen3-4B-Instruct-2507")
    expect(card).to_contain_text("Half downloaded")
    page.screenshot(path=ARTIFACTS / "half.png")
    product.pace(SPEED)
    card.get_by_role("button", name="Resume download").click()
    setup = page.get_by_role("dialog", name="Set up Qwen3-4B-Instruct-2507")
    expect(setup.get_by_label("Name on the card")).to_have_value("Qwen3-4B-Instruct-2507")
    page.keyboard.press("Escape")
    expect(card).to_contain_text("Needs setup")


def test_speech_that_is_stuck_is_restarted_and_says_so(browser: Browser, product) -> None:
    product.behave("ok")
    page = opened(browser, product)
    page.get_by_role("link", name="Services").click()
    tile = page.get_by_role("article", name="Speech to text", exact=True)
    expect(tile).to_contain_text("Healthy")
    product.behave("speech_wedge", "spark1")
    tile.get_by_role("button", name="Check Speech to text").click()
    product.until("it to be stuck", lambda: product.journal("speech_wedged"))
    product.behave("ok", "spark1")
    expect(tile).to_contain_text("stuck: two jobs in a row failed with a fault of the GPU")
    expect(tile).to_contain_text("1 of 3 used in the last 30 min")
    page.screenshot(path=ARTIFACTS / "stuck.png")
    expect(tile).to_contain_text("It was restarted; the next check says whether that helped")

    def healthy() -> bool:
        tile.get_by_role("button", name="Check Speech to text").click()
        return "Healthy" in tile.inner_text()

    product.until("it to work again", healthy, 120)
    expect(tile).to_contain_text("Restarted itself once in 30 min")
    page.get_by_role("link", name="Activity").click()
    strip = page.get_by_role("img", name=re.compile("^Speech to text: .*stuck for .*Up 100"))
    expect(strip.locator(".slow")).to_have_count(1)


def test_words_of_others_stay_words_on_every_page(browser: Browser, product) -> None:
    product.behave("ok")
    sower = Sower(product.http, product.folder / "sparks")
    fields = sower.recipe() | {"by"}
    page = opened(browser, product)
    product.pace(STILL)
    swap = product.swap("sown", requested_by=marked("by"))
    expect(page.get_by_role("log", name="Live log")).to_contain_text("</script>line")
    product.pace(SPEED)
    assert product.ended(swap["id"])["phase"] == "ready"
    fields |= sower.disks() | sower.upstream() | sower.callers()
    product.pace(STILL)
    fields |= sower.download(product.until)
    dialog = page.get_by_role("dialog")

    def go(tab: str, part: str, word: str) -> None:
        page.get_by_role("link", name=tab, exact=True).click()
        expect(page.locator(part)).to_contain_text(f"</script>{word}")

    def templates() -> None:
        page.locator(".section-head .more > summary").click()
        page.get_by_role("button", name="Import a recipe").click()
        expect(dialog).to_contain_text("</script>title")

    def reports() -> None:
        page.get_by_role("button", name="Log…").click()
        expect(dialog).to_contain_text("</script>source")

    def fetched() -> None:
        page.locator("download-list").get_by_role("button", name="Log…").click()
        expect(dialog).to_contain_text("</script>fetched")

    def close() -> None:
        page.keyboard.press("Escape")

    places = [
        lambda: go("Home", "update-banner", "commit"), templates, close, fetched, close,
        lambda: go("Activity", "key-list", "key"), reports, close,
        lambda: go("Schedule", "schedule-panel", "schedule"),
    ]  # fmt: skip
    spark2 = product.arguments[product.arguments.index("--spark2") + 1]
    with strange_qdrant(spark2) as port:
        fields |= sower.collections(port)
        assert unseen(page, fields, places) == set()
    product.http.post("/api/settings", json={"values": {"QDRANT_PORT": None}}).raise_for_status()
    product.pace(SPEED)
