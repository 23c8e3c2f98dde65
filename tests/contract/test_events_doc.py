"""docs/EVENTS.md says what is sent, and its lines for the ``nats`` command are right."""

import asyncio
import json
import re
import runpy
import shlex
from pathlib import Path

import nats.errors
import pytest
from pydantic import BaseModel

from spark_common import events
from spark_common.bus.patterns import matches
from spark_common.bus.permissions import OWN_STREAM, automation
from spark_common.events import HealthReport, SwapRequested

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "EVENTS.md"
TEXT = DOCUMENT.read_text(encoding="utf-8")
NAME = "nightly"
MAY = automation(NAME)
GOLDEN = {
    path.stem: json.loads(path.read_text())
    for path in (Path(__file__).parent / "golden").glob("*.json")
}
PUBLISHED: dict[str, type[BaseModel]] = {
    "swap.requested": SwapRequested,
    "health.report": HealthReport,
}


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def nats_lines() -> list[list[str]]:
    lines = [line for block in blocks("sh nats") for line in block.splitlines()]
    return [shlex.split(line) for line in lines if line.startswith("nats ")]


def taken_apart(words: list[str]) -> tuple[str | None, list[str]]:
    """Return the inbox prefix that a line names, and the rest without ``nats``."""
    rest, prefix = words[1:], None
    if rest[0] == "--inbox-prefix":
        prefix, rest = rest[1], rest[2:]
    return prefix, rest


def test_both_written_parts_are_current() -> None:
    """Run ``make schemas``."""
    script = runpy.run_path(str(ROOT / "scripts" / "events_doc.py"))
    assert script["written"](TEXT) == TEXT


def test_every_golden_message_that_automations_meet_is_there_as_it_was_sent() -> None:
    shown = [json.loads(block) for block in blocks("json")]
    met = [
        message
        for message in GOLDEN.values()
        if message["type"].split(".")[1]
        in ("swap", "lock", "schedule", "download", "update", "install", "overlay")
        and message["type"] not in ("spark.swap.start.v1", "spark.swap.cancel.v1")
    ]
    assert len(met) > 30
    for message in met:
        assert message in shown, message["type"]
    for message in shown:
        assert message in GOLDEN.values()


def test_there_are_lines_of_every_kind() -> None:
    kinds = {taken_apart(words)[1][0] for words in nats_lines()}
    assert kinds == {"pub", "sub", "req", "consumer"}


@pytest.mark.parametrize("words", nats_lines(), ids=" ".join)
def test_a_line_for_the_nats_command_is_allowed_and_well_formed(words: list[str]) -> None:
    prefix, (kind, *rest) = taken_apart(words)
    match kind:
        case "pub":
            subject, payload = rest
            assert any(matches(pattern, subject) for pattern in MAY.publish)
            PUBLISHED[subject].model_validate_json(payload)
        case "sub":
            (subject,) = rest
            assert any(matches(pattern, subject) for pattern in MAY.subscribe)
        case "req":
            subject, payload = rest
            assert any(matches(pattern, subject) for pattern in MAY.publish)
            assert json.loads(payload) == {}
            assert any(matches(pattern, f"{prefix}.x") for pattern in MAY.subscribe)
        case "consumer":
            assert rest[:3] == ["next", OWN_STREAM, f"auto_{NAME}"]
            assert any(matches(pattern, f"{prefix}.x") for pattern in MAY.subscribe)
            place = f"$JS.API.CONSUMER.MSG.NEXT.{OWN_STREAM}.{rest[2]}"
            assert any(matches(pattern, place) for pattern in MAY.publish)


@pytest.mark.parametrize("code", blocks("python run"))
def test_an_example_in_python_compiles(code: str) -> None:
    compile(code, str(DOCUMENT), "exec")


@pytest.mark.parametrize("code", [code for code in blocks("python run") if ".fetch(" in code])
def test_an_example_that_waits_survives_that_nothing_comes(code: str) -> None:
    """The client raises its own timeout or, by the moment at which it is over, asyncio's."""
    assert issubclass(nats.errors.TimeoutError, asyncio.TimeoutError)
    assert "except asyncio.TimeoutError:" in code


def test_everything_that_is_sent_is_named() -> None:
    for name in (event.type for event in events.EVENTS):
        if name not in ("menu.changed", "settings.changed", "keys.changed"):
            assert f"#### {name}\n" in TEXT, name
