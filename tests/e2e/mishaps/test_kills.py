"""Kill -9 in the middle of a swap: it ends ready, and the Spark's journal says started once.

The product starts in a folder of an older version, and is stopped and started at the end: whatever
happens to it, nothing of what it kept is lost.
"""

import json
import os
import signal
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

SPEED, UNHURRIED = 90.0, 10.0
QWEN, GPT, GEMMA = "qwen3.6-35b-a3b", "gpt-oss-120b", "gemma-4-26b"


def test_what_an_older_version_kept_is_all_there(left) -> None:
    settings = {one["name"]: one["value"] for one in left["settings"]["settings"]}
    assert settings["OPEN_WEBUI_URL"] == "http://192.0.2.7:3000"
    assert [one["name"] for one in left["keys"]["keys"]] == ["owner"]
    schedules = [one["schedule"] for one in left["schedule"]["schedules"]]
    assert {one["id"]: one["owner"] for one in schedules} == {"nightly": "Alice", "backup": "Bob"}
    assert [one["id"] for one in left["webhooks"]["targets"]] == ["n8n"]
    [owed] = left["webhooks/deliveries"]["deliveries"]
    assert (owed["event_id"], owed["state"]) == ("first:swap:outcome", "pending")
    assert [one["reason"] for one in left["maintenance"]["windows"]] == ["a new disk"]
    assert "comfyui" in [one["name"] for one in left["services"]["services"]]
    swap = left["swap/first"]
    assert (swap["phase"], swap["model"], swap["requested_by"]) == ("ready", "gemma-4-26b", "Alice")
    assert left["downloads/again"]["state"] == "complete"
    assert "--max-model-len=65536" in left["models/gpt-oss-120b/recipe"]["form"]["args"]
    assert "imported" in [one["key"] for one in left["models"]["models"]]
    paths = [one["path"] for one in left["requests"]["requests"]]
    assert paths == ["/v1/chat/completions"] * 4
    assert {one["holder"]: one["swaps"] for one in left["accountability"]["holders"]}["Alice"] == 1
    assert left["dead-letters"]["letters"] == []


def test_the_lease_of_an_older_version_is_held_and_ends_with_its_token(left) -> None:
    lease = left["swap/lock"]
    assert (lease["state"], lease["holder"], lease["epoch"]) == ("held", "nightly-batch", 1)
    assert 0 < lease["remaining_seconds"] < 86_400
    assert left["released"] == {"released": "lease", "holder": "nightly-batch", "epoch": 1}


def _next_model(product) -> str:
    loaded = product.loaded()
    return GEMMA if loaded != GEMMA else QWEN


SERVICES = ("gateway", "coordinator", "swapper", "health", "audio-proxy", "redaction")


@pytest.mark.parametrize("phase", ["preflight", "stopping", "loading"])
@pytest.mark.parametrize("part", ["swapper"])
def test_a_killed_swapper_is_restarted_and_settles(product, part: str, phase: str) -> None:
    _kill_in_the_middle(product, part, phase)


@pytest.mark.parametrize("part", ["nats", "redis", "gateway", "coordinator"])
def test_a_killed_neighbour_costs_no_swap(product, part: str) -> None:
    _kill_in_the_middle(product, part, "loading")


def _kill_in_the_middle(product, part: str, phase: str) -> None:
    model = _next_model(product)
    before = len(product.journal("runtime_launched"))
    with product.unhurried():
        swap_id = product.swap(model)["id"]
        _reached(product, swap_id, phase)
        product.kill(part)
    view = product.ended(swap_id, 120)
    assert view["phase"] == "ready", view["cause"]
    assert len(product.journal("runtime_launched")) == before + 1
    product.until(
        "the page to know it too",
        lambda: product.loaded() == model,
    )
    answer = product.http.post(
        "/v1/chat/completions",
        json={
            "model": product.http.get("/v1/models").json()["data"][0]["id"],
            "messages": [{"role": "user", "content": "hello"}],
            "max_tokens": 4,
        },
    )
    assert answer.status_code == 200, answer.text


def _reached(product, swap_id: str, phase: str) -> None:
    """Wait until the swap is in the phase, or past it when it went by between two looks."""
    order = ["queued", "preflight", "draining", "stopping", "launching", "loading", "warming"]
    later = order[order.index(phase) :]
    product.until(f"phase {phase}", lambda: product.view(swap_id)["phase"] in later)


def test_chat_goes_on_while_the_bus_and_the_record_are_dead(product) -> None:
    if product.loaded() is None:
        assert product.ended(product.swap(QWEN)["id"])["phase"] == "ready"
    served = product.http.get("/v1/models").json()["data"][0]["id"]
    body = {"model": served, "messages": [{"role": "user", "content": "x"}], "max_tokens": 2}
    product.kill("nats")
    product.kill("redis")
    until = time.monotonic() + 3
    answers = []
    while time.monotonic() < until:
        answers.append(product.http.post("/v1/chat/completions", json=body).status_code)
        time.sleep(0.02)
    assert set(answers) == {200}
    product.until(
        "swaps again", lambda: product.http.get("/api/status").json()["bus"]["connected"], 60
    )


def test_a_killed_health_restarts_what_is_stuck_once(product) -> None:
    """Killed between the decision and the restart, or just after it: the journal says once."""
    before = len(product.journal("container_restarted"))

    def restarts() -> int:
        return len(product.journal("container_restarted")) - before

    def decided() -> bool:
        lease = product.http.get("/api/swap/lock").json()
        return lease["holder"] == "health" or restarts() > 0

    def worked(service: dict) -> bool:
        return service["last"] is not None and service["last"]["state"] == "ok"

    def speech() -> dict:
        answer = product.http.get("/api/deep-health?service=parakeet").raise_for_status()
        return answer.json()["services"][0]

    def works() -> bool:
        body = {"requested_by": "Alice"}
        answer = product.http.post("/api/deep-health/parakeet/run", json=body)
        return worked(answer.raise_for_status().json())

    # Asked for: the latest one by the timer may have met a swap, and the next one is minutes away.
    product.until("speech to work", works, 120)
    product.behave("speech_wedge", "spark1")
    product.http.post("/api/deep-health/parakeet/run", json={"wait_seconds": 0})
    product.until("it to be stuck", lambda: product.journal("speech_wedged"), 120)
    product.behave("ok", "spark1")
    product.until("the decision", decided, 120)
    product.kill("health")
    product.until("the restart", lambda: restarts() == 1, 120)

    def settled() -> bool:
        seen = speech()
        assert seen["remedy"]["state"] == "quiet", seen["remedy"]
        return True

    product.until("it to be told", settled, 120)

    product.until("speech to work again", works, 120)
    assert restarts() == 1
    assert speech()["remedy"]["restarts"] == 1
    product.until(
        "nobody to hold the cluster any more",
        lambda: product.http.get("/api/swap/lock").json()["state"] == "free",
        120,
    )


def test_a_taken_port_is_one_clear_line(product) -> None:
    port = product.url.rsplit(":", 1)[1]
    ended = product.sparkctl("demo", "--run-dir", str(product.folder / "other"), "--port", port)
    assert ended.returncode == 1
    lines = [line for line in ended.stderr.splitlines() if line.strip()]
    assert any(f":{port} is taken" in line for line in lines)
    assert "Traceback" not in ended.stderr


def test_a_swap_in_flight_ends_on_the_spark_while_nothing_of_ours_runs(product) -> None:
    """All of it but the Sparks stops in order, is away, and adopts the model at the next start."""
    before, well = (len(product.journal(f"runtime_{kind}")) for kind in ("launched", "ready"))
    product.pace(UNHURRIED)
    swap_id = product.swap(_next_model(product))["id"]
    _reached(product, swap_id, "loading")
    said = len(product.said())
    product.facts = json.loads((product.folder / "running.json").read_text())
    ours = {name: pid for name, pid in product.facts["parts"].items() if name != "two Sparks"}
    # Who would start them again sleeps meanwhile.
    product.process.send_signal(signal.SIGSTOP)
    try:
        for pid in ours.values():
            os.kill(pid, signal.SIGTERM)
        product.until("all to end", lambda: all(_ended(pid) for pid in ours.values()))
        product.pace(SPEED)
        product.until("the Spark to go on", lambda: product.journal("runtime_ready")[well:])
    finally:
        product.process.send_signal(signal.SIGCONT)
    again = datetime.now(UTC)
    view = product.ended(swap_id, 120)
    assert view["phase"] == "ready", view["cause"]
    assert datetime.fromisoformat(view["phases"][-1]["at"]) > again
    assert len(product.journal("runtime_launched")) == before + 1
    for name in ours.keys() - {"nats", "redis"}:
        line = next(one for one in product.said()[said:].splitlines() if f" {name} " in one)
        assert "exit code 0" in line


def _ended(pid: int) -> bool:
    """Whether it is gone, though sparkctl took no notice of it yet."""
    try:
        return _stat(pid)[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def _stat(pid: int) -> list[str]:
    """Return the state of a process, the number of its parent, and more."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


# The last one: it ends what the others share.
def test_a_second_start_resumes_and_a_stop_leaves_nothing(product, starter) -> None:
    first = product
    view = first.ended(first.swap(QWEN, reload=True)["id"])
    assert view["phase"] == "ready"
    first.facts = json.loads((first.folder / "running.json").read_text())
    nursery = first.facts["nursery"]
    # Also those that were killed and started again share what one process has read.
    assert {int(_stat(first.pid(part))[1]) for part in SERVICES} == {nursery}
    pids = [*first.facts["parts"].values(), nursery]
    assert first.stop() == 0
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    second = starter.start(again=first)
    assert second.view(view["id"])["phase"] == "ready"
    assert second.http.get("/api/swap").json()["recent"][0]["id"] == view["id"]
    second.until(
        "the model that was loaded",
        lambda: second.loaded() == QWEN,
    )
