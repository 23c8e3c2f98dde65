"""The examples of docs/EVENTS.md, as they stand there, against the whole product."""

import asyncio
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import nats
import pytest

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "EVENTS.md").read_text(encoding="utf-8")
NAME = "nightly"

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


def examples(language: str, word: str) -> list[str]:
    return re.findall(rf"^```{language} {word}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def environment(product) -> dict[str, str]:
    """What the page tells to export, after the command it begins with."""
    made = product.sparkctl("automation", "add", NAME, "--run-dir", str(product.folder))
    assert made.returncode == 0, made.stderr
    url = re.search(r"NATS_URL +(\S+)", made.stderr)
    seed = re.search(r"NATS_SEED_FILE +(\S+)", made.stderr)
    assert url is not None
    assert seed is not None
    return {
        **os.environ,
        "NATS_URL": url[1],
        "NATS_SEED_FILE": seed[1],
        "SPARK": product.url,
        "PYTHONWARNINGS": "error",
    }


def run(argv: list[str], environment: dict[str, str], folder: Path, code: str) -> str:
    done = subprocess.run(
        argv,
        input=code,
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, f"{code}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_examples_in_python(product, environment, tmp_path) -> None:
    python = [sys.executable, "-"]
    ask, follow, look, reserve = examples("python", "run")
    if product.loaded() != "gemma-4-26b":
        asked = run(python, environment, tmp_path, ask)
        assert asked.startswith("serves after "), asked
    # It is loaded now: nobody waits for what does not come.
    asked = run(python, environment, tmp_path, ask)
    assert asked.startswith("refused: already_loaded "), asked
    followed = run(python, environment, tmp_path, follow)
    assert "spark.swap.accepted.v1" in followed
    assert "spark.swap.progress.v1" in followed
    assert "spark.swap.complete.v1" in followed.splitlines()[-1]
    refused = run(python, environment, tmp_path, follow).splitlines()
    assert "spark.swap.rejected.v1" in refused[-1]
    assert run(python, environment, tmp_path, look) == "True\n"
    assert run(python, environment, tmp_path, reserve) == "given back\n"
    told = product.http.get("/api/events", params={"type": "lock.*", "limit": 500}).json()["events"]
    own = [event for event in told if event["data"].get("holder") == "nightly"]
    kinds = [event["type"].split(".")[2] for event in own]
    assert kinds[-3:] == ["acquired", "released", "freed"]
    assert "token" not in json.dumps(told)


def test_the_examples_for_a_shell(product, environment, tmp_path) -> None:
    page, loop, stream, wish = (
        run(["bash", "-eu"], environment, tmp_path, code) for code in examples("sh", "run")
    )
    told = json.loads(page)
    assert {event["type"].split(".")[1] for event in told["events"]} == {"swap"}
    outcomes = product.http.get(
        "/api/events", params={"type": ["swap.complete", "swap.failed"], "limit": 500}
    ).json()["events"]
    seen = loop.split()
    assert seen == [event["data"]["swap_id"] for event in outcomes][: len(seen)]
    assert len(seen) >= 2
    assert "event: swap.complete" in stream
    assert json.loads(wish)["requested_by"] == "cron"
    product.ended(json.loads(wish)["id"])


def test_the_lines_for_the_nats_command(product, environment) -> None:
    """Played by another client: what they publish arrives, what they ask for is answered."""
    lines = [
        shlex.split(line)
        for block in examples("sh", "nats")
        for line in block.splitlines()
        if line.startswith("nats ")
    ]
    assert lines

    async def play() -> list[str]:
        refused: list[str] = []

        async def on_error(error: Exception) -> None:
            refused.append(str(error))

        client = await nats.connect(
            environment["NATS_URL"],
            nkeys_seed=environment["NATS_SEED_FILE"],
            inbox_prefix=f"_INBOX_auto_{NAME}",
            error_cb=on_error,
        )
        try:
            for _, *words in lines:
                rest = words[2:] if words[0] == "--inbox-prefix" else words
                match rest:
                    case ["pub", subject, payload]:
                        await client.jetstream().publish(subject, payload.encode())
                    case ["sub", subject]:
                        await client.subscribe(subject)
                    case ["req", subject, payload]:
                        answer = await client.request(subject, payload.encode(), timeout=30)
                        assert "error" not in json.loads(answer.data)
                    case ["consumer", "next", stream, durable, *_]:
                        own = await client.jetstream().pull_subscribe_bind(
                            durable=durable, stream=stream
                        )
                        message = (await own.fetch(1, timeout=30))[0]
                        await message.ack_sync()
                    case other:
                        raise AssertionError(other)
            await client.flush()
            await client.flush()
        finally:
            await client.close()
        return refused

    assert asyncio.run(play()) == []


def test_sparkctl_reads_the_same_events(product, environment) -> None:
    page = product.http.get("/api/events", params={"type": "swap.*", "limit": 500}).json()
    read = product.sparkctl("events", "--all", "--no-follow", "--json", "--type", "swap.*")
    assert read.returncode == 0, read.stderr
    told = [json.loads(line)["data"]["id"] for line in read.stdout.splitlines()]
    assert told[: len(page["events"])] == [event["id"] for event in page["events"]]
    listed = product.sparkctl("automation", "list", "--run-dir", str(product.folder))
    assert listed.stdout.splitlines()[1].startswith(NAME)


def test_a_request_nobody_can_read_is_a_dead_letter_that_says_what_to_do(
    product, environment
) -> None:
    async def publish() -> None:
        client = await nats.connect(
            environment["NATS_URL"],
            nkeys_seed=environment["NATS_SEED_FILE"],
            inbox_prefix=f"_INBOX_auto_{NAME}",
        )
        nonsense = b'{"modle": "gemma-4-26b", "lock_token": "a-secret"}'
        await client.jetstream().publish("swap.requested", nonsense)
        await client.close()

    asyncio.run(publish())

    def look() -> list[dict[str, str]]:
        letters = product.http.get("/api/dead-letters").raise_for_status().json()["letters"]
        return [each for each in letters if each["stream"] == "SC_INGRESS"]

    letter = product.until("the dead letter", look)[0]
    assert letter["why"] == "refused"
    assert "docs/EVENTS.md" in letter["action"]
    shown = product.sparkctl("dead-letters")
    assert letter["sentence"] in shown.stdout
    assert "a-secret" not in shown.stdout + json.dumps(letter)


def test_the_identity_is_put_out_at_the_end(product, environment) -> None:
    done = product.sparkctl("automation", "rm", NAME, "--run-dir", str(product.folder))
    assert done.returncode == 0, done.stderr
    assert not Path(environment["NATS_SEED_FILE"]).exists()
    status = product.http.get("/api/status").json()
    assert status["bus"]["connected"]
    assert {part["state"] for part in status["components"]} == {"up"}
