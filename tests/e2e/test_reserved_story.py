"""A reservation of the whole product: it binds requests, the home model returns, and it is told."""

import pytest

from spark_common.testing.later import Later

openai = Later("openai")

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

GEMMA, QWEN = "gemma-4-26b", "qwen3.6-35b-a3b"
LOCK = "/api/swap/lock"


def accounts(product):
    found = product.http.get("/api/accountability?days=2").raise_for_status().json()
    return {account["holder"]: account for account in found["holders"]}


def test_reserve_be_protected_give_back_and_be_accounted_for(starter, monkeypatch) -> None:
    monkeypatch.setenv("LEASE_BINDS_REQUESTS", "true")
    monkeypatch.setenv("HOME_MODEL", GEMMA)
    monkeypatch.setenv("HOME_IDLE_MINUTES", "0.1")
    product = starter.start()
    product.until("the menu", lambda: product.http.get("/api/models").raise_for_status())

    def take():
        answer = product.http.post(LOCK, json={"holder": "nightly batch", "ttl_seconds": 900})
        return answer.raise_for_status().json()["token"]

    headers = {"X-Swap-Lock-Token": product.until("the lease", take)}
    order = {"model": QWEN, "requested_by": "a script"}
    swap = product.http.post("/api/swap", json=order, headers=headers).raise_for_status().json()
    assert product.ended(swap["id"])["phase"] == "ready"

    client = openai.OpenAI(base_url=f"{product.url}/v1", api_key="none", max_retries=2)
    served = client.models.list().data[0].id
    messages = [{"role": "user", "content": "Say something."}]

    def refused():
        try:
            client.chat.completions.create(model="gpt-oss-120b", messages=messages, max_tokens=4)
        except openai.InternalServerError as error:
            return error if error.code == "gpu_reserved" else None
        except Exception:
            return None
        return None

    error = product.until("the reservation binds requests", refused)
    assert error.status_code == 503
    assert error.response.json()["reservation"]["holder"] == "nightly batch"
    for model in (served, served.upper(), QWEN):
        answer = product.http.post(
            "/v1/chat/completions", json={"model": model, "messages": messages, "max_tokens": 4}
        )
        assert "gpu_reserved" not in answer.text
    shown = product.sparkctl("home")
    assert f"{GEMMA} (waiting): nightly batch has the cluster" in shown.stdout, shown.stderr

    product.http.delete(LOCK, headers=headers).raise_for_status()
    product.until("the home model", lambda: product.loaded() == GEMMA, 120)
    product.until("its word", lambda: "loaded" in product.sparkctl("home").stdout)

    def told():
        found = accounts(product)
        return found if {"nightly batch", "home model"} <= set(found) else None

    found = product.until("the accounts", told)
    batch = found["nightly batch"]
    assert (batch["leases"], batch["swaps"]) == (1, 1)
    assert batch["held_minutes"] > 0
    assert batch["imposed_minutes"] > 0
    assert found["home model"]["swaps"] == 1
    assert "a script" not in found
    assert "nightly batch" in product.sparkctl("accountability").stdout
