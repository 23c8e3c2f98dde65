"""A recording inside JSON, as serialisers really write it."""

import base64
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from spark_audio_proxy.intake.json_form import read_json
from spark_audio_proxy.intake.upload import Upload
from spark_audio_proxy.problems import SpeechError

SOUND = bytes(range(256)) * 9_000
TEXT = base64.b64encode(SOUND).decode()


async def read(text: str | bytes, room: Path, step: int = 65_536) -> Upload:
    data = text.encode() if isinstance(text, str) else text

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(data), step):
            yield data[start : start + step]

    return await read_json(pieces(), room)


def body(data: str = TEXT, **more: object) -> str:
    return json.dumps({"model": "x", **more, "input_audio": {"format": "wav", "data": data}})


@pytest.mark.parametrize(
    "written",
    [
        body,
        lambda: json.dumps({"input_audio": {"data": TEXT, "format": "wav"}}, indent=2),
        lambda: body(f"data:audio/wav;base64,{TEXT}"),
        lambda: body(base64.urlsafe_b64encode(SOUND).decode()),
        lambda: body(TEXT.rstrip("=")),
        # Lines of 76 signs, as MIME has them.
        lambda: body(base64.encodebytes(SOUND).decode()),
        lambda: body(base64.encodebytes(SOUND).decode().replace("\n", "\r\n")),
        # Careful serialisers of PHP, .NET and Java.
        lambda: body().replace("/", "\\/"),
        lambda: body().replace("+", "\\u002B").replace("/", "\\u002f"),
        # What else is called data is no recording.
        lambda: body(prompt='"input_audio": {"data": "AAAA"'),
        lambda: json.dumps({"data": "AAAA", "about": {"data": "BBBB"}} | json.loads(body())),
    ],
)
async def test_every_way_to_write_it_is_read(tmp_path: Path, written: Callable[[], str]) -> None:
    upload = await read(written(), tmp_path)
    assert upload.file().read_bytes() == SOUND


async def test_wherever_an_escape_is_cut(tmp_path: Path) -> None:
    text = body().replace("+", "\\u002B").replace("/", "\\/")
    start = text.index("\\u002B")
    # The reader takes steps of its own: the escape moves through the edge of one.
    for shift in range(8):
        room = tmp_path / str(shift)
        room.mkdir()
        padding = " " * (1024 * 1024 - start - shift)
        upload = await read(padding + text, room)
        assert upload.file().read_bytes() == SOUND


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"input_audio": {"data": "not base64!"}}', "invalid_audio"),
        ('{"input_audio": {"data": "AAAA\\u20ac"}}', "invalid_audio"),
        ('{"input_audio": {"data": "AA\\\\AA"}}', "invalid_audio"),
        ('{"input_audio": {"data": "AAAA', "invalid_form"),
        ('{"input_audio": {"data": "AAAA\\', "invalid_form"),
        ('{"input_audio": {"data": "AAAA"}', "invalid_form"),
        ("[" * 100_000, "invalid_form"),
        ("[]", "invalid_form"),
    ],
)
async def test_what_is_none_is_refused(tmp_path: Path, text: str, code: str) -> None:
    with pytest.raises(SpeechError) as refused:
        await read(text, tmp_path)
    assert refused.value.code == code


async def test_half_a_pair_of_surrogates_is_no_character(tmp_path: Path) -> None:
    upload = await read('{"local_speaker": "A\\ud800", "known": ["\\udfff"]}', tmp_path)
    assert upload.fields.one("local_speaker") == "A?"
    assert upload.fields.many("known") == ("?",)
    assert not upload.files
