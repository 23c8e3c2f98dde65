"""``sparkctl events``: without a gap, in words, for every type there is."""

import json
from pathlib import Path
from urllib.parse import parse_qs

import httpx
import pytest

from spark_cli.event_words import summary

GOLDEN = sorted((Path(__file__).parents[3] / "tests/contract/golden").glob("*.json"))
EVENT = json.loads((GOLDEN[0].parent / "swap.complete.v1.json").read_text())
COMMANDS = ("swap.requested", "swap.start", "swap.cancel", "health.probe.requested")


def a_page(*events: dict, more: bool = False, reset: bool = False) -> dict:
    return {
        "events": list(events),
        "next": "1-o123456785",
        "more": more,
        "reset": reset,
        "reset_streams": ["SC_HEALTH"] if reset else [],
    }


def asked(request: httpx.Request) -> dict[str, list[str]]:
    return parse_qs(request.url.query.decode())


@pytest.mark.parametrize(
    "path", [p for p in GOLDEN if not p.stem.startswith(COMMANDS)], ids=lambda p: p.stem
)
def test_every_event_is_one_line(path: Path) -> None:
    event = json.loads(path.read_text())
    name = event["type"].removeprefix("spark.").rpartition(".v")[0]
    line = summary(name, event["data"])
    assert line
    assert "\n" not in line


def test_what_nobody_knows_yet_has_a_line_too() -> None:
    assert summary("moon.landed", {}) == "changed"


def test_pages_are_read_to_their_end(gateway, run) -> None:
    pages = [a_page(EVENT, more=True), a_page(EVENT, reset=True)]

    def answer(request: httpx.Request) -> httpx.Response:
        gateway.asked.append(request)
        return httpx.Response(200, json=pages[len(gateway.asked) - 1])

    gateway.answer = answer
    result = run("events", "--all", "--no-follow", "--type", "swap.*", "--type", "lock.*")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0] == lines[2]
    assert lines[0].startswith("2026-11-02 08:15:00  swap.complete")
    assert "qwen3.6-35b-a3b serves after 214 s" in lines[0]
    assert lines[1].startswith("reset")
    assert asked(gateway.asked[0]) == {"type": ["swap.*", "lock.*"], "limit": ["500"]}
    assert asked(gateway.asked[1])["after"] == ["1-o123456785"]
    assert result.stderr == "to go on: --after 1-o123456785\n"


def test_following_begins_at_the_place_of_this_moment(gateway, run) -> None:
    """Not at ``now``: a connection that is cut before the first event would begin later."""

    def answer(request: httpx.Request) -> httpx.Response:
        gateway.asked.append(request)
        if request.headers["accept"] != "text/event-stream":
            return httpx.Response(200, json=a_page())
        if len(gateway.asked) > 2:
            return httpx.Response(204)
        frame = f"id: 1-o123456786\nevent: swap.complete\ndata: {json.dumps(EVENT)}\n\n"
        return httpx.Response(200, text=f": keep-alive\nid: 1-o123456785\n\n{frame}")

    gateway.answer = answer
    result = run("events", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == {
        "event": "swap.complete",
        "id": "1-o123456786",
        "data": EVENT,
    }
    first, second, third = gateway.asked
    assert asked(first) == {"after": ["now"]}
    assert asked(second) == {"after": ["1-o123456785"]}
    assert third.headers["last-event-id"] == "1-o123456786"


@pytest.mark.parametrize(
    "words",
    [("--all", "--after", "x"), ("--live", "--all"), ("--no-follow",)],
)
def test_what_does_not_go_together(run, words: tuple[str, ...]) -> None:
    assert run("events", *words).exit_code == 2


def test_the_pages_own_stream_is_still_there(gateway, run) -> None:
    gateway.answers["GET", "/api/live"] = httpx.Response(
        200, text='event: bus\ndata: {"connected": true}\n\n'
    )

    def once(request: httpx.Request) -> httpx.Response:
        gateway.asked.append(request)
        return (
            gateway.answers["GET", "/api/live"] if len(gateway.asked) == 1 else httpx.Response(204)
        )

    gateway.answer = once
    result = run("events", "--live")
    assert result.stdout.split() == ["bus", "connected"]
