"""Answers of a real vLLM, cut everywhere."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spark_gateway.dataplane.answers import Answer
from spark_gateway.dataplane.framing import FramingError

STREAMED = b"cache-control: no-cache\r\nx-accel-buffering: no\r\n"
CAPTURES = sorted((Path(__file__).parent / "captures").glob("*.txt"))
EVENT = b'data: {"error":{}}\n\n'


def on_the_wire(path: Path) -> bytes:
    """A capture as the server sent it; those that curl decoded get their chunks back."""
    raw = path.read_bytes()
    head, _, body = raw.partition(b"\r\n\r\n")
    if b"transfer-encoding: chunked" in head and ".raw" not in path.name:
        events = [event + b"\n\n" for event in body.split(b"\n\n") if event]
        body = b"".join(b"%x\r\n%b\r\n" % (len(event), event) for event in events) + b"0\r\n\r\n"
    return head + b"\r\n\r\n" + body


def expected(raw: bytes) -> bytes:
    head, _, body = raw.partition(b"\r\n\r\n")
    events = b"content-type: text/event-stream" in head
    return head + b"\r\nx-request-id: r1\r\n" + (STREAMED if events else b"") + b"\r\n" + body


def fed(raw: bytes, *cuts: int) -> tuple[bytes, Answer]:
    answer = Answer(request_id=b"r1")
    out = b""
    edges = [0, *cuts, len(raw)]
    for start, end in pairwise(edges):
        if start < end:
            out += answer.feed(raw[start:end])
    return out, answer


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_an_answer_passes_byte_for_byte_wherever_it_is_cut(path: Path) -> None:
    raw = on_the_wire(path)
    want = expected(raw)
    for cut in range(len(raw) + 1):
        out, answer = fed(raw, cut)
        assert out == want
        assert answer.done
        assert answer.reusable


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_a_byte_at_a_time_makes_no_difference(path: Path) -> None:
    raw = on_the_wire(path)
    assert fed(raw, *range(1, len(raw)))[0] == expected(raw)


STREAMS = [path for path in CAPTURES if "stream" in path.name]


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
def test_a_stream_that_breaks_anywhere_ends_in_a_well_framed_error(path: Path) -> None:
    raw = on_the_wire(path)
    head = raw.index(b"\r\n\r\n") + 4
    whole = decoded(raw[head:])
    for cut in range(head, len(raw) - 5):
        out, answer = fed(raw[:cut])
        words = answer.last_words(EVENT)
        assert words is not None
        payload = decoded(out.partition(b"\r\n\r\n")[2] + words)
        assert payload.endswith(b"\n\n" + EVENT) or payload == EVENT
        assert whole.startswith(payload.removesuffix(EVENT).removesuffix(b"\n\n"))


def decoded(chunks: bytes) -> bytes:
    """Strict and independent of the code under test."""
    payload = b""
    while True:
        line, _, chunks = chunks.partition(b"\r\n")
        size = int(line, 16)
        payload += chunks[:size]
        assert chunks[size : size + 2] == b"\r\n"
        chunks = chunks[size + 2 :]
        if size == 0:
            assert chunks == b""
            return payload


def test_events_that_end_elsewhere_than_chunks_still_get_a_separate_error() -> None:
    answer = Answer(request_id=b"r1")
    answer.feed(
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    )
    assert answer.feed(b"6\r\ndata: \r\n") == b"6\r\ndata: \r\n"
    assert answer.last_words(EVENT) == b"%x\r\n\n\n%b\r\n0\r\n\r\n" % (len(EVENT) + 2, EVENT)


def test_a_very_long_chunk_of_events_is_not_kept_back() -> None:
    answer = Answer(request_id=b"r1")
    answer.feed(
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    )
    out = answer.feed(b"100000\r\n" + b"x" * 70_000)
    assert len(out) == 70_008
    assert answer.feed(b"y") == b"y"
    assert answer.last_words(EVENT) == b""


HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    "raw",
    [
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/2.0 200 OK\r\n\r\n",
        b"HTTP/1.1 999 OK\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        HEAD + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n",
        HEAD + b"content-length: 5\r\ncontent-length: 5\r\n\r\n",
        HEAD + b"content-length: -5\r\n\r\n",
        HEAD + b"transfer-encoding: gzip\r\n\r\n",
        HEAD + b"bad name: x\r\n\r\n",
        HEAD + b"x: a\nset-cookie: b\r\n\r\n",
        HEAD + b"transfer-encoding: chunked\r\n\r\nzz\r\n",
        HEAD + b"x: " + b"y" * 70_000,
    ],
)
def test_what_is_not_an_answer_is_not_passed(raw: bytes) -> None:
    answer = Answer(request_id=b"r1")
    with pytest.raises(FramingError):
        answer.feed(raw)
    assert answer.status in (0, 200)


def test_bytes_after_the_end_are_not_passed_and_spoil_the_connection() -> None:
    for raw in (
        HEAD + b"content-length: 2\r\n\r\n{}",
        HEAD + b"content-length: 0\r\n\r\n",
        HEAD + b"transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
    ):
        out, answer = fed(raw + b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        assert out == expected(raw)
        assert answer.done
        assert not answer.reusable


def test_interim_answers_are_swallowed() -> None:
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"
    raw = HEAD + b"content-length: 2\r\n\r\n{}"
    for cut in range(len(interim + raw)):
        assert fed(interim + raw, cut)[0] == expected(raw)


def test_connection_fields_stay_here() -> None:
    raw = (
        b"HTTP/1.1 200 OK\r\nconnection: close, x-private\r\nx-private: 1\r\nkeep-alive: 5\r\n"
        b"content-length: 2\r\nserver: uvicorn\r\n\r\n{}"
    )
    out, answer = fed(raw)
    assert out == (
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nserver: uvicorn\r\nx-request-id: r1\r\n\r\n{}"
    )
    assert not answer.reusable


def test_the_upstreams_request_id_is_kept() -> None:
    out, _ = fed(HEAD + b"X-Request-Id: theirs\r\ncontent-length: 0\r\n\r\n")
    assert out.lower().count(b"x-request-id") == 1


def test_an_answer_without_framing_ends_with_the_connection() -> None:
    out, answer = fed(b"HTTP/1.0 200 OK\r\ncontent-type: text/plain\r\n\r\nabc")
    assert out.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"connection: close" in out
    assert not answer.done
    assert answer.last_words(EVENT) is None
    assert answer.end()


def test_a_head_only_answer_has_no_body_whatever_its_length_says() -> None:
    answer = Answer(request_id=b"r1", head_only=True)
    out = answer.feed(HEAD + b"content-length: 500\r\n\r\n")
    assert b"content-length: 500" in out
    assert answer.done
    assert answer.reusable


@given(st.lists(st.binary(min_size=1, max_size=30), max_size=6), st.integers(1, 200))
def test_http_1_0_gets_chunks_decoded(chunks: list[bytes], cut: int) -> None:
    body = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    raw = HEAD + b"transfer-encoding: chunked\r\n\r\n" + body
    answer = Answer(request_id=b"r1", http10=True, close=True)
    out = answer.feed(raw[:cut]) + (answer.feed(raw[cut:]) if raw[cut:] else b"")
    head, _, payload = out.partition(b"\r\n\r\n")
    assert payload == b"".join(chunks)
    assert b"transfer-encoding" not in head
    assert b"connection: close" in head


def test_field_lines_of_ours_join_the_head_and_leave_the_body_alone():
    answer = Answer(request_id=b"req-1")
    answer.extra = b"x-spark-overhead-ms: 0.120\r\n"
    out = answer.feed(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
    head, _, body = out.partition(b"\r\n\r\n")
    assert head.split(b"\r\n")[-2:] == [b"x-spark-overhead-ms: 0.120", b"x-request-id: req-1"]
    assert body == b"{}"


def test_a_stream_keeps_what_its_server_says_of_caching():
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nCache-Control: no-store\r\n"
    out, _ = fed(head + b"transfer-encoding: chunked\r\n\r\n0\r\n\r\n")
    assert out.lower().count(b"cache-control") == 1
    assert b"Cache-Control: no-store\r\n" in out
    assert b"x-accel-buffering: no\r\n" in out
    plain, _ = fed(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 0\r\n\r\n")
    assert b"cache-control" not in plain
