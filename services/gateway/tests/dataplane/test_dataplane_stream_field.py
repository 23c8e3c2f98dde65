"""Whether a body asks for a stream: the same as reading all of it as JSON."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark_gateway.dataplane.stream_field import asks_for_stream

LONG = b"iVBORw0KGgo/" * 1000


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        (b'{"stream":true}', True),
        (b' { "model" : "a", "stream" :\n true , "n":1}', True),
        (b'{"stream":false}', False),
        (b'{"stream":"true"}', False),
        (b'{"stream":[true]}', False),
        (b'{"streams":true,"Stream":true}', False),
        (b'{"options":{"stream":true}}', False),
        (b'{"messages":[{"stream":true}],"stream":false}', False),
        (b'{"messages":["\\"stream\\":true","stream"],"a":"stream"}', False),
        (b'{"x\\"stream":true}', False),
        (b'{"a":"}{[","stream":true}', True),
        (b'{"stream":true,"stream":false}', False),
        (b'{"stream":false,"stream":true}', True),
        (b'[{"stream":true}]', False),
        (b"", False),
        (b'{"a":"%b","stream":true}' % LONG, True),
        (b'{"stream":true,"a":"%b"}' % LONG, True),
        (b'{"a":[%b1],"stream":true}' % (b"1," * 5000), True),
        (b'{"a":["%b",{"stream":true}]}' % LONG, False),
        (b'{"a":"%b\\"stream\\":true"}' % LONG, False),
        (b'{"stream"%b:%btrue}' % (b" " * 5000, b"\n" * 5000), True),
    ],
)
def test_what_is_asked_for(body: bytes, asked: bool) -> None:
    assert asks_for_stream(body) is asked


VALUES = st.recursive(
    st.booleans()
    | st.none()
    | st.integers(-9, 9)
    | st.text('stream":{}[]\\', max_size=9)
    | st.just("stream"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["stream", "a", '"stream":true', '\\"stream', "{"]), inner, max_size=3
        )
    ),
    max_leaves=10,
)
PAIRS = st.lists(st.tuples(st.sampled_from(["stream", "stream", "a", 'x"stream']), VALUES))


@given(PAIRS, st.sampled_from(["", " ", "\r\n\t"]))
@settings(max_examples=150, deadline=None)
def test_it_agrees_with_json(pairs: list[tuple[str, object]], blank: str) -> None:
    inner = f"{blank},".join(f"{json.dumps(k)}{blank}:{blank}{json.dumps(v)}" for k, v in pairs)
    body = f"{blank}{{{inner}{blank}}}".encode()
    assert asks_for_stream(body) is (json.loads(body).get("stream") is True)


@pytest.mark.parametrize(
    "filling", [b'"x\\"stream":1,', b'{"stream":true},', b"[],", b'"a",'], ids=repr
)
def test_no_body_takes_long(filling: bytes) -> None:
    body = b'{"messages":[' + filling * (1_000_000 // len(filling)) + b'1],"stream":true}'
    began = time.process_time()
    asks_for_stream(body)
    # Some hundredths of a second each; the bound only catches a slow kind of loop.
    assert time.process_time() - began < 1.0
