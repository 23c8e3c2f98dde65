"""A large upload is on disk while it still comes: of 600 MB a process holds a few."""

import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from spark_audio_proxy.intake.multipart import read_form
from spark_audio_proxy.problems import SpeechError

MEGABYTE = 1024 * 1024
HEAD = b'--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n'


async def test_what_came_is_on_disk_before_more_is_asked_for(tmp_path: Path) -> None:
    held: list[int] = []

    async def body() -> AsyncIterator[bytes]:
        yield HEAD
        for number in range(24):
            held.append(number * MEGABYTE - (tmp_path / "file").stat().st_size)
            yield bytes(MEGABYTE)
        yield b"\r\n--b--\r\n"

    upload = await read_form(b"b", body(), tmp_path)
    assert max(held) <= MEGABYTE
    assert upload.files["file"].stat().st_size == 24 * MEGABYTE


async def test_it_takes_no_more_memory_where_it_comes_byte_by_byte(tmp_path: Path) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield HEAD
        for _ in range(40_000):
            yield b"x"
        yield b"\r\n--b--\r\n"

    tracemalloc.start()
    try:
        upload = await read_form(b"b", body(), tmp_path)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert upload.files["file"].stat().st_size == 40_000
    assert most < MEGABYTE


@pytest.mark.parametrize("size", [1, 7, 4096])
@pytest.mark.parametrize("preamble", [b"", b"\r\n", b"For old readers: --b is no\r\nboundary.\r\n"])
async def test_what_stands_before_the_first_boundary_is_passed_over(
    tmp_path: Path, preamble: bytes, size: int
) -> None:
    form = preamble + HEAD + b"sound\r\n--b--\r\n"

    async def body() -> AsyncIterator[bytes]:
        for start in range(0, len(form), size):
            yield form[start : start + size]

    upload = await read_form(b"b", body(), tmp_path)
    assert upload.files["file"].read_bytes() == b"sound"


async def test_lines_that_end_without_a_return_are_no_form(tmp_path: Path) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield HEAD.replace(b"\r\n", b"\n") + b"sound\n--b--\n"

    with pytest.raises(SpeechError):
        await read_form(b"b", body(), tmp_path)
