"""The model a body names, found while it passes: the same as reading all of it as JSON."""

import json
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark_gateway.dataplane.model_field import ModelField


def named(body: bytes, *cuts: int) -> str | None:
    field = ModelField()
    places = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    for start, end in pairwise(places):
        field.feed(body[start:end])
    return field.named


def every_way(body: bytes) -> set[str | None]:
    """In one piece, cut in two everywhere, and byte by byte."""
    found = {named(body), named(body, *range(len(body)))}
    return found | {named(body, cut) for cut in range(len(body))}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"model":"a"}', "a"),
        (b' \r\n\t{ "model" : "a" } \n', "a"),
        (b'{"messages":[{"model":"x"},"model"],"model":"a"}', "a"),
        (b'{"a":{"model":"x","b":{"model":"y"}},"stream":true,"n":1.5e3,"model":"a"}', "a"),
        (b'{"model":"a","model":"b"}', "b"),
        (b'{"model":"a","model":null}', None),
        (b'{"model":"a","model":["b"]}', None),
        (b'{"model":"a","model":{"model":"b"}}', None),
        (b'{"model":"a","model":-1}', None),
        (b'{"model":null,"model":"b"}', "b"),
        (b'{"mod\\u0065l":"a"}', "a"),
        (b'{"\\u006d\\u006f\\u0064\\u0065\\u006c":"a"}', "a"),
        (b'{"model":"org\\/a"}', "org/a"),
        (b'{"model":"\\"a\\\\"}', '"a\\'),
        (b'{"x":"\\\\","model":"a"}', "a"),
        (b'{"x":"\\"model\\":\\"b\\"","model":"a"}', "a"),
        (b'{"x":"}","model":"a"}', "a"),
        (b'{"x":["}]\\"",{"y":"{["}],"model":"a"}', "a"),
        (b'{"models":"b","Model":"c"," model":"d"}', None),
        (b'{"model\\n":"b"}', None),
        (b'{"' + b"m" * 5000 + b'":"b","model":"a"}', "a"),
        (b"{}", None),
        (b'{"messages":[]}', None),
        (b'["model","a"]', None),
        (b'"model"', None),
        (b"", None),
        ('{"model":"ä€😀"}'.encode(), "ä€😀"),
        (b'{"model":"\\u00e4\\ud83d\\ude00"}', "ä😀"),
        (b'\xef\xbb\xbf{"model":"a"}', "a"),
        (b'{"model":""}', ""),
        (b'{"model":"a"} {"model":"b"}', "a"),
        (b'{"messages":[{"content":[{"a":[[[{"model":"x"}]]]}]}],"model":"a","n":1}', "a"),
        (b'{"model":"a","messages":[{"role":"user","model":"x"}],"stream":true}', "a"),
        (b'{"n":1,"model":"a","mod\\u0065l":"b","x":[1,2]}', "b"),
        (b'{"model":"a\nb"}', None),
    ],
)
def test_what_is_named_however_it_is_cut(body: bytes, expected: str | None) -> None:
    if len(body) < 200:
        assert every_way(body) == {expected}
    else:
        assert {named(body), named(body, 7), named(body, *range(0, len(body), 100))} == {expected}


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(["model", '"model":"x"', "\\", '"', "{", "]", "\\\\u0065"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["model", "a", "mod", '"']) | st.text(max_size=5), inner)
    ),
    max_leaves=12,
)
KEYS = st.sampled_from(["model", "model", "Model", "mode", "models", "x\\", '"']) | st.text(
    max_size=6
)


@st.composite
def objects(draw) -> bytes:
    """Objects with duplicate keys, escapes and blanks where they are allowed."""
    pairs = draw(st.lists(st.tuples(KEYS, JSON), max_size=6))
    ascii_only = draw(st.booleans())
    blank = draw(st.sampled_from(["", " ", "\n\t ", "\r\n"]))

    def write(value) -> str:
        text = json.dumps(value, ensure_ascii=ascii_only)
        return text.replace("model", "\\u006dodel") if draw(st.booleans()) else text

    inner = f"{blank},{blank}".join(f"{write(k)}{blank}:{blank}{write(v)}" for k, v in pairs)
    return f"{blank}{{{blank}{inner}{blank}}}{blank}".encode()


@given(objects(), st.lists(st.integers(0, 400), max_size=8))
@settings(max_examples=150, deadline=None)
def test_it_agrees_with_json(body: bytes, cuts: list[int]) -> None:
    model = json.loads(body).get("model")
    assert named(body, *cuts) == (model if isinstance(model, str) else None)


@given(st.binary(max_size=80) | st.text('{}[]":,\\model \n', max_size=60).map(str.encode))
@settings(max_examples=150, deadline=None)
def test_anything_is_survived_and_cuts_change_nothing(body: bytes) -> None:
    found = named(body)
    assert named(body, *range(len(body))) == found
    try:
        read = json.loads(body)
    except ValueError:
        return
    if isinstance(read, dict):
        model = read.get("model")
        assert found == (model if isinstance(model, str) else None)


def test_a_name_too_long_to_be_one_is_cut_and_still_another() -> None:
    body = b'{"model":"' + b"a" * 100_000 + b'"}'
    for found in (named(body), named(body, *range(0, len(body), 1000))):
        assert found is not None
        assert 4096 < len(found) < 10_000


PICTURE = json.dumps("data:image/png;base64," + "A" * 8_000_000).encode()
TOKENS = json.dumps(list(range(400_000))).encode()
TEXTS = json.dumps(['line\n"quoted"\n' * 10] * 20_000).encode()


@pytest.mark.parametrize("filling", [PICTURE, TOKENS, TEXTS], ids=["picture", "tokens", "texts"])
def test_a_huge_body_costs_little_time_and_no_memory(filling: bytes) -> None:
    body = b'{"messages":[{"content":[' + filling + b']}],"prompt":' + filling + b',"model":"a"}'
    pieces = [body[at : at + 65536] for at in range(0, len(body), 65536)]
    field = ModelField()
    began = time.process_time()
    for piece in pieces:
        field.feed(piece)
    # About a tenth of a second per hundred megabytes; the bound only catches a slow kind of loop.
    assert time.process_time() - began < 2.0
    assert field.named == "a"
    assert len(field._kept or b"") <= 4097
