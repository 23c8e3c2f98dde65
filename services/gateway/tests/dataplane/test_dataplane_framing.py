"""Chunked coding read strictly, whatever the segmentation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spark_gateway.dataplane.bodies import RequestBody
from spark_gateway.dataplane.framing import ChunkScanner, FramingError

CUTS = st.lists(st.integers(min_value=1, max_value=9), min_size=1, max_size=60)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    out = []
    position = 0
    while position < len(data):
        for cut in cuts:
            out.append(data[position : position + cut])
            position += cut
    return [piece for piece in out if piece]


def encoded(chunks: list[bytes], trailer: bytes = b"") -> bytes:
    body = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks if chunk)
    return body + b"0\r\n" + trailer + b"\r\n"


@given(st.lists(st.binary(max_size=40), max_size=8), CUTS, st.binary(max_size=20))
def test_any_segmentation_gives_the_payload_and_the_end(
    chunks: list[bytes], cuts: list[int], following: bytes
) -> None:
    raw = encoded(chunks, b"x-sum: 1\r\n")
    body = RequestBody(None, chunked=True)
    content, left_over = b"", b""
    for piece in pieces(raw + following, cuts):
        if body.complete:
            left_over += piece
            continue
        end, part = body.take(piece)
        content += part
        left_over += piece[end:]
    assert content == b"".join(chunks)
    assert left_over == following
    assert body.complete
    assert body.size == len(content)


@given(st.integers(min_value=1, max_value=99), CUTS)
def test_a_length_ends_the_body_exactly(length: int, cuts: list[int]) -> None:
    body = RequestBody(length)
    taken = 0
    for piece in pieces(b"x" * (length + 30), cuts):
        if not body.complete:
            taken += body.take(piece)[0]
    assert taken == length


def scan(raw: bytes, step: int) -> None:
    scanner = ChunkScanner()
    for start in range(0, len(raw), step):
        assert scanner.feed(raw[start : start + step]) < 0


@pytest.mark.parametrize(
    "raw",
    [
        b"0x3\r\nabc\r\n",
        b"+3\r\nabc\r\n",
        b" 3\r\nabc\r\n",
        b"3 \r\nabc\r\n",
        b"3_0\r\nabc\r\n",
        b"\r\nabc\r\n",
        b"g\r\n",
        b"ffffffffffffffff\r\n",
        b"3\nabc\r\n",
        b"3\r\nabc\n",
        b"3\r\nabcd\r\n",
        b"3\r\nabc0\r\n\r\n",
        b"3;\x00\r\nabc\r\n",
        b"0\r\nno colon\r\n\r\n",
        b"0\r\n folded: x\r\n\r\n",
        b"0\r\nname : x\r\n\r\n",
        b"3;" + b"e" * 2000 + b"\r\n",
        b"0\r\n" + b"x: y\r\n" * 4000,
    ],
)
@pytest.mark.parametrize("step", [1, 3, 100_000])
def test_malformed_chunks_are_refused(raw: bytes, step: int) -> None:
    with pytest.raises(FramingError):
        scan(raw, step)


def test_the_boundary_is_behind_the_last_whole_chunk() -> None:
    scanner = ChunkScanner()
    assert scanner.feed(b"3\r\nabc\r\n2\r\nd") == -1
    assert scanner.boundary == 8
    assert scanner.feed(b"e\r") == -1
    assert scanner.boundary == 0
    assert scanner.feed(b"\n") == -1
    assert scanner.boundary == 1
