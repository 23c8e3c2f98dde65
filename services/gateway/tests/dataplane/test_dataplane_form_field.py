"""The model a form names, found while it passes, however it is cut."""

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark_gateway.dataplane.form_field import FormField, boundary_of

MODEL = b'Content-Disposition: form-data; name="model"'


def form(*parts: tuple[bytes, bytes], boundary: bytes = b"b") -> bytes:
    inner = b"".join(b"--%b\r\n%b\r\n\r\n%b\r\n" % (boundary, head, value) for head, value in parts)
    return b"%b--%b--\r\n" % (inner, boundary)


def named(body: bytes, *cuts: int, boundary: bytes = b"b") -> str | None:
    field = FormField(boundary)
    places = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    for at, start in enumerate(places[:-1]):
        field.feed(body[start : places[at + 1]])
    return field.named


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (form((MODEL, b"a")), "a"),
        (form((MODEL.lower(), b"org/a b")), "org/a b"),
        (form((b"content-disposition: form-data; name=model", b"a")), "a"),
        (form((b"Content-Type: text/plain\r\n" + MODEL + b"\r\nX: y", b"a")), "a"),
        (form((MODEL, b"")), ""),
        (form((MODEL, b"a"), (MODEL, b"b")), "b"),
        (form((MODEL + b'; filename="m.txt"', b"a")), None),
        (form((MODEL + b"; filename*=utf-8''m", b"a")), None),
        (form((b'content-disposition: form-data; name="models"', b"a")), None),
        (form((b'content-disposition: form-data; name="x"; a="name=model"', b"a")), None),
        (form((b'content-disposition: form-data; name="prompt"', MODEL + b"\r\n\r\nb")), None),
        (form((b"x: y", b"\r\n--c\r\n--\r\n-"), (MODEL, b"a")), "a"),
        (form((MODEL, "ä€".encode())), "ä€"),
        (form(), None),
        (b"", None),
        (b"no form at all", None),
        (form((MODEL, b"a"))[:-6], None),
        (form((b"x: " + b"y" * 9000, b""), (MODEL, b"a")), None),
    ],
)
def test_what_is_named_however_it_is_cut(body: bytes, expected: str | None) -> None:
    found = {named(body), named(body, *range(len(body)))}
    found |= {named(body, cut) for cut in range(0, len(body), 1 if len(body) < 500 else 97)}
    assert found == {expected}


@given(
    st.lists(
        st.tuples(
            st.sampled_from([MODEL, b'content-disposition: form-data; name="x"', b""]),
            st.text("ab\r\n-é", max_size=12).map(str.encode),
        ),
        max_size=5,
    ),
    st.lists(st.integers(0, 300), max_size=6),
)
@settings(max_examples=150, deadline=None)
def test_the_last_one_counts(parts: list[tuple[bytes, bytes]], cuts: list[int]) -> None:
    values = [value for head, value in parts if head == MODEL]
    if any(b"--b" in value for value in values):
        return
    # What begins a line like that is a boundary, also right behind the head.
    heads = [(h or b"x: y", v) for h, v in parts if b"\r\n--b" not in b"\r\n" + v]
    expected = values[-1].decode() if values else None
    assert named(form(*heads), *cuts) == expected


def test_what_a_usual_client_writes_is_read() -> None:
    request = httpx.Request(
        "POST", "http://g/", data={"model": "whisper", "x": "1"}, files={"file": b"\x00" * 100_000}
    )
    boundary = boundary_of(request.headers["content-type"].encode())
    assert boundary is not None
    body = request.read()
    assert named(body, *range(0, len(body), 4096), boundary=boundary) == "whisper"


def test_a_huge_file_is_not_kept() -> None:
    field = FormField(b"b")
    field.feed(form((b'content-disposition: form-data; name="file"; filename="f"', b""))[:-9])
    for _ in range(200):
        field.feed(b"\r\n--a" * 10_000)
        assert len(field._held) < 100
    field.feed(b"\r\n--b\r\n" + MODEL + b"\r\n\r\n" + b"m" * 50_000 + b"\r\n--b--")
    assert field.named is not None
    assert len(field.named) <= 4097


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        (b"multipart/form-data; boundary=abc", b"abc"),
        (b'Multipart/Form-Data; charset=utf-8; Boundary="a b"', b"a b"),
        (b"multipart/form-data;boundary=abc; x=y", b"abc"),
        (b"multipart/form-data", None),
        (b"multipart/mixed; boundary=abc", None),
        (b"application/json", None),
        (b"", None),
    ],
)
def test_the_boundary(content_type: bytes, boundary: bytes | None) -> None:
    assert boundary_of(content_type) == boundary
