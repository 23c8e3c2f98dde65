"""However bytes are cut, they mean the same: requests to the intake, answers to the other side."""

from itertools import pairwise
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from spark_gateway.dataplane.answers import Answer
from spark_gateway.dataplane.framing import FramingError
from spark_gateway.dataplane.heads import HeadError
from spark_gateway.dataplane.intake import RequestIntake
from spark_gateway.dataplane.known_heads import KnownHeads

CAPTURES = [path.read_bytes() for path in Path(__file__).parent.glob("captures/*.raw.txt")]
REQUEST_PIECES = (
    b"GET /v1/x HTTP/1.1\r\nHost: g\r\n\r\n",
    b"POST /v1/x HTTP/1.1\r\nHost: g\r\nContent-Length: 5\r\n\r\n",
    b"POST /v1/x HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"POST /v1/x HTTP/1.1\r\nHost: g\r\n",
    b"Content-Length: 5\r\n\r\n",
    b"Transfer-Encoding: chunked\r\n\r\n",
    b"hello",
    b"5\r\nhello\r\n",
    b"5;x=y\r\nhello\r\n",
    b"0\r\n\r\n",
    b"0\r\nx: y\r\n\r\n",
    b"\r\n",
    b"\n",
    b"\r",
    b" x: y\r\n",
    b"\x00",
)


class Told:
    """A sink that deals with each request as soon as it is whole."""

    def __init__(self):
        self.intake = RequestIntake(self, 400, KnownHeads())
        self.seen = []

    def head_began(self): ...

    def request_received(self, head, raw, body):
        self.seen.append(("head", raw, head.path))
        if body:
            self.seen.append(("body", body))
        self._go_on()

    def body_received(self, content, raw):
        if content:
            if self.seen[-1][0] == "body":
                content = self.seen.pop()[1] + content
            self.seen.append(("body", content))
        self._go_on()

    def _go_on(self):
        if self.intake.body is None:
            self.seen.append(("whole",))
            self.intake.next_request()

    def request_malformed(self, error):
        kind = error.status if isinstance(error, HeadError) else "framing"
        self.seen.append(("malformed", kind))


def taken_in(raw, cuts):
    told = Told()
    for start, end in pairwise((0, *cuts, len(raw))):
        if start < end:
            told.intake.feed(raw[start:end])
    return told.seen


def test_a_line_feed_behind_an_empty_line_is_one():
    assert taken_in(b"\r\n\n", ()) == taken_in(b"\r\n\n", (1, 2)) == [("malformed", 400)]


@settings(max_examples=300)
@given(
    st.lists(st.one_of(st.sampled_from(REQUEST_PIECES), st.binary(max_size=6)), max_size=10),
    st.data(),
)
def test_requests_are_the_same_however_they_are_cut(pieces, data):
    raw = b"".join(pieces)
    whole = taken_in(raw, ())
    cuts = data.draw(st.lists(st.integers(0, len(raw)), max_size=6).map(sorted))
    for way in (cuts, range(1, len(raw))):
        seen = taken_in(raw, way)
        if whole and whole[-1][0] == "malformed":
            # What came before the mistake may have been handed out already, and nothing behind it.
            assert seen[-1] == whole[-1]
            bodies_of = [one for one in seen if one[0] != "body"]
            assert bodies_of == [one for one in whole if one[0] != "body"]
        else:
            assert seen == whole


def passed(raw, cuts):
    """What the client gets and how it ended; None in place of it where that was no answer."""
    answer = Answer(request_id=b"r1")
    out = b""
    try:
        for start, end in pairwise((0, *cuts, len(raw))):
            if start < end and not answer.done:
                out += answer.feed(raw[start:end])
    except FramingError:
        return None, answer.last_words(b"data: error\n\n") is None
    return out, answer.done


@settings(max_examples=300)
@given(st.data())
def test_answers_are_the_same_however_they_are_cut(data):
    raw = data.draw(st.sampled_from(CAPTURES))
    at = data.draw(st.integers(0, len(raw)))
    gone = data.draw(st.integers(0, 8))
    raw = raw[:at] + data.draw(st.binary(max_size=8)) + raw[at + gone :]
    cuts = data.draw(st.lists(st.integers(0, len(raw)), max_size=6).map(sorted))
    whole = passed(raw, ())
    for way in (cuts, range(1, len(raw))):
        out, end = passed(raw, way)
        assert (out is None) == (whole[0] is None)
        if out is not None:
            assert (out, end) == whole
