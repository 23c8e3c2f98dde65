"""Loads that fail say why in plain English, and the next good swap works."""

import contextlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

QWEN, GPT = "qwen3.6-35b-a3b", "gpt-oss-120b"


@pytest.mark.parametrize(
    ("behaviour", "says", "shows", "waits"),
    [
        ("oom_on_load", "memory", "", True),
        ("bad_flag", "arguments", "unrecognized arguments", False),
        ("hang", "said nothing", "", False),
    ],
)
def test_a_bad_load_says_why_and_the_next_one_works(
    product, behaviour: str, says: str, shows: str, waits: bool
) -> None:
    product.behave("ok")
    if product.loaded() != GPT:
        assert product.ended(product.swap(GPT)["id"])["phase"] == "ready"
    product.behave(behaviour)
    try:
        with ThreadPoolExecutor() as pool:
            with product.unhurried() if waits else contextlib.nullcontext():
                view = product.swap(QWEN)
                told = pool.submit(who_waits_hears, product, view["id"]) if waits else None
                if waits:
                    product.until("it waits", lambda: held(product))
            failed = product.ended(view["id"])
    finally:
        product.behave("ok")
    assert failed["phase"] == "failed"
    cause = failed["cause"]
    if told is not None:
        error = told.result()
        assert error["code"] == "model_load_failed"
        assert cause["sentence"].rstrip(".") in error["message"]
    assert says in cause["sentence"].lower()
    assert cause["action"]
    assert any(shows in line for line in cause["evidence"]) or not shows
    assert "Traceback" not in cause["sentence"]
    good = product.ended(product.swap(QWEN)["id"])
    assert good["phase"] == "ready", good["cause"]


def held(product) -> bool:
    """Whether the gateway holds a request."""
    return "spark_gateway_held_now 1.0" in product.http.get("/metrics").raise_for_status().text


def who_waits_hears(product, swap_id: str) -> dict:
    """What a request is told that waits for a model whose load goes wrong."""
    product.in_phase(swap_id, "loading")
    answer = product.http.post("/v1/chat/completions", json={"model": QWEN}, timeout=90)
    assert answer.status_code == 503
    return answer.json()["error"]


def test_an_unreachable_spark_is_a_state_and_not_a_stack_trace(product) -> None:
    product.behave("ok")
    since = datetime.now(UTC)
    product.behave("unreachable", "spark1")
    try:
        answer = product.http.post("/api/swap", json={"model": GPT})
        if answer.status_code == 202:
            failed = product.ended(answer.json()["id"])
            assert failed["phase"] == "failed"
            text = failed["cause"]["sentence"]
        else:
            assert answer.status_code in (409, 503)
            text = answer.json()["detail"]
        assert "Spark 1" in text or "spark1" in text
        hosts = product.until(
            "spark1 shown as unreachable",
            lambda: [
                host
                for host in product.http.get("/api/models?refresh=true").json()["hosts"]
                if host["name"] == "spark1" and host["state"] == "unreachable"
            ],
            60,
        )
        assert hosts[0]["detail"]
        assert "Error" not in hosts[0]["detail"]
    finally:
        product.behave("ok", "spark1")
    product.until(
        "spark1 online again",
        lambda: (
            {h["state"] for h in product.http.get("/api/models?refresh=true").json()["hosts"]}
            == {"online"}
        ),
        90,
    )
    target = QWEN if product.loaded() != QWEN else GPT
    assert product.ended(product.swap(target)["id"])["phase"] == "ready"
    # One fault is one change: what runs on a Spark that is away has none of its own.
    log = product.http.get("/api/connectivity").json()["transitions"]
    own = [one for one in log if datetime.fromisoformat(one["since"]) > since]
    assert {one["target"] for one in own} <= {"spark1"}
    assert len(own) <= 2


def test_a_changed_host_key_is_refused_with_what_to_do(product) -> None:
    product.behave("ok")
    product.loaded()
    product.behave("changed_host_key", "spark2")
    try:
        host = product.until(
            "the new key to be refused",
            lambda: next(
                (
                    host
                    for host in product.http.get("/api/models?refresh=true").json()["hosts"]
                    if host["name"] == "spark2" and host["state"] == "unreachable"
                ),
                None,
            ),
            60,
        )
        assert "key" in host["detail"]
        assert "known_hosts" in host["detail"]
        known = (product.folder / "known_hosts").read_text()
    finally:
        product.behave("ok", "spark2")
    assert (product.folder / "known_hosts").read_text() == known
