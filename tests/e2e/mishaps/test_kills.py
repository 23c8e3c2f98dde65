"""Kill -9 in the middle of a swap: it ends ready, and the Spark's journal says started once."""

import json
import os
import time

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

QWEN, GPT, GEMMA = "qwen3.6-35b-a3b", "gpt-oss-120b", "gemma-4-26b"


def _next_model(product) -> str:
    loaded = product.loaded()
    return GEMMA if loaded != GEMMA else QWEN


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

    product.until("speech to work", lambda: worked(speech()), 120)
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

    def works() -> bool:
        body = {"requested_by": "Alice"}
        answer = product.http.post("/api/deep-health/parakeet/run", json=body)
        return worked(answer.raise_for_status().json())

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


# The last one: it ends what the others share.
def test_a_second_start_resumes_and_a_stop_leaves_nothing(product, starter) -> None:
    first = product
    view = first.ended(first.swap(QWEN, reload=True)["id"])
    assert view["phase"] == "ready"
    first.facts = json.loads((first.folder / "running.json").read_text())
    pids = list(first.facts["parts"].values())
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
