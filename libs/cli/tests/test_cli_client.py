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


def test_a_quiet_stream_says_how_far_it_is_and_is_resumed_there() -> None:
    """Also when it broke before there was anything to tell."""
    answers: list[httpx.Response | None] = [
        httpx.Response(200, text=": keep-alive\nid: p-1\n\n: keep-alive\nid: p-2\n\n"),
        None,
        httpx.Response(200, text=""),
        httpx.Response(204),
    ]
    asked: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers.get("last-event-id"))
        given = answers.pop(0)
        if given is None:
            raise httpx.ConnectError("refused")
        return given

    client = GatewayClient("http://sim", httpx.MockTransport(answer), lambda _: None)
    assert list(client.events("/api/events")) == []
    assert asked == [None, "p-2", "p-2", "p-2"]


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

    client = GatewayClient("http://sim", httpx.MockTransport(answer), lambda _: None)
    assert [event.body["n"] for event in client.events("/api/swap/a/stream")] == [1, 2]
    assert asked == [None, "e-1", "e-2"]


def test_a_followed_gateway_may_be_started_again() -> None:
    answers: list[httpx.Response | httpx.ConnectError] = [
        httpx.Response(200, text='id: e-1\ndata: {"n": 1}\n\n'),
        httpx.ConnectError("refused"),
        httpx.Response(503, json={"detail": "the event bus is away", "code": "unavailable"}),
        httpx.Response(200, text='id: e-2\ndata: {"n": 2}\n\n'),
        httpx.Response(204),
    ]

    def answer(_: httpx.Request) -> httpx.Response:
        given = answers.pop(0)
        if isinstance(given, httpx.ConnectError):
            raise given
        return given

    waited: list[float] = []
    client = GatewayClient("http://sim", httpx.MockTransport(answer), waited.append)
    assert [event.body["n"] for event in client.events("/api/swap/a/stream")] == [1, 2]
    assert len(waited) == 4


def test_a_followed_gateway_that_stays_away_is_told_in_the_end() -> None:
    asked: list[int] = []

    def answer(_: httpx.Request) -> httpx.Response:
        asked.append(1)
        if len(asked) == 1:
            return httpx.Response(200, text='data: {"n": 1}\n\n')
        raise httpx.ConnectError("refused")

    waited: list[float] = []
    client = GatewayClient("http://sim", httpx.MockTransport(answer), waited.append)
    with pytest.raises(RefusedError, match="nobody answers"):
        list(client.events("/api/live"))
    assert sum(waited) == pytest.approx(60, abs=1)


def test_a_refusal_is_one_sentence() -> None:
    problem = {
        "detail": "there is no model 'qwen' on the menu; close to it: qwen3.6-35b-a3b",
        "code": "unknown_model",
        "details": {"near": ["qwen3.6-35b-a3b"]},
    }
    client = GatewayClient(
        "http://sim", httpx.MockTransport(lambda _: httpx.Response(404, json=problem))
    )
    with pytest.raises(RefusedError) as refused:
        client.get("/api/models")
    assert refused.value.message == f"{problem['detail']} (unknown_model)"


def test_another_server_at_the_address_is_one_sentence() -> None:
    page = httpx.MockTransport(lambda _: httpx.Response(200, text="<html>"))
    with pytest.raises(RefusedError, match="what answers at http://sim is not spark-control"):
        GatewayClient("http://sim", page).get("/api/status")


@pytest.mark.parametrize("url", ["nonsense", "ftp://sim", "http://sim:port"])
def test_an_address_that_is_none_names_the_variable(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPARK_CONTROL_URL", url)
    answer = CliRunner().invoke(main, ["models"])
    assert answer.exit_code == gateway_client.REFUSED
    assert answer.output.startswith("Error: SPARK_CONTROL_URL")
    assert len(answer.output.splitlines()) == 1


def test_an_empty_address_is_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARK_CONTROL_URL", " ")
    assert gateway_client.gateway_url() == gateway_client.DEFAULT_URL


def test_the_doctor_calls_a_named_gateway_that_is_away_wrong(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SPARK_CONTROL_URL", "http://127.0.0.1:1")
    answer = CliRunner().invoke(main, ["doctor"])
    assert answer.exit_code == 1
    assert "wrong  nobody answers at http://127.0.0.1:1" in answer.output


def test_ctrl_c_while_following_says_that_the_swap_goes_on(gateway, run) -> None:
    def interrupted(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(202, json={"id": "swap-1", "model": "m", "phase": "queued"})
        raise KeyboardInterrupt

    gateway.answer = interrupted
    answer = run("swap", "m", "--follow")
    assert answer.exit_code == 130
    assert "swap swap-1 goes on" in answer.output


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
    with click.Context(main) as context:
        names = main.list_commands(context)
        assert {"demo", "up", "status", "models", "suggest", "swap", "events", "doctor"} <= {*names}
        for name in names:
            command = main.get_command(context, name)
            assert command is not None
            assert command.name == name


def test_status_renders_a_cluster_without_a_swapper() -> None:
    from spark_cli.commands.status import render

    text = render({"runtime": None, "swap": None, "hosts": [], "bus": {"connected": False}})
    assert "nobody knows: the swapper does not answer" in text
    assert json.dumps("away") not in text
