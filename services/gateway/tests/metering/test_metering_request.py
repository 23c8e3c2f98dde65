"""What one request took and gave, told step by step."""

import gzip
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spark_common.testing import FakeClock
from spark_gateway.dataplane.heads import parse_request
from spark_gateway.dataplane.ports import Upstream
from spark_gateway.metering.answer import MOST_BYTES
from spark_gateway.metering.metering import Metering

CAPTURES = Path(__file__).parent / "captures"
UPSTREAM = Upstream("127.0.0.1", 8888)
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n"
STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def frame(event: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(event), event)


def test_times_of_a_stream(stand):
    request = stand.begin()
    stand.wait(0.5)
    request.received(b"{")
    request.received(b"}")
    stand.wait(0.002)
    request.named("tiny")
    assert request.sent(UPSTREAM) == b"x-spark-overhead-ms: 2.000\r\n"
    stand.wait(0.1)
    passed = request.begins(STREAM)
    stand.wait(0.4)
    passed(frame(b": waiting\n\n"))
    stand.wait(0.5)
    passed(frame(b'data: {"choices":[{"delta":{"role":"assistant"}}]}\n\n'))
    for _ in range(10):
        stand.wait(0.1)
        passed(frame(b'data: {"choices":[{"delta":{"content":"x"}}]}\n\n'))
    usage = b'data: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":11}}\n\n'
    passed(frame(usage))
    passed(frame(b"data: [DONE]\n\n") + b"0\r\n\r\n")
    stand.end(request, 200, "complete")
    assert request.first_byte == pytest.approx(0.602)
    assert request.first_token == pytest.approx(1.502)
    assert request.writing == pytest.approx(1.0)
    assert request.total == pytest.approx(2.502)
    assert request.overhead == pytest.approx(0.002)
    assert (request.prompt, request.completion, request.estimated) == (7, 11, False)
    assert request.bytes_in == 2
    sums = stand.books.models["tiny"]
    assert sums.per_token.total == pytest.approx(0.1)
    assert sums.speed.total == pytest.approx(10.0)
    assert stand.books.busy["llm"].seconds(stand.clock.seconds) == pytest.approx(2.0)
    assert stand.over == [request]


def test_waiting_is_told_apart_from_what_we_take(stand):
    request = stand.begin()
    request.received(b"{}")
    stand.wait(30)
    request.waited(30, "model")
    stand.wait(2.001)
    request.waited(2, "turn")
    told = request.sent(UPSTREAM)
    assert told == b"x-spark-overhead-ms: 1.000\r\nx-spark-queue-ms: 32000\r\n"
    stand.end(request, 200, "complete")
    assert request.queued == 32
    assert {why: waits.total for why, waits in stand.books.waits.items()} == {
        "model": 30,
        "turn": 2,
    }


def test_an_answer_in_one_piece_has_no_first_token(stand):
    request = stand.ask(HEAD + b'{"usage":{"prompt_tokens":3,"completion_tokens":4}}')
    assert request.first_token is None
    assert request.first_byte == 0
    assert (request.prompt, request.completion) == (3, 4)


_USAGE = st.sampled_from(
    (
        b'{"usage":{"prompt_tokens":3,"completion_tokens":4}}',
        b'"usage": {"prompt_tokens": 3, "total_tokens": 3}',
        b'"usage":{"prompt_tokens":3,"completion_tokens":4,"prompt_tokens_details":'
        b'{"cached_tokens":2}}',
        b'"usage":{"input_tokens":20,"cache_read_input_tokens":4,"output_tokens":32}',
        b'"usage":{"prompt_tokens":3,"comp\r\n5\r\nletion_tokens":4}',
        b'"usage":null',
    )
)
_PARTS = st.lists(st.one_of(st.binary(max_size=40), _USAGE), max_size=5)


@given(_PARTS, st.sampled_from((0, MOST_BYTES)))
def test_a_whole_answer_says_what_it_says_when_it_is_read_as_it_passes(parts, more):
    metering = Metering(FakeClock())
    head = parse_request(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n\r\n")
    told = HEAD + b" " * more + b"".join(parts)
    whole, read = metering.watch(head, None, b"1", b""), metering.watch(head, None, b"2", b"")
    for request, tell in ((whole, whole.answered), (read, read.begins)):
        request.sent(UPSTREAM)
        tell(told)
        request.ended(200, "complete")
    metering.settle()
    assert _numbers(whole) == _numbers(read)


def _numbers(request):
    tokens = (request.prompt, request.completion, request.cached, request.estimated)
    return request.bytes_out, request.first_byte, request.first_token, tokens


def test_what_we_took_is_told_to_the_microsecond(stand):
    for microseconds in (0, 1, 49, 50, 999, 1000, 123_456, 61_000_000):
        request = stand.begin()
        stand.wait(microseconds / 1e6)
        told = request.sent(UPSTREAM)
        assert told == b"x-spark-overhead-ms: %.3f\r\n" % (microseconds / 1000)
        assert request.overhead == pytest.approx(microseconds / 1e6, abs=1e-9)
        stand.end(request)


def test_a_body_that_comes_with_the_head_counts_as_one_that_follows(stand):
    request = stand.metering.watch(stand.begin().head, None, b"req-2", b"{}")
    request.received(b"{}")
    assert request.bytes_in == 4


def test_a_stream_that_began_while_it_waited_has_no_head(stand):
    usage = frame(b'data: {"usage":{"prompt_tokens":3,"completion_tokens":4}}\n\n')
    request = stand.ask(frame(b'data: {"choices":[{"delta":{"content":"x"}}]}\n\n') + usage)
    assert (request.prompt, request.completion) == (3, 4)
    assert request.first_token is not None


@pytest.mark.parametrize("kind", [b"application/json", b"text/event-stream"])
def test_of_compressed_content_nothing_is_known(stand, kind):
    body = gzip.compress(b'data: {"usage":{"prompt_tokens":3,"completion_tokens":4}}\n\n')
    head = b"HTTP/1.1 200 OK\r\ncontent-type: %b\r\ncontent-encoding: gzip\r\n\r\n" % kind
    request = stand.ask(head + body)
    assert (request.prompt, request.completion) == (None, None)
    assert request.bytes_out == len(head) + len(body)


@pytest.mark.parametrize("stream", [True, False])
def test_what_nobody_says_is_estimated_and_marked(stand, stream):
    raw = (CAPTURES / "chat_stream_usage.txt").read_bytes()
    whole = re.sub(rb'data: [^\n]*"usage"[^\n]*\n\n', b"", raw)
    if not stream:
        whole = whole.replace(b"text/event-stream", b"text/plain")
    request = stand.ask(whole)
    assert request.prompt is None
    if stream:
        assert request.estimated
        assert 44 <= request.completion <= 48
        assert stand.books.models["tiny"].estimated.completion == request.completion
        assert stand.books.models["tiny"].reported.completion == 0
    else:
        assert (request.completion, request.estimated) == (None, False)


@pytest.mark.parametrize(
    ("name", "path", "low", "high"),
    [
        ("chat_stream_usage.txt", "/v1/chat/completions", 44, 49),
        ("completion_stream_usage.txt", "/v1/completions", 1, 20),
        ("messages_stream.txt", "/v1/messages", 25, 33),
        ("responses_stream.txt", "/v1/responses", 20, 33),
    ],
)
def test_a_client_that_leaves_early_is_estimated_in_every_dialect(stand, name, path, low, high):
    raw = (CAPTURES / name).read_bytes()
    request = stand.ask(raw[: raw.rfind(b'"usage"')], path, how="left")
    assert request.estimated
    assert low <= request.completion <= high


@pytest.mark.parametrize(
    ("name", "path", "tokens"),
    [
        ("chat.txt", "/v1/chat/completions", (27, 48)),
        ("chat_stream_usage.txt", "/v1/chat/completions", (27, 48)),
        ("messages.txt", "/v1/messages", (20, 32)),
        ("messages_stream.txt", "/v1/messages", (20, 32)),
        ("responses.txt", "/v1/responses", (20, 32)),
        ("responses_stream.txt", "/v1/responses", (20, 32)),
    ],
)
def test_what_is_said_counts_in_every_dialect(stand, name, path, tokens):
    request = stand.ask((CAPTURES / name).read_bytes(), path)
    assert (request.prompt, request.completion) == tokens
    assert not request.estimated
    assert (request.first_token is not None) == ("stream" in name)


def test_refused_and_left_before_anything_was_sent(stand):
    refused = stand.begin()
    refused.named("unknown")
    stand.end(refused, 404, "refused")
    left = stand.begin()
    stand.end(left, 0, "left")
    assert stand.books.busy == {}
    assert stand.books.routes["/v1/chat/completions", "other"].answers == {404: 1, 0: 1}
    assert (left.first_byte, left.upstream, left.model) == (None, "", "loaded")


def test_a_clients_repetition_counts_once(stand):
    for number in range(3):
        request = stand.begin(fields=b"x-stainless-retry-count: %d\r\n" % number)
        request.named("tiny")
        request.sent(UPSTREAM)
        stand.end(request, 503 if number < 2 else 200, "complete")
    tries = [sums for (_, model), sums in stand.books.routes.items() if model]
    assert sum(sums.requests for sums in tries) == 1
    assert sum(sums.retries for sums in tries) == 2
    assert [request.head.client_retries for request in stand.over] == [0, 1, 2]


@pytest.mark.parametrize("value", [b"x", b"-1", b"9999999", b"", b"1.5"])
def test_a_count_that_is_none_is_no_repetition(stand, value):
    request = stand.begin(fields=b"x-stainless-retry-count: %b\r\n" % value)
    assert request.head.client_retries == 0


@pytest.mark.parametrize(("named", "label"), [("auto", "loaded"), ("", "loaded"), (None, "loaded")])
def test_whatever_is_loaded_counts_under_its_name(stand, named, label):
    request = stand.begin()
    request.named(named)
    request.sent(UPSTREAM)
    stand.end(request, 200, "complete")
    assert ("/v1/chat/completions", label) in stand.books.routes
