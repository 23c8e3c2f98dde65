"""Tokens read from real answers, however they are cut and framed."""

import json
import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spark_gateway.metering.usage import Usage, UsageField

CAPTURES = Path(__file__).parent / "captures"

CHAT = b'{"choices":[{"message":{"content":"\\"usage\\":{\\"prompt_tokens\\":9}"}}],"usage":'
SAID = [
    (
        b'{"prompt_tokens":27,"total_tokens":75,"completion_tokens":48,'
        b'"prompt_tokens_details":{"cached_tokens":16}}',
        Usage(27, 48, 16),
    ),
    (b'{"prompt_tokens":27,"total_tokens":27}', Usage(27)),
    (b'{"input_tokens":20,"output_tokens":32}', Usage(20, 32)),
    (b'{"input_tokens":5,"cache_read_input_tokens":4,"output_tokens":1}', Usage(5, 1, 4)),
    (b'{ "prompt_tokens" : 1,\r\n "completion_tokens" : 2 }', Usage(1, 2)),
    (b"null", Usage()),
    (b'"none"', Usage()),
    (b'{"prompt_tokens":-1,"completion_tokens":true}', Usage()),
    (b'{"prompt_tokens":"12","completion_tokens":1.5}', Usage()),
    (b'{"prompt_tokens":12 13', Usage()),
    (b"{" * 5000, Usage()),
]


def read(*pieces: bytes) -> Usage:
    field = UsageField()
    for piece in pieces:
        field.feed(piece)
    return field.read()


def framed(payload: bytes, size: int) -> list[bytes]:
    """The chunks of a body, of this size each."""
    parts = [payload[at : at + size] for at in range(0, len(payload), size)]
    return [b"%x\r\n%b\r\n" % (len(part), part) for part in parts] + [b"0\r\n\r\n"]


@pytest.mark.parametrize(("said", "expected"), SAID)
def test_what_an_object_says(said, expected):
    assert read(CHAT + said + b',"prompt_logprobs":null}') == expected


@pytest.mark.parametrize(("said", "expected"), SAID[:4])
def test_cut_at_every_position(said, expected):
    whole = CHAT + said + b',"metrics":null}'
    for cut in range(len(whole)):
        assert read(whole[:cut], whole[cut:]) == expected, whole[:cut]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 13, 40])
def test_framed_in_chunks_that_cut_it(size):
    chunks = framed(CHAT + SAID[0][0] + b"}", size)
    assert read(*chunks) == SAID[0][1]
    body = b"".join(chunks)
    assert read(*(body[at : at + 1] for at in range(len(body)))) == SAID[0][1]


def test_far_from_either_end():
    usage = b'"usage":{"prompt_tokens":3,"total_tokens":3}'
    body = b'{"a":"' + b"x" * 100_000 + b'",' + usage + b',"data":"' + b"y" * 100_000 + b'"}'
    pieces = [body[at : at + 4096] for at in range(0, len(body), 4096)]
    assert read(*pieces) == Usage(3)


def test_the_last_one_counts_and_the_first_fills_its_gaps():
    first = b'data: {"message":{"usage":{"input_tokens":20,"output_tokens":0}}}\n\n'
    middle = b'data: {"x":1}\n\n'
    last = b'data: {"type":"message_delta","usage":{"output_tokens":32}}\n\n'
    assert read(first, middle, last) == Usage(20, 32)


def test_usage_in_every_chunk_is_the_last():
    events = [
        b'data: {"usage":{"prompt_tokens":4,"completion_tokens":%d}}\n\n' % number
        for number in range(200)
    ]
    assert read(*events) == Usage(4, 199)


def test_nothing_is_known_of_what_says_nothing():
    assert not read(b'data: {"choices":[]}\n\n', b"data: [DONE]\n\n").known
    assert not read().known


@pytest.mark.parametrize("name", sorted(path.name for path in CAPTURES.glob("*.txt")))
def test_real_answers_cut_at_random_say_what_they_say(name):
    raw = (CAPTURES / name).read_bytes()
    expected = read(raw)
    assert expected.known
    for size in (7, 61, 300):
        assert read(*(raw[at : at + size] for at in range(0, len(raw), size))) == expected
    told = re.findall(rb'"usage":(\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\})', raw)[-1]
    counts = json.loads(told)
    assert expected.completion == counts.get("completion_tokens", counts.get("output_tokens"))


@given(st.binary(max_size=400), st.lists(st.integers(0, 400), max_size=6))
def test_any_bytes_are_survived(noise, cuts):
    body = noise + b'"usage":' + noise
    edges = [0, *sorted(cut for cut in cuts if cut < len(body)), len(body)]
    read(*(body[start:end] for start, end in pairwise(edges)))
