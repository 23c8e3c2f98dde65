"""docs/COORDINATION.md as a stranger follows it, on the running product; no token stays behind."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]
ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs/COORDINATION.md").read_text()
EXAMPLES = re.findall(r"^```(sh|python)\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
MOST = 50_000_000
LOCK = "/api/swap/lock"
MODELS = ("gemma-4-26b", "gpt-oss-120b", "qwen3.6-35b-a3b")


def seen(product):
    return product.http.get(LOCK).raise_for_status().json()


def take(product, holder, token=None, **fields):
    headers = {"X-Swap-Lock-Token": token} if token else {}
    return product.http.post(LOCK, json={"holder": holder, **fields}, headers=headers)


def run(product, tmp_path, language, text):
    program = ["sh", "-eu"] if language == "sh" else [sys.executable]
    file = tmp_path / f"example.{language}"
    file.write_text(text)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [*program, str(file)],
        env={
            "PATH": path,
            "HOME": str(tmp_path),
            "TMPDIR": str(tmp_path),
            "SPARK_CONTROL_URL": product.url,
        },
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def test_there_are_examples_of_both_kinds() -> None:
    assert [language for language, _ in EXAMPLES] == ["sh", "sh", "python", "sh"]


@pytest.mark.parametrize("number", range(3))
def test_what_reserves_and_works_gives_back(product, tmp_path, number) -> None:
    language, text = EXAMPLES[number]
    done = run(product, tmp_path, language, text)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "lease_held" not in done.stdout
    assert "gemma" in done.stdout.lower()
    assert seen(product)["state"] in ("free", "draining")
    assert not list(tmp_path.glob("tmp.*"))


def test_asking_for_it_reaches_the_holder_and_a_person_ends_it(product, tmp_path) -> None:
    take(product, "nightly-batch", ttl_seconds=600).raise_for_status()
    done = run(product, tmp_path, *EXAMPLES[3])
    assert done.returncode == 0, done.stderr
    assert '"note":"a demonstration"' in done.stdout
    assert '"released":"lease"' in done.stdout
    assert seen(product)["state"] == "free"


def test_a_reserved_cluster_is_swapped_by_its_holder_then_by_the_next_and_by_a_person(
    product,
) -> None:
    held = take(product, "agent", ttl_seconds=300).raise_for_status().json()
    token = {"X-Swap-Lock-Token": held["token"]}
    loaded = product.loaded()
    first, second = [key for key in MODELS if key != loaded][:2]
    refused = product.http.post("/api/swap", json={"model": first})
    assert refused.status_code == 423
    assert refused.json()["details"]["holder"] == "agent"
    swap = product.http.post("/api/swap", json={"model": first}, headers=token)
    waiting = take(product, "Alice", wait=True, priority="human")
    assert waiting.status_code == 202

    # The end of the lease lets the swap finish, and nobody else in meanwhile.
    product.http.delete(LOCK, headers=token).raise_for_status()
    assert seen(product)["state"] == "draining"
    assert take(product, "Bob").status_code == 423
    assert product.ended(swap.raise_for_status().json()["id"])["phase"] == "ready"

    def taken():
        answer = take(product, "Alice", waiting.json()["token"])
        return answer.json() if answer.status_code == 200 else None

    assert product.until("Alice's turn", taken)["epoch"] > held["epoch"]

    # A person swaps through Alice's lease, which is told and stays hers.
    order = {"model": second, "requested_by": "Owner"}
    forced = product.http.post("/api/swap?force=true", json=order).raise_for_status().json()
    began = {"stopping", "launching", "loading", "warming", "ready"}
    product.until("it to begin", lambda: product.view(forced["id"])["phase"] in began)
    assert seen(product)["holder"] == "Alice"
    product.until(
        "it is told that the owner swapped through",
        lambda: any(b'"action":"swap","requested_by":"Owner"' in data for data in files(product)),
    )


def test_no_token_is_left_anywhere_but_with_its_owner(product) -> None:
    tokens = [take(product, "agent", ttl_seconds=60).raise_for_status().json()["token"]]
    tokens.append(take(product, "Alice", wait=True).json()["token"])
    for token in tokens:
        product.http.get(LOCK, headers={"X-Swap-Lock-Token": token}).raise_for_status()
        product.http.post("/api/swap", json={"model": "nope"}, headers={"X-Swap-Lock-Token": token})
    product.http.post(f"{LOCK}/yield", json={"requested_by": "Bob"}).raise_for_status()
    product.http.delete(LOCK, headers={"X-Swap-Lock-Token": tokens[0]}).raise_for_status()
    take(product, "Alice", tokens[1]).raise_for_status()
    refused = take(product, "Bob", "wrong-token-of-bob")
    assert refused.status_code == 423
    replies = [refused.text, product.http.get(LOCK).text, product.http.get("/api/status").text]
    product.until(
        "the events to be told",
        lambda: any(
            b'"lock.yield' in data or b"yield_requested" in data for data in files(product)
        ),
    )
    for secret in (*tokens, "wrong-token-of-bob"):
        assert not any(secret in reply for reply in replies)
        assert not any(secret.encode() in data for data in files(product)), (
            "found in the run folder"
        )
        assert secret not in product.said()


def files(product):
    """Return everything that the product wrote: logs, streams, the append-only file."""
    found = list(filter(None, map(_read, product.folder.rglob("*"))))
    assert len(found) > 20
    return found


def _read(path: Path) -> bytes:
    """Return what a file holds, nothing of one that goes away or is simulated weights."""
    try:
        small = path.is_file() and path.stat().st_size < MOST
        return path.read_bytes() if small else b""
    except FileNotFoundError:
        return b""
