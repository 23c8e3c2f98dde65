"""A head that comes again is read as if it had come for the first time."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark_gateway.dataplane.answer_head import AnswerHeads
from spark_gateway.dataplane.answers import Answer
from spark_gateway.dataplane.framing import FramingError
from spark_gateway.dataplane.heads import HeadError, parse_request, upstream_request
from spark_gateway.dataplane.known_heads import KnownHeads
from spark_gateway.dataplane.model_field import ModelField, named_in
from spark_gateway.dataplane.ports import Upstream
from spark_gateway.dataplane.repeated import NO_LENGTH, Repeated

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"

LLM = Upstream("127.0.0.1", 8888)
FIELDS = st.sampled_from(
    [
        b"Host: g\r\n",
        b"Content-Length: 12\r\n",
        b"content-length:7\r\n",
        b"CONTENT-LENGTH: 5\r\n",
        b"Content-Length: 5 \r\n",
        b"X-Content-Length: 9\r\n",
        b"Accept: */*\r\n",
        b"Connection: close\r\n",
        b"X-Request-Id: mine\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Authorization: Bearer x\r\n",
    ]
)
HEADS = st.lists(FIELDS, max_size=5).map(
    lambda fields: b"POST /v1/chat/completions HTTP/1.1\r\n" + b"".join(fields) + b"\r\n"
)


def changed(head, length):
    """The same head with another length, if it tells one."""
    for spelling in (b"Content-Length: 12", b"content-length:7"):
        name = spelling.partition(b":")[0]
        head = head.replace(spelling, b"%b: %d" % (name, length) if b" " in spelling else
                            b"%b:%d" % (name, length))  # fmt: skip
    return head


@settings(max_examples=300)
@given(HEADS, HEADS, st.integers(0, 10**17), st.binary(max_size=20))
def test_what_is_known_again_says_what_reading_it_would(first, other, length, rest):
    try:
        known = Repeated(first, parse_request(first))
    except HeadError:
        return
    for head in (first, changed(first, length), other, other[:-2], first[:-1]):
        found = known.find(head + rest)
        if found is None:
            continue
        end, told = found
        whole = (head + rest)[:end]
        again = known.read if told == NO_LENGTH else known.read.of_length(told)
        assert whole.endswith(b"\r\n\r\n")
        assert again == parse_request(whole)
        assert upstream_request(again, LLM, b"r") == upstream_request(
            parse_request(whole), LLM, b"r"
        )


@pytest.mark.parametrize("length", [0, 7, 12, 400])
def test_the_same_client_is_known_whatever_it_sends(length):
    first = b"POST /v1/x HTTP/1.1\r\nHost: g\r\nContent-Length: 12\r\nAccept: */*\r\n\r\n"
    known = Repeated(first, parse_request(first))
    head = first.replace(b"12", b"%d" % length)
    assert known.find(head + b"more") == (len(head), length)


@settings(max_examples=200)
@given(st.lists(HEADS, min_size=2, max_size=6), st.integers(0, 10**17))
def test_what_some_client_wrote_before_says_what_reading_it_would(heads, length):
    known = KnownHeads()
    for head in [*heads, *(changed(head, length) for head in heads), *heads]:
        try:
            said = parse_request(head)
        except HeadError:
            with pytest.raises(HeadError):
                known.read(head)
            continue
        again, told = known.read(head)
        assert (again.read if told == NO_LENGTH else again.read.of_length(told)) == said
        assert again.find(head) is not None


def test_only_so_many_heads_are_known_and_none_that_is_long():
    known = KnownHeads()
    first = b"GET /v1/x HTTP/1.1\r\nHost: g\r\nAccept: %b\r\n\r\n"
    often, _ = known.read(first % b"often")
    for number in range(2000):
        known.read(first % b"%d" % number)
        assert known.read(first % b"often")[0] is often
    assert len(known) <= 256
    known.read(first % (b"a" * 8192))
    assert len(known) <= 256
    assert known.read(first % (b"a" * 8192))[0] is not known.read(first % (b"a" * 8192))[0]


ANSWERS = st.lists(
    st.sampled_from(
        [
            b"content-length: 2\r\n",
            b"Content-Length: 10\r\n",
            b"CONTENT-LENGTH: 3\r\n",
            b"transfer-encoding: chunked\r\n",
            b"connection: close\r\n",
            b"content-type: text/event-stream\r\n",
            b"x-request-id: theirs\r\n",
            b"date: now\r\n",
        ]
    ),
    max_size=4,
).map(lambda fields: b"HTTP/1.1 200 OK\r\n" + b"".join(fields) + b"\r\n")


def told(heads, answer, body):
    """What the client gets of an answer, and whether more comes."""
    reading = Answer(request_id=b"r", heads=heads)
    try:
        out = reading.feed(answer + body)
    except FramingError:
        return None
    return out, reading.done, reading.reusable, reading.status, reading.close


@settings(max_examples=300)
@given(st.lists(ANSWERS, min_size=2, max_size=4), st.integers(0, 30), st.binary(max_size=12))
def test_answers_of_one_upstream_are_read_each_as_if_alone(answers, length, body):
    heads = AnswerHeads()
    for answer in answers:
        for each in (answer, answer.replace(b"h: 2\r", b"h: %d\r" % length)):
            assert told(heads, each, body) == told(AnswerHeads(), each, body)


NAMES = st.text(max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(['"model"', r'"mod\u0065l"', '"stream"']) | NAMES.map(json.dumps)
PAIRS = st.lists(st.tuples(KEYS, VALUES), max_size=5)


@settings(max_examples=300)
@given(PAIRS, st.sampled_from([None, 1]), st.booleans())
def test_a_look_at_a_whole_body_finds_what_reading_it_finds(pairs, indent, named):
    if named:
        pairs = [*pairs, ('"model"', "org/Model-8B")]
    inner = [f"{name}: {json.dumps(value, indent=indent)}" for name, value in pairs]
    body = ("{" + ", ".join(inner) + "}").encode()
    found, reading = named_in(body), ModelField()
    reading.feed(body)
    if found is not None:
        assert found == (reading.named, reading.span)
    elif named and len(pairs) == 1:
        pytest.fail("the plainest body of all takes more than a look")


async def test_each_request_on_a_connection_has_an_id_of_its_own(plane):
    plane.upstream.script = lambda peer: plane.upstream.serve(peer, OK)
    peer = await plane.connect()
    for length in (2, 2, 40):
        body = b"{%b}" % (b" " * (length - 2))
        await peer.send(
            b"POST /v1/chat/completions HTTP/1.1\r\nHost: g\r\nContent-Length: %d\r\n\r\n%b"
            % (length, body)
        )
        await peer.message()
        assert b"content-length: %d\r\n" % length in plane.upstream.heads[-1]
        assert plane.upstream.bodies[-1] == body
    ids = {head.split(b"x-request-id: ")[1].split(b"\r\n")[0] for head in plane.upstream.heads}
    assert len(ids) == 3
