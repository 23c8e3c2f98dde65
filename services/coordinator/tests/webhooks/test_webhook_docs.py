"""The document about webhooks says what is true, and its snippets verify what is really sent."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from spark_common.clock import SystemClock
from spark_common.contracts.webhooks import TargetView
from spark_common.envelope import Envelope
from spark_common.events import SwapComplete
from spark_coordinator.webhooks.body import MAX_BYTES, body_of
from spark_coordinator.webhooks.guard import TargetGuard
from spark_coordinator.webhooks.notifying import place_of
from spark_coordinator.webhooks.ports import Parcel
from spark_coordinator.webhooks.posting import WebhookSender
from spark_coordinator.webhooks.store import MOST_EVENTS, MOST_ROWS
from spark_coordinator.webhooks.targets import MOST_TARGETS, RESERVED, Target
from spark_coordinator.webhooks.testing import NOW, Names
from spark_coordinator.webhooks.testing.http_receiver import HttpReceiver

TEXT = (Path(__file__).parents[4] / "docs/api/webhooks.md").read_text()
SECRETS = ("correct-horse-battery", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "with space & ü")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


async def delivered(secret):
    async with HttpReceiver() as receiver:
        sender = WebhookSender(Names(), TargetGuard(), SystemClock(), "spark-control/1")
        target = Target(id="b", name="b", url=receiver.url, secret=secret, created_at=NOW)
        assert (await sender.send(target, Parcel("dlv_1", '{"message":"ü"}'))).ok
        return receiver.taken[0]


@pytest.mark.parametrize("secret", SECRETS)
async def test_the_python_verifies_what_is_sent_and_nothing_else(secret):
    got = await delivered(secret)
    (code,) = blocks("python")
    names: dict = {}
    exec(code, names)
    for check in (names["verify"], names["verify_body"]):
        assert check(secret, got.headers, got.body) is True
        assert check(secret, got.headers, got.body + b" ") is False
        assert check("another", got.headers, got.body) is False
    old = got.headers | {"webhook-timestamp": "1600000000"}
    assert names["verify"](secret, old, got.body) is False


@pytest.mark.parametrize("secret", SECRETS)
async def test_the_shell_verifies_what_is_sent_and_nothing_else(secret, tmp_path):
    got = await delivered(secret)
    (script,) = blocks("sh run")
    for body, says in ((got.body, "genuine"), (got.body + b" ", "forged")):
        (tmp_path / "body.json").write_bytes(body)
        said = subprocess.run(
            ["sh", "-euc", script],
            cwd=tmp_path,
            env={
                "PATH": "/usr/bin:/bin",
                "SECRET": secret,
                "X_SPARK_SIGNATURE": got.headers["x-spark-signature"],
            },
            capture_output=True,
            text=True,
            check=True,
        )
        assert said.stdout.strip() == says


def test_the_examples_are_what_is_answered_and_sent():
    view, body = (json.loads(block) for block in blocks("json"))
    assert list(view) == list(TargetView.model_fields)
    assert TargetView.model_validate(view).model_dump(mode="json") == view
    event = SwapComplete.model_validate(body["data"])
    envelope = Envelope(
        id=body["event_id"],
        source="swapper",
        type=SwapComplete.type_name(),
        time=event.finished_at,
        data=event.model_dump(mode="json"),
    )
    assert json.loads(body_of(envelope)) == body


def test_the_numbers_are_those_of_the_code():
    assert f"latest {MOST_ROWS:,} deliveries" in TEXT
    assert f"{MOST_EVENTS:,} events" in TEXT
    assert f"{MOST_TARGETS} targets" in TEXT
    assert f"{MAX_BYTES // 1024} KiB" in TEXT
    assert all(f"`{name}`" in TEXT for name in RESERVED)


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        (row[0], address)
        for row in re.findall(r"^\| `(ntfy|email|matrix|gotify)` \| (.*) \|$", TEXT, re.MULTILINE)
        for address in re.findall(r"`([a-z]+://[^`]+)`", row[1])
    ],
)
def test_the_addresses_are_read(kind, address):
    whole = address.replace("to=address", "to=x@house.lan").replace("@host", "@house.lan")
    assert place_of(kind, whole).host
