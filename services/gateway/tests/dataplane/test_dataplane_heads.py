"""Request heads: what is refused, what is passed on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spark_gateway.dataplane.heads import (
    HeadError,
    asgi_request,
    check_relayable,
    find_head,
    is_data_plane,
    parse_request,
    upstream_request,
)
from spark_gateway.dataplane.ports import Upstream

LINE = b"POST /v1/chat/completions HTTP/1.1\r\nHost: gateway\r\n"
TO = Upstream("127.0.0.9", 8888)

SMUGGLING = {
    "length and coding": b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
    "coding and length": b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
    "two lengths": b"Content-Length: 5\r\nContent-Length: 6\r\n",
    "two equal lengths": b"Content-Length: 5\r\nContent-Length: 5\r\n",
    "length list": b"Content-Length: 5, 5\r\n",
    "signed length": b"Content-Length: +5\r\n",
    "negative length": b"Content-Length: -5\r\n",
    "hex length": b"Content-Length: 0x5\r\n",
    "underscored length": b"Content-Length: 1_0\r\n",
    "empty length": b"Content-Length:\r\n",
    "huge length": b"Content-Length: 99999999999999999999\r\n",
    "unicode digits": "Content-Length: \u0665\r\n".encode(),
    "unknown coding": b"Transfer-Encoding: xchunked\r\n",
    "coding list": b"Transfer-Encoding: gzip, chunked\r\n",
    "chunked not last": b"Transfer-Encoding: chunked, identity\r\n",
    "identity": b"Transfer-Encoding: identity\r\n",
    "two codings": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    "coding with tab": b"Transfer-Encoding: chunked\x0b\r\n",
    "quoted coding": b'Transfer-Encoding: "chunked"\r\n',
    "space before colon": b"Content-Length : 5\r\n",
    "tab before colon": b"Transfer-Encoding\t: chunked\r\n",
    "folded": b"X: a\r\n b\r\nContent-Length: 5\r\n",
    "folded coding": b"Transfer-Encoding:\r\n chunked\r\n",
    "leading space": b" Content-Length: 5\r\n",
    "bare line feed": b"X: a\nContent-Length: 5\r\n",
    "bare carriage return": b"X: a\rContent-Length: 5\r\n",
    "no colon": b"Content-Length 5\r\n",
    "empty name": b": 5\r\n",
    "zero byte": b"X: a\x00b\r\n",
    "control byte": b"X: a\x01b\r\n",
    "bad name": b"Content(Length): 5\r\n",
    "disguised length": b"Content_Length: 5\r\n",
    "disguised coding": b"Transfer_Encoding: chunked\r\n",
    "two hosts": b"Host: elsewhere\r\n",
}
REQUEST_LINES = {
    "no version": b"GET /v1/x",
    "old version": b"GET /v1/x HTTP/0.9",
    "new version": b"GET /v1/x HTTP/2.0",
    "odd version": b"GET /v1/x HTTP/1.2",
    "two spaces": b"GET  /v1/x HTTP/1.1",
    "tab": b"GET\t/v1/x HTTP/1.1",
    "space in target": b"GET /v1/x y HTTP/1.1",
    "trailing space": b"GET /v1/x HTTP/1.1 ",
    "raw utf-8": "GET /v1/é HTTP/1.1".encode(),
    "lower case": b"GET /v1/x http/1.1",
    "no slash": b"GET v1/x HTTP/1.1",
    "connect": b"CONNECT host:443 HTTP/1.1",
    "bare line feed": b"GET /v1/x HTTP/1.1\nX: y",
}


@pytest.mark.parametrize("fields", SMUGGLING.values(), ids=SMUGGLING.keys())
def test_ambiguous_framing_is_refused(fields: bytes) -> None:
    with pytest.raises(HeadError) as refused:
        parse_request(LINE + fields + b"\r\n")
    assert refused.value.status == 400


@pytest.mark.parametrize("line", REQUEST_LINES.values(), ids=REQUEST_LINES.keys())
def test_a_strange_request_line_is_refused(line: bytes) -> None:
    with pytest.raises(HeadError) as refused:
        parse_request(line + b"\r\nHost: gateway\r\n\r\n")
    assert refused.value.status in (400, 405, 505)


def test_a_host_is_required_of_http_1_1_only() -> None:
    with pytest.raises(HeadError):
        parse_request(b"GET /v1/x HTTP/1.1\r\n\r\n")
    assert parse_request(b"GET /v1/x HTTP/1.0\r\n\r\n").close


@pytest.mark.parametrize("path", [b"/v1/../sleep", b"/v1/%2e%2E/sleep", b"/v1/a/..", b"/v1/./a"])
def test_dot_segments_are_refused(path: bytes) -> None:
    with pytest.raises(HeadError):
        check_relayable(parse_request(b"GET " + path + b" HTTP/1.1\r\nHost: g\r\n\r\n"))


def test_hop_by_hop_fields_stay_here_and_the_rest_passes() -> None:
    head = parse_request(
        LINE
        + b"Authorization: Bearer k\r\nConnection: close, X-Mine\r\nX-Mine: 1\r\nTE: trailers\r\n"
        b"Keep-Alive: 5\r\nProxy-Connection: x\r\nUpgrade: h2c\r\nTrailer: t\r\nX-Y:  spaced \r\n"
        b"Expect: 100-continue\r\nContent-Length: 007\r\nx-empty:\r\n\r\n"
    )
    assert head.close
    assert head.expects_continue
    assert upstream_request(head, TO, b"req-1") == (
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.9:8888\r\n"
        b"Authorization: Bearer k\r\nX-Y: spaced \r\nx-empty: \r\ncontent-length: 7\r\n"
        b"x-request-id: req-1\r\nvia: 1.1 spark-control\r\n\r\n"
    )


def test_the_callers_own_request_id_is_kept() -> None:
    head = parse_request(LINE + b"X-Request-ID: mine\r\n\r\n")
    out = upstream_request(head, TO, b"req-1")
    assert head.request_id == b"mine"
    assert out.lower().count(b"x-request-id") == 1


def test_expecting_anything_else_is_417() -> None:
    with pytest.raises(HeadError) as refused:
        parse_request(LINE + b"Expect: the-spanish-inquisition\r\n\r\n")
    assert refused.value.status == 417


@pytest.mark.parametrize(
    ("line", "ours"),
    [
        (b"GET /v1/models", False),
        (b"HEAD /v1/models", False),
        (b"GET /v1/models/org/name?x=1", False),
        (b"GET /v1//models", False),
        (b"POST /v1/models", True),
        (b"GET /v1/modelsx", True),
        (b"POST /v1/chat/completions?a=/api", True),
        (b"POST //v1/chat/completions", True),
        (b"POST http://gateway:9999/v1/chat/completions", True),
        (b"GET http://gateway:9999", False),
        (b"GET /v1", False),
        (b"GET /v10/x", False),
        (b"GET /api/v1/x", False),
        (b"OPTIONS *", False),
        (b"GET /version", True),
        (b"POST /ping", True),
        (b"GET /load/", True),
        (b"GET /health", False),
        (b"GET /metrics", False),
    ],
)
def test_the_path_decides_who_answers(line: bytes, ours: bool) -> None:
    assert is_data_plane(parse_request(line + b" HTTP/1.1\r\nHost: g\r\n\r\n")) is ours


@pytest.mark.parametrize("path", [b"//v1/chat/completions/", b"/v1//chat///completions"])
def test_slashes_too_many_are_taken_off(path: bytes) -> None:
    head = parse_request(b"POST " + path + b"?a=b//c/ HTTP/1.1\r\nHost: g\r\n\r\n")
    assert head.target == b"/v1/chat/completions?a=b//c/"
    assert head.path == b"/v1/chat/completions"


def test_the_asgi_side_gets_the_head_as_it_came() -> None:
    raw = b"GET /api/status HTTP/1.1\r\nHost: g\r\nX:  y\r\n\r\n"
    assert asgi_request(raw, parse_request(raw)) is raw
    absolute = raw.replace(b"/api", b"http://g/api")
    assert asgi_request(absolute, parse_request(absolute)) == raw


@pytest.mark.parametrize("cut", range(1, 24))
def test_the_end_of_a_head_is_found_across_segments(cut: int) -> None:
    raw = b"GET / HTTP/1.1\r\nH: g\r\n\r\nrest"
    assert find_head(raw[:cut], 0, 100) == 0
    assert find_head(raw, cut, 100) == len(raw) - 4


def test_a_line_feed_alone_is_refused_before_the_head_is_complete() -> None:
    for data, scanned in ((b"GET / HTTP/1.1\nHost: g", 0), (b"a\r\nb\n", 3), (b"\n", 0)):
        with pytest.raises(HeadError):
            find_head(data, scanned, 100)
    assert find_head(b"a\r\nb\r\n", 2, 100) == 0


def test_a_head_over_the_limit_is_a_431() -> None:
    for data in (b"x" * 101, b"x" * 98 + b"\r\n\r\n"):
        with pytest.raises(HeadError) as refused:
            find_head(data, 0, 100)
        assert refused.value.status == 431


NAMES = st.text("abcXYZ019-!#$%&'*+.^`|~", min_size=1, max_size=12)
VALUES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=30)


@given(st.lists(st.tuples(NAMES, VALUES), max_size=12))
def test_well_formed_fields_pass_unchanged(fields: list[tuple[str, str]]) -> None:
    lines = [f"x-{name}: {value.strip()}\r\n".encode() for name, value in fields]
    head = parse_request(LINE + b"".join(lines) + b"\r\n")
    out = upstream_request(head, TO, b"req-1")
    assert b"".join(lines) in out


@given(st.binary(max_size=300))
def test_hostile_bytes_are_parsed_or_refused_and_never_split_a_head(noise: bytes) -> None:
    noise = noise.replace(b"\r\n\r\n", b"")
    try:
        head = parse_request(LINE + noise + b"\r\n\r\n")
        check_relayable(head)
    except HeadError:
        return
    out = upstream_request(head, TO, b"req-1")
    assert out.count(b"\r\n\r\n") == 1
    assert out.endswith(b"\r\n\r\n")
    assert parse_request(out).length == head.length
