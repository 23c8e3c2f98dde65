"""The client side of sparkctl against scripted answers."""

import json

import click
import httpx
import pytest
from click.testing import CliRunner

from spark_cli import gateway_client
from spark_cli.__main__ import main
from spark_cli.gateway_client import GatewayClient, RefusedError, parse_events
from spark_cli.words import duration, gigabytes, table


def test_events_are_parsed_and_comments_skipped() -> None:
    lines = [": keepalive", "", "id: e-7", "event: swap.progress", 'data: {"n": 1}', ""]
    (event,) = parse_events(iter(lines))
    assert (event.name, event.id, event.body) == ("swap.progress", "e-7", {"n": 1})


def test_an_event_cut_in_the_middle_is_not_an_event() -> None:
    assert list(parse_events(iter(["event: bus", 'data: {"connected": true}']))) == []


def test_a_stream_that_breaks_is_resumed_after_the_last_event() -> None:
    asked: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers.get("last-event-id"))
        if len(asked) == 3:
            return httpx.Response(204)
        body = f'id: e-{len(asked)}\nevent: x\ndata: {{"n": {len(asked)}}}\n\n'
        return httpx.Response(200, text=body, headers={"content-type": "text/event-stream"})

    client = GatewayClient("http://sim", httpx.MockTransport(answer))
    assert [event.body["n"] for event in client.events("/api/swap/a/stream")] == [1, 2]
    assert asked == [None, "e-1", "e-2"]


def test_a_refusal_is_one_sentence_with_near_matches() -> None:
    problem = {
        "detail": "no model 'qwen'",
        "code": "unknown_model",
        "details": {"near": ["qwen3.6-35b-a3b"]},
    }
    client = GatewayClient(
        "http://sim", httpx.MockTransport(lambda _: httpx.Response(404, json=problem))
    )
    with pytest.raises(RefusedError, match=r"\(unknown_model\)\nclose to it: qwen3"):
        client.get("/api/models")


def test_nobody_there_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARK_CONTROL_URL", "http://127.0.0.1:1")
    answer = CliRunner().invoke(main, ["status"])
    assert answer.exit_code == gateway_client.REFUSED
    assert "nobody answers at http://127.0.0.1:1: start it with `make demo`" in answer.output


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "-"), (0.4, "0 s"), (59.6, "1 min 0 s"), (80, "1 min 20 s"), (13200, "3 h 40 min")],
)
def test_durations_read_like_on_the_page(seconds: float | None, words: str) -> None:
    assert duration(seconds) == words


def test_sizes_are_decimal_gigabytes() -> None:
    assert gigabytes(63_400_000_000) == "63.4 GB"
    assert gigabytes(None) == "-"


def test_a_table_has_no_trailing_blanks() -> None:
    assert table([("a", "bb"), ("ccc", "")]) == "a    bb\nccc"


def test_every_command_of_the_readme_exists() -> None:
    assert isinstance(main, click.Group)
    assert {"demo", "up", "status", "models", "swap", "events", "doctor"} <= set(main.commands)


def test_status_renders_a_cluster_without_a_swapper() -> None:
    from spark_cli.commands.status import render

    text = render({"runtime": None, "swap": None, "hosts": [], "bus": {"connected": False}})
    assert "nobody knows: the swapper does not answer" in text
    assert json.dumps("away") not in text
