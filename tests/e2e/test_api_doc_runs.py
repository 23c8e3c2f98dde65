"""The calls of docs/API.md, as they stand there and in their order, against the whole product.

After them what the other pages ask: all that only reads, and the cheap rest of
docs/REDACTION_GATEWAY.md, docs/api/v1-models.md, docs/tour.md and docs/install/bare.md.
"""

import json
import os
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

import httpx
import pytest

from spark_common.testing.documents import commands, examples, shown_answer, unlike
from spark_gateway.dialect import RANK_PATHS
from spark_gateway.routes import all_routes

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "API.md").read_text(encoding="utf-8")
OWN = ("/livez", "/readyz", "/metrics", "/openapi.json", "/asyncapi.json")
"""What the port answers beside the routes that its OpenAPI document lists."""
ENDLESS = (
    "/api/live",
    "/api/events?after=now",
    "/api/services/kokoro/logs/stream",
    "/api/matrix-bridge/logs/stream",
)
RUNTIME_ONLY = ("/score",)
"""Answered by some servers that rank; ours has no such route."""

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]


class Call(NamedTuple):
    """One line of the page."""

    line: str
    method: str
    path: str
    query: str
    refused: str | None
    """The status with which it is refused here, if the page says so."""


def calls() -> list[Call]:
    found = []
    for block in re.findall(r"^```sh run\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            target = next(word for word in words if word.startswith("$SPARK")).partition("?")
            posts = "--json" in words
            method = words[words.index("-X") + 1] if "-X" in words else "POST" if posts else "GET"
            refused = re.search(r"# (\d{3}) ", line)
            found.append(
                Call(
                    line,
                    method,
                    target[0].removeprefix("$SPARK"),
                    target[2],
                    refused[1] if refused else None,
                )
            )
    return found


CALLS = calls()


def shown(method: str, path: str) -> bool:
    """Whether some call of the page is for a route; ``path`` may have fields in braces."""
    pattern = re.compile(re.sub(r"\\\{[^}]+\\\}", "[^/]+", re.escape(path)))
    return any(call.method == method and pattern.fullmatch(call.path) for call in CALLS)


def test_every_route_of_the_application_is_shown() -> None:
    missing = [
        f"{method} {route.path}"
        for route in all_routes()
        for method in sorted(route.methods or ())
        if not shown(method, route.path_format.replace(":path", ""))
    ]
    assert missing == []


def test_every_route_that_is_passed_on_is_shown(product) -> None:
    document = product.http.get("/openapi.json").json()["paths"]
    listed = {(method.upper(), path) for path, verbs in document.items() for method in verbs}
    listed |= {("GET", path) for path in OWN}
    listed |= {("POST", path) for path in RANK_PATHS if path not in RUNTIME_ONLY}
    assert [f"{method} {path}" for method, path in sorted(listed) if not shown(method, path)] == []


def test_a_route_that_is_not_shown_would_be_seen() -> None:
    assert not shown("GET", "/api/nothing")
    assert not shown("PATCH", "/api/swap/{id}")


class Receiver(BaseHTTPRequestHandler):
    """Takes whatever it is told."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def receiver() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/told"
    server.shutdown()
    server.server_close()


def fill(embed: str, qdrant: str) -> None:
    """Make the collection of which docs/EMBEDDINGS.md speaks."""
    layout = {
        "vectors": {"dense": {"size": 1024, "distance": "Cosine"}},
        "sparse_vectors": {"sparse": {}},
    }
    httpx.put(f"{qdrant}/collections/docs", json=layout).raise_for_status()
    body = {"input": "Paris is the capital of France.", "return_sparse": True}
    (row,) = httpx.post(f"{embed}/v1/embeddings", json=body).raise_for_status().json()["data"]
    vector = {"dense": row["embedding"], "sparse": row["sparse_embedding"]}
    point = {"id": 1, "vector": vector, "payload": {"text": body["input"]}}
    place = f"{qdrant}/collections/docs/points"
    httpx.put(place, json={"points": [point]}).raise_for_status()


LEARNED: dict[str, tuple[str, Callable[[Any], str]]] = {
    "POST /api/swap/lock": ("TOKEN", lambda body: body["token"]),
    "GET /api/search/collections/docs/snapshots": (
        "SNAPSHOT",
        lambda body: body["snapshots"][0]["name"],
    ),
    "GET /api/webhooks/deliveries": ("DELIVERY", lambda body: body["deliveries"][0]["id"]),
    "GET /api/maintenance": ("WINDOW", lambda body: body["windows"][0]["id"]),
    "POST /api/keys": ("KEY", lambda body: body["key"]),
    "GET /api/keys": ("KEY_ID", lambda body: body["keys"][0]["id"]),
}
"""What the page says an answer tells: the word for it, and where it stands."""


class Shell:
    """Runs the calls of the page one by one, and remembers what their answers tell."""

    def __init__(self, product: Any, receiver: str, folder: Path) -> None:
        self._product = product
        self._folder = folder
        self._environment = {
            **os.environ, "SPARK": product.url, "RECEIVER": receiver, "no_proxy": "127.0.0.1",
        }  # fmt: skip

    def run(self, call: Call) -> str:
        """Make one call as it stands there; it has to end as the page says, else with 2xx."""
        endless = f"{call.path}?{call.query}".startswith(ENDLESS)
        limit = "2" if endless else "60"
        curl = f'curl() {{ command curl -sS --fail-with-body --max-time {limit} "$@"; }}\n'
        done = subprocess.run(
            ["bash", "-eu"],
            input=curl + call.line,
            env=self._environment,
            cwd=self._folder,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        timed_out = endless and done.returncode == 28 and done.stdout
        refused = call.refused and done.stderr.endswith(f"error: {call.refused}\n")
        well = done.returncode == 0 if call.refused is None else refused
        assert well or timed_out, f"{call.line}\n{done.stdout}\n{done.stderr}"
        learned = LEARNED.get(f"{call.method} {call.path}")
        if learned is not None:
            word, read = learned
            self._environment.setdefault(word, read(json.loads(done.stdout)))
        return done.stdout


def test_every_call_does_what_the_page_says(product, receiver, tmp_path) -> None:
    product.until("the runtime", lambda: product.loaded() or True)
    product.until("the coordinator", lambda: product.http.get("/api/settings").raise_for_status())
    shell = Shell(product, receiver, tmp_path)
    spark2 = product.arguments[product.arguments.index("--spark2") + 1]
    failed = []
    for call in CALLS:
        before(product, call, spark2)
        try:
            shell.run(call)
        except AssertionError as error:
            failed.append(str(error))
    assert failed == []


def before(product: Any, call: Call, spark2: str) -> None:
    """Wait for what a reader would have waited for before the next line."""
    match call.method, call.path:
        case "POST", "/api/spark/spark2/wake":
            product.until("the second Spark", lambda: online(product, "spark2"))
        case "POST", "/api/search":
            fill(f"http://{spark2}:8081", f"http://{spark2}:6333")
        case "GET", "/v1/models/gemma-4-26b":
            # The swap before it was cancelled; what had been loaded may have to come back.
            order = {"model": "gemma-4-26b", "id": "returning", "when_busy": "queue"}
            answer = product.http.post("/api/swap", json=order)
            if answer.json().get("code") != "already_loaded":
                assert answer.status_code == 202, answer.text
                assert product.ended("returning")["phase"] == "ready"
        case "GET", "/api/requests/mine-1/capture":
            product.until("the captured body", lambda: captured(product))
        case "GET", "/api/webhooks/deliveries":
            product.until("a delivery", lambda: delivered(product))


def online(product: Any, name: str) -> bool:
    """Whether a Spark answers, and was looked at just now."""
    hosts = product.http.get("/api/status").json()["hosts"] or []
    return any(host["name"] == name and host["state"] == "online" for host in hosts)


def captured(product: Any) -> bool:
    """Whether a request was captured; the first one may have come before capturing began."""
    product.http.post(
        "/v1/completions",
        json={"model": "auto", "prompt": "Once", "max_tokens": 4},
        headers={"x-request-id": "mine-1"},
    )
    return bool(product.http.get("/api/requests/mine-1/capture").status_code == 200)


def delivered(product: Any) -> bool:
    return bool(product.http.get("/api/webhooks/deliveries").json()["deliveries"])


GATEWAY = re.compile(r"(?:http://(?:127\.0\.0\.1|localhost):9999|\$SPARK)(?=/)")
CHANGING = {"-X", "-d", "-F", "--json", "-N", "-o"}
OF_THE_READER = re.compile(r"tonight-1|req-5f0c3a9be1d2|after=1-o3fa|gpt-oss-120b/")
"""Ids that the pages made up, and a model that is on no disk of the simulated Sparks."""


def asked_elsewhere() -> list[list[str]]:
    """Return the curls of all other pages that only read, and end by themselves."""
    pages = [str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("**/*.md")]
    found = [
        words
        for page in pages
        for one in examples(ROOT, page)
        if one.language == "sh" and not one.words and one.reason is None
        for words in commands(one.text)
    ]
    return [
        words
        for words in found
        if words[0] == "curl"
        and not CHANGING.intersection(words)
        and any(GATEWAY.match(word) for word in words)
        and not OF_THE_READER.search(" ".join(words))
    ]


def done(product: Any, script: str) -> str:
    """Run lines of a page, at this product; nothing of them may fail."""
    there = GATEWAY.sub(product.url, script)
    environment = {**os.environ, "SPARK_CONTROL_URL": product.url, "no_proxy": "127.0.0.1"}
    ran = subprocess.run(
        ["bash", "-eu"],
        input=f'curl() {{ command curl -sS --fail-with-body "$@"; }}\n{there}',
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert ran.returncode == 0, f"{there}\n{ran.stdout}\n{ran.stderr}"
    return ran.stdout


def block(page: str, word: str) -> str:
    """Return the one block of commands on a page that has a word."""
    (one,) = (
        found for found in examples(ROOT, page) if found.language == "sh" and word in found.text
    )
    return one.text


def test_what_the_other_pages_ask_is_answered(product) -> None:
    product.until("the runtime", lambda: product.loaded() or True)
    asked = asked_elsewhere()
    assert len(asked) > 15
    failed = []
    for words in asked:
        try:
            done(product, shlex.join(words))
        except AssertionError as error:
            failed.append(str(error))
    assert failed == []


def test_a_text_is_hidden_and_shown_again_as_the_page_says(product) -> None:
    page = "docs/REDACTION_GATEWAY.md"
    hidden = json.loads(done(product, block(page, "entities")))
    shown = shown_answer(ROOT, page)
    assert unlike(shown, hidden) == []
    assert {key: hidden[key] for key in ("text", "counts")} == {
        key: shown[key] for key in ("text", "counts")
    }
    back = done(product, block(page, "/rehydrate").replace("t_...", hidden["task_id"]))
    assert json.loads(back)["text"] == "I told Alice Smith."


def test_a_model_is_described_as_the_page_says(product) -> None:
    name = product.until("the loaded model", product.loaded)
    real = product.http.get(f"/v1/models/{name}").raise_for_status().json()
    assert unlike(shown_answer(ROOT, "docs/api/v1-models.md"), real) == []


def test_the_command_does_what_the_guides_say(product) -> None:
    guide = done(product, block("docs/install/bare.md", "sparkctl status"))
    assert "Spark 1" in guide
    done(product, block("docs/tour.md", "lease take"))
    assert product.http.get("/api/swap/lock").json()["state"] == "free"
