"""What clients in the field send, request by request, and what each of them needs to get back.

A file of ``sequences/`` is one client. ``back`` names what counts: ``status``; ``headers`` (None:
absent); ``json``, of which everything that is named has to be there; ``text`` and ``not_text``,
whole; ``contains``; ``last``, the last line; ``no_nulls``; ``json_any``; ``within_seconds``. In
``json`` and ``headers`` a word in angle brackets stands for any value of a kind, and
``{"<some>": ...}`` for a list of which one element is like that.
"""

import json
import time
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.connected
SEQUENCES = sorted((Path(__file__).parent / "sequences").glob("*.json"))
KINDS = {
    "<any>": lambda value: True,
    "<text>": lambda value: isinstance(value, str) and bool(value),
    "<int>": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "<number>": lambda value: isinstance(value, int | float),
    "<list>": lambda value: isinstance(value, list) and bool(value),
}

TRIES = 5
"""A busy machine only ever adds to what an answer takes: the best of some counts."""


@dataclass(frozen=True)
class Answer:
    """What came back; the names of fields in small letters."""

    status: int
    headers: dict[str, str]
    text: str
    seconds: float = 0.0


def sent(http: HTTPConnection, send: dict[str, Any]) -> Answer:
    """Send a request as it is recorded: other clients would correct some of them."""
    body = json.dumps(send["body"]) if "body" in send else None
    kind = {} if body is None else {"content-type": "application/json"}
    began = time.monotonic()
    http.request(send["method"], send["path"], body, {**kind, **send.get("headers", {})})
    with http.getresponse() as answer:
        text = answer.read().decode()
        fields = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, fields, text, time.monotonic() - began)


def fits(found: Any, wanted: Any) -> bool:
    """Whether an answer has what is wanted of it."""
    match wanted:
        case str() if wanted in KINDS:
            return KINDS[wanted](found)
        case {"<some>": one}:
            return isinstance(found, list) and any(fits(value, one) for value in found)
        case dict():
            return isinstance(found, dict) and all(
                name in found and fits(found[name], value) for name, value in wanted.items()
            )
        case list():
            return (
                isinstance(found, list)
                and len(found) == len(wanted)
                and all(fits(*pair) for pair in zip(found, wanted, strict=True))
            )
        case _:
            return bool(found == wanted)


def nulls(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(nulls, value.values()))
    return any(map(nulls, value)) if isinstance(value, list) else value is None


def head_fits(found: str | None, wanted: str | None) -> bool:
    if wanted is None or found is None:
        return found is wanted
    # A parameter such as a charset does not matter.
    return fits(found, wanted) or found.partition(";")[0] == wanted


def faults(answer: Answer, back: dict[str, Any]) -> list[str]:
    """Return what is not as the client needs it."""
    text = answer.text
    checks = {
        "status": lambda wanted: answer.status == wanted,
        "headers": lambda wanted: all(
            head_fits(answer.headers.get(name), value) for name, value in wanted.items()
        ),
        "json": lambda wanted: fits(json.loads(text), wanted),
        "json_any": lambda wanted: isinstance(json.loads(text), dict) is wanted,
        "no_nulls": lambda wanted: nulls(json.loads(text)) is not wanted,
        "text": lambda wanted: text == wanted,
        "not_text": lambda wanted: text.strip() != wanted,
        "contains": lambda wanted: all(piece in text for piece in wanted),
        "last": lambda wanted: text.rstrip().rpartition("\n")[2] == wanted,
        "within_seconds": lambda wanted: answer.seconds < wanted,
    }
    return [name for name, wanted in back.items() if not checks[name](wanted)]


@pytest.mark.parametrize("sequence", SEQUENCES, ids=lambda path: path.stem)
def test_a_client_gets_what_it_needs(town, sequence):
    steps = json.loads(sequence.read_text(encoding="utf-8"))["steps"]
    wrong = []
    with closing(HTTPConnection("127.0.0.1", town.gateway.port, timeout=60)) as http:
        for step in steps:
            for _ in range(TRIES):
                answer = sent(http, step["send"])
                found = faults(answer, step["back"])
                if found != ["within_seconds"]:
                    break
            if found:
                wrong.append((step["what"], found, answer.status, answer.text[:300]))
    assert wrong == []
    assert town.swapper.asked == [], "what clients do by themselves loads no model"


def test_the_judge_can_say_no():
    answer = Answer(200, {"x": "1"}, '{"a": null, "rows": [{"n": 1}, {"n": 2}]}')
    assert faults(answer, {"json": {"rows": {"<some>": {"n": 2}}}, "headers": {"y": None}}) == []
    for back in (
        {"status": 404},
        {"headers": {"x": None}},
        {"headers": {"y": "<text>"}},
        {"json": {"b": "<any>"}},
        {"json": {"rows": [{"n": 1}]}},
        {"json": {"rows": {"<some>": {"n": "<text>"}}}},
        {"no_nulls": True},
        {"text": ""},
        {"contains": ["data:"]},
        {"last": "data: [DONE]"},
    ):
        assert faults(answer, back) == list(back)
