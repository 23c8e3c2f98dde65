"""Nothing secret and nothing anybody wrote or said reaches a log, whoever logs it."""

import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr

from spark_common.contracts.swaps import Phase
from spark_common.logs import configure
from spark_common.logs.redact import hides, redact

SECRET = "hunter2-and-more"
NAMES = [
    "token", "lock_token", "X-Swap-Lock-Token", "password", "redis_password", "seed", "nats_seed",
    "secret", "webhook_secret", "api_key", "ngc_api_key", "Authorization", "Cookie", "Set-Cookie",
    "credentials", "private_key", "prompt", "system_prompt", "messages", "content", "text",
    "transcript", "input", "stdin", "body", "payload", "headers", "query", "documents",
    "arguments", "completion", "tool_calls", "reasoning",
]  # fmt: skip


class Chat(BaseModel):
    prompt: str


@pytest.fixture
def lines() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    stream = io.StringIO()
    root, before = logging.getLogger(), (logging.getLogger().handlers[:], logging.getLogger().level)
    configure("example", "debug", stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:], root.level = before
    logging.captureWarnings(False)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.mark.parametrize("name", NAMES)
def test_a_field_of_that_name_is_hidden_at_any_depth(name: str) -> None:
    event = {name: SECRET, "nested": {"list": [{name: SECRET}]}, "event": "something.happened"}
    shown = redact(None, "info", event)
    assert SECRET not in json.dumps(shown)
    assert shown["event"] == "something.happened"


@pytest.mark.parametrize(
    "name", ["prompt_tokens", "tokens", "phase", "model", "reason", "message", "path", "context"]
)
def test_a_harmless_field_is_kept(name: str) -> None:
    assert not hides(name)
    assert redact(None, "info", {name: 7}) == {name: 7}


@given(
    path=st.lists(st.sampled_from(["nested", "items", "details", "job"]), max_size=4),
    name=st.sampled_from(NAMES),
    style=st.sampled_from([str.upper, str.title, str.lower]),
)
def test_no_nesting_and_no_spelling_shows_it(
    path: list[str], name: str, style: Callable[[str], str]
) -> None:
    value: Any = {style(name): SECRET}
    for part in path:
        value = {part: [value]}
    assert SECRET not in json.dumps(redact(None, "info", {"event": "x", "fields": value}))


@pytest.mark.parametrize(
    "text",
    [
        f"connecting to nats://alice:{SECRET}@127.0.0.1:4222",
        f"header was Bearer {SECRET}",
        f"header was basic {SECRET}",
        f"GET /hook?token={SECRET}&n=1",
        f"seed SU{'A2B7' * 14} was read",
    ],
)
def test_credentials_inside_a_text_are_hidden(text: str) -> None:
    shown = str(redact(None, "info", {"message": text})["message"])
    assert SECRET not in shown
    assert "A2B7" not in shown
    assert "***" in shown


def test_objects_show_their_class_and_values_their_value() -> None:
    shown = redact(
        None,
        "info",
        {
            "chat": Chat(prompt=SECRET),
            "key": SecretStr(SECRET),
            "raw": SECRET.encode(),
            "phase": Phase.LOADING,
            "at": datetime(2026, 11, 2, tzinfo=UTC),
            "took": timedelta(seconds=1.5),
            "file": Path("/data/x"),
            "hosts": ("spark1", "spark2"),
        },
    )
    assert shown == {
        "chat": "<Chat>",
        "key": "<SecretStr>",
        "raw": "<16 bytes>",
        "phase": "loading",
        "at": "2026-11-02T00:00:00+00:00",
        "took": 1.5,
        "file": "/data/x",
        "hosts": ["spark1", "spark2"],
    }


def test_a_line_is_json_with_service_level_time_and_bound_fields(
    lines: Callable[[], list[dict[str, Any]]],
) -> None:
    structlog.contextvars.bind_contextvars(correlation_id="c1", lock_token=SECRET)
    structlog.get_logger().info("swap.phase_changed", phase="loading")
    [line] = lines()
    assert line["event"] == "swap.phase_changed"
    assert (line["service"], line["level"], line["phase"]) == ("example", "info", "loading")
    assert line["correlation_id"] == "c1"
    assert line["lock_token"] == "[hidden]"
    assert datetime.fromisoformat(line["timestamp"]).tzinfo is not None


def test_an_invalid_request_is_logged_without_what_it_contained(
    lines: Callable[[], list[dict[str, Any]]],
) -> None:
    try:
        Chat.model_validate({"prompt": {"said": SECRET}})
    except ValueError:
        structlog.get_logger().exception("request.failed")
    [line] = lines()
    assert "1 invalid: prompt" in line["exception"]
    assert "test_logs.py" in line["exception"]
    assert SECRET not in json.dumps(line)


def test_an_exception_shows_its_cause_and_every_part_of_a_group(
    lines: Callable[[], list[dict[str, Any]]],
) -> None:
    try:
        try:
            raise ConnectionError("redis://u:p@127.0.0.1 is away")
        except ConnectionError as cause:
            raise ExceptionGroup("two", [ValueError("first"), KeyError("second")]) from cause
    except ExceptionGroup:
        structlog.get_logger().exception("loop.broke")
    [line] = lines()
    for part in ("ValueError: first", "second", "ConnectionError: redis://***@127.0.0.1 is away"):
        assert part in line["exception"]


def test_what_libraries_log_goes_the_same_way(
    lines: Callable[[], list[dict[str, Any]]],
) -> None:
    logging.getLogger("asyncssh").warning("lost %s", f"nats://a:{SECRET}@127.0.0.1")
    logging.getLogger("uvicorn.error").info("Started server process")
    logging.getLogger("nats.aio.client").debug("noise")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("an old call", ResourceWarning, stacklevel=1)
    found = lines()
    assert [line["event"] for line in found] == ["library.asyncssh", "library.py"]
    assert found[0]["message"] == "lost nats://***@127.0.0.1"
    assert found[0]["service"] == "example"


def test_a_level_silences_what_is_below_it() -> None:
    stream = io.StringIO()
    configure("example", "warning", stream)
    try:
        structlog.get_logger().info("quiet")
        structlog.get_logger().warning("loud")
    finally:
        structlog.reset_defaults()
        logging.getLogger().handlers.clear()
        logging.captureWarnings(False)
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["loud"]


def test_a_terminal_gets_readable_lines() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    configure("example", "info", stream)
    try:
        structlog.get_logger().info("swap.finished", lock_token=SECRET)
    finally:
        structlog.reset_defaults()
        logging.getLogger().handlers.clear()
        logging.captureWarnings(False)
    assert "swap.finished" in stream.getvalue()
    assert SECRET not in stream.getvalue()
