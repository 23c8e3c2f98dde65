"""The story of the README: a stranger swaps a model, by every door, and talks to it."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor

import httpx
import nats
import pytest

from spark_common.testing.later import Later

openai = Later("openai")

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

QWEN, GPT, GEMMA = "qwen3.6-35b-a3b", "gpt-oss-120b", "gemma-4-26b"


def test_the_menu_is_what_is_on_the_disks(product) -> None:
    def look():
        menu = product.http.get("/api/models").raise_for_status().json()
        return menu if {h["state"] for h in menu["hosts"]} == {"online"} else None

    menu = product.until("both Sparks online", look)
    states = {model["key"]: model["state"] for model in menu["models"]}
    assert states[QWEN] == states[GPT] == states[GEMMA] == "ready"
    assert "needs_setup" in states.values()
    assert states["llama-4-scout"] in ("incomplete", "downloading")


def test_a_swap_by_api_tells_every_phase_and_then_serves(product) -> None:
    view = product.swap(QWEN)
    seen, last_id, listed_as = [], None, set()
    with product.http.stream("GET", f"/api/swap/{view['id']}/stream", timeout=90) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        for line in stream.iter_lines():
            if line.startswith("id: "):
                last_id = line[4:]
            if line.startswith("data: "):
                body = json.loads(line[6:])
                if body.get("previous_phase") is not None or body.get("total_seconds"):
                    seen.append(body.get("phase", "outcome"))
                    entry = product.http.get(f"/v1/models/{QWEN}").json()
                    listed_as.add(entry["status"]["value"])
    assert {"loading", "loaded"} <= listed_as
    phases = ["preflight", "draining", "stopping", "launching", "loading", "warming", "outcome"]
    assert seen == phases
    assert product.view(view["id"])["phase"] == "ready"
    assert last_id is not None
    again = product.http.get(
        f"/api/swap/{view['id']}/stream", headers={"last-event-id": last_id}, timeout=10
    )
    assert again.status_code == 204

    listed = product.http.get("/v1/models").json()
    served = listed["data"][0]["id"]
    answer = product.http.post(
        "/v1/chat/completions",
        json={"model": served, "messages": [{"role": "user", "content": "hello"}], "max_tokens": 8},
    )
    assert answer.status_code == 200
    assert answer.json()["choices"][0]["message"]["role"] == "assistant"


def test_the_official_client_talks_to_what_is_loaded(product) -> None:
    if product.loaded() is None:
        assert product.ended(product.swap(QWEN)["id"])["phase"] == "ready"
    client = openai.OpenAI(base_url=f"{product.url}/v1", api_key="none", max_retries=0)
    served = client.models.list().data[0].id
    messages = [{"role": "user", "content": "Say something."}]
    whole = client.chat.completions.create(model=served, messages=messages, max_tokens=8)
    assert whole.usage.completion_tokens > 0
    stream = client.chat.completions.create(
        model=served,
        messages=messages,
        max_tokens=8,
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    assert len(chunks) > 3
    assert chunks[-1].usage.completion_tokens == 8
    client.close()


async def test_a_swap_by_event_from_any_nats_client(product) -> None:
    connection = await nats.connect(
        product.facts["nats"],
        nkeys_seed=product.facts["automation_seed_file"],
        inbox_prefix="_INBOX_automation",
    )
    outcomes: asyncio.Queue[dict] = asyncio.Queue()

    async def heard(message) -> None:
        await outcomes.put(json.loads(message.data))

    await connection.subscribe("swap.complete", cb=heard)
    await connection.subscribe("swap.failed", cb=heard)
    await connection.flush()
    await connection.publish(
        "swap.requested", json.dumps({"model": GEMMA, "requested_by": "nightly"}).encode()
    )
    told = await asyncio.wait_for(outcomes.get(), 90)
    await connection.close()
    assert told["specversion"] == "1.0"
    assert told["type"] == "spark.swap.complete.v1"
    assert (told["data"]["model"], told["data"]["requested_by"]) == (GEMMA, "nightly")


def test_a_swap_by_command_line(product) -> None:
    target = QWEN if product.loaded() != QWEN else GPT
    ended = product.sparkctl("swap", target, "--follow")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "ready after" in ended.stdout
    assert target in product.sparkctl("status").stdout
    assert f"* {target}" in " ".join(product.sparkctl("models").stdout.split())


def test_an_unknown_model_names_what_comes_close(product) -> None:
    answer = product.http.post("/api/swap", json={"model": "qwen3.6-35b"})
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (404, "unknown_model")
    assert QWEN in problem["details"]["near"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b'{"model": 7}', 422),
        (b'{"modle": "x"}', 422),
        (b'{"model": "x", "secret-value-1": 1}', 422),
        (b'{"model": "' + b"x" * 2_000_000 + b'"}', 413),
    ],
)
def test_bad_input_is_a_problem_without_echo(product, body: bytes, status: int) -> None:
    answer = product.http.post(
        "/api/swap", content=body, headers={"content-type": "application/json"}
    )
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert "xxxxxxxx" not in answer.text
    assert "pydantic" not in answer.text.lower()


def test_during_a_swap_who_asks_for_what_comes_waits_and_others_come_back(product) -> None:
    product.behave("slow")
    loaded = product.loaded()
    target = GEMMA if loaded != GEMMA else QWEN
    view = product.swap(target)
    product.in_phase(view["id"], "loading")

    def ask(model: str) -> httpx.Response:
        body = {"model": model, "messages": []}
        return product.http.post("/v1/chat/completions", json=body, timeout=90)

    with ThreadPoolExecutor() as pool:
        held = [pool.submit(ask, model) for model in (target, "auto")]
        product.until("both are held", lambda: "spark_gateway_held_now 2.0" in metrics(product))
        answer = ask(GPT)
        body = answer.json()
        assert answer.status_code == 503
        assert 0 < int(answer.headers["retry-after"]) <= 60
        assert answer.headers["x-should-retry"] == "true"
        assert body["error"]["code"] == "model_loading"
        assert body["loading"]["swap_id"] == view["id"]
        second = product.http.post("/api/swap", json={"model": GPT})
        assert (second.status_code, second.json()["code"]) == (409, "swap_in_progress")
        cancelled = product.http.delete(f"/api/swap/{view['id']}")
        assert cancelled.status_code == 202
        assert product.ended(view["id"])["phase"] == "cancelled"
        for each in held:
            answer = each.result()
            assert answer.status_code == 503
            assert answer.headers["x-should-retry"] == "false"
            assert answer.json()["error"]["code"] == "model_load_cancelled"


def test_requests_bring_their_model_once_for_all_of_them(product) -> None:
    values = {"SWAP_ON_DEMAND": True, "ON_DEMAND_STAY_MINUTES": 0}
    product.http.post("/api/settings", json={"values": values}).raise_for_status()
    target = GPT if product.loaded() != GPT else QWEN
    client = openai.OpenAI(base_url=f"{product.url}/v1", api_key="none", max_retries=0)
    messages = [{"role": "user", "content": "Say something."}]

    def ask(stream: bool) -> str:
        try:
            answer = client.chat.completions.create(
                model=target, messages=messages, max_tokens=8, stream=stream
            )
        except openai.APIStatusError as refused:
            # The setting is live within two seconds.
            if refused.code != "model_not_loaded":
                raise
            return ""
        return list(answer)[-1].model if stream else answer.model

    before = swaps_on_demand(product)
    with ThreadPoolExecutor() as pool:
        answers = list(
            pool.map(
                lambda stream: product.until("an answer", lambda: ask(stream)),
                [False, True, False],
            )
        )
    assert len(set(answers)) == 1
    (swap,) = [each for each in swaps_on_demand(product) if each not in before]
    assert product.view(swap)["model"] == target
    assert product.loaded() == target
    client.close()
    product.http.post("/api/settings", json={"values": dict.fromkeys(values)}).raise_for_status()


def metrics(product) -> str:
    return product.http.get("/metrics").raise_for_status().text


def swaps_on_demand(product) -> list[str]:
    swaps = product.http.get("/api/swap").raise_for_status().json()
    return [each["id"] for each in swaps["recent"] if each["requested_by"] == "on demand"]


def test_the_page_and_its_parts_come_from_here_alone(product) -> None:
    page = product.http.get("/")
    assert page.status_code == 200
    assert "default-src" in page.headers["content-security-policy"]
    assert "://" not in page.text.replace("http://www.w3.org", "")


def test_a_cross_site_page_cannot_swap(product) -> None:
    answer = product.http.post(
        "/api/swap", json={"model": QWEN}, headers={"origin": "http://evil.example"}
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "cross_origin")


def test_readiness_of_every_service_is_told(product) -> None:
    for port in product.facts["ports"].values():
        for path in ("livez", "readyz", "metrics"):
            assert httpx.get(f"http://127.0.0.1:{port}/{path}", timeout=10).status_code == 200
