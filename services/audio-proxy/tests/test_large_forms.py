"""A large upload is on disk while it still comes: of 600 MB a process holds a few."""

from collections.abc import AsyncIterator
from pathlib import Path

from spark_audio_proxy.intake.multipart import read_form

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
